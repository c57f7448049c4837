import GraphIR

/// Traces a computation into a graph.
///
/// ```swift
/// let graph = try trace("dense", ["x": TensorType(.f32, [64, 784])]) { inputs in
///   ["y": Dense(10)(inputs["x"])]
/// }
/// ```
///
/// - Parameters:
///   - name: The graph's name.
///   - inputs: The inputs' names and types, in order.
///   - mode: Whether layers behave as in training.
///   - body: Makes the named outputs from the inputs. Parameters become further inputs.
/// - Throws: everything that went wrong in the body, each with the line of the call that did.
public func trace(
  _ name: String, _ inputs: KeyValuePairs<String, TensorType>, mode: Mode = .inference,
  file: String = #fileID, line: Int = #line,
  body: (TracedInputs) -> KeyValuePairs<String, Tensor>
) throws(Diagnostics) -> Graph {
  let location = Location(file: file, line: line)
  let context = TraceContext(name: name, mode: mode, at: location)
  return try context.trace(at: location) { context in
    let tensors = inputs.map { ($0.key, context.input($0.key, $0.value, at: location)) }
    let results = body(TracedInputs(tensors, at: location))
    return context.finish(results.map { ($0.key, $0.value) }, at: location)
  }
}

/// The inputs of a traced computation, by name.
public struct TracedInputs {
  private let tensors: [(name: String, tensor: Tensor)]
  private let location: Location

  init(_ tensors: [(String, Tensor)], at location: Location) {
    self.tensors = tensors
    self.location = location
  }

  /// The input of the given name; another name is recorded as an error.
  public subscript(name: String) -> Tensor {
    if let found = tensors.first(where: { $0.name == name }) { return found.tensor }
    let diagnostic = Diagnostic(
      .name, "there is no input '\(name)'", at: location,
      hint: "the inputs are " + tensors.map { "'\($0.name)'" }.joined(separator: ", "))
    TraceContext.current?.record(diagnostic)
    return Tensor(invalid: diagnostic)
  }

  /// The input at a position.
  public subscript(position: Int) -> Tensor {
    if tensors.indices.contains(position) { return tensors[position].tensor }
    let diagnostic = Diagnostic(
      .argument, "there is no input \(position), there are \(tensors.count)", at: location)
    TraceContext.current?.record(diagnostic)
    return Tensor(invalid: diagnostic)
  }
}

extension TraceContext {
  /// Makes this the trace under way, runs the body, and throws what was recorded.
  func trace<Traced>(
    at location: Location, _ body: (TraceContext) -> Result<Traced, Diagnostic>
  ) throws(Diagnostics) -> Traced {
    let result = TraceContext.$current.withValue(self) { body(self) }
    if case .failure(let diagnostic) = result { record(diagnostic) }
    guard diagnostics.isEmpty, case .success(let traced) = result else {
      throw Diagnostics(diagnostics)
    }
    return traced
  }
}
