import GraphIR

/// A tensor that a trace asks for from outside and that outlives the step: a parameter or untrained state.
package struct Variable: Sendable {
  /// The path in the model: `conv1.filter`.
  package let name: String
  /// The type, inferred from the first use.
  package let type: TensorType
  /// How the first value is made.
  package let initializer: Initializer
  /// Whether the optimizer changes it.
  package let isTrained: Bool
  /// The line of the layer that uses it.
  package let location: Location
  /// The input of the graph being traced.
  let value: Value
  /// The new value of untrained state, once the model gave one.
  var updated: Tensor?

  /// What a parameter or state asks for at its use.
  struct Request {
    var token: Token
    var name: String
    var type: TensorType
    var initializer: Initializer
    var isTrained: Bool
  }
}

/// A tensor that training changes; its shape is given where it is used, its name by the property that holds it.
///
/// ```swift
/// struct Scale: Layer {
///   let gain = Parameter(.ones)
///   func callAsFunction(_ x: Tensor) -> Tensor { x * gain([x.shape[-1]]) }
/// }
/// ```
///
/// A copy is the same parameter, so using it twice ties the uses. It holds no tensor.
public struct Parameter: Sendable {
  let token = Token()
  let initializer: Initializer

  /// Makes a parameter whose first value the initializer draws.
  public init(_ initializer: Initializer = .xavier) { self.initializer = initializer }

  /// The parameter as a tensor of the trace under way, of the given shape and a floating-point dtype.
  ///
  /// Another shape or dtype than at its first use is recorded as an error.
  public func callAsFunction(
    _ shape: [Int], _ dtype: DType = .f32, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    Tensor.located(Caller(file, line), "a parameter is used") { context, location in
      guard dtype.isFloat else {
        return context.fail(
          Diagnostic(
            .typeMismatch, "a parameter cannot be \(dtype): training needs a floating-point dtype",
            at: location, hint: "convert the layer's input with converted(to: .f32)"))
      }
      return context.variable(
        Variable.Request(
          token: token, name: "parameter", type: TensorType(dtype, Shape(shape)),
          initializer: initializer, isTrained: true),
        at: location)
    }
  }
}

/// A tensor that a model keeps from step to step and that the optimizer leaves alone, such as a running mean.
///
/// It becomes one more input and output of the training step. A copy is the same state.
public struct UntrainedState: Sendable {
  let token = Token()
  let initializer: Initializer

  /// Makes state whose first value the initializer gives.
  public init(_ initializer: Initializer = .zeros) { self.initializer = initializer }

  /// The state before this step, as a tensor of the trace under way.
  public func callAsFunction(
    _ shape: [Int], _ dtype: DType = .f32, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    Tensor.located(Caller(file, line), "state is used") { context, location in
      context.variable(
        Variable.Request(
          token: token, name: "state", type: TensorType(dtype, Shape(shape)),
          initializer: initializer, isTrained: false),
        at: location)
    }
  }

  /// Gives the state its value after a training step; in inference it stays as it is.
  ///
  /// The state must have been read in the same trace, and the tensor must have its type.
  public func update(_ tensor: Tensor, file: String = #fileID, line: Int = #line) {
    guard let context = TraceContext.current, context.mode == .training else { return }
    context.update(token, to: tensor, at: context.location(Caller(file, line)))
  }
}
