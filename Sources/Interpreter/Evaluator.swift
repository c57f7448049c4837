import GraphIR

/// The reference meaning of every operation: one node's results from its operands' values.
///
/// It is written to be obviously right and shares no code with the lowering, so that it can judge
/// it. Floats are computed in f64 and rounded once when a result is stored; sums are taken in
/// row-major order.
package struct Evaluator {
  /// The operands, in the operation's order.
  var operands: [CarriedTensor]
  /// The types of the results.
  var types: [TensorType]
  /// The nested graphs of the node.
  var bodies: [Graph]
  /// The data of a constant.
  var literal: Literal?
  /// How float results are stored.
  var precision: Precision
  /// Whether sums are taken over the absolute values of their terms: the scale of their rounding
  /// errors.
  var absolute = false
}

extension Evaluator: OperationVisitor {
  package typealias Result = [CarriedTensor]
  package typealias Failure = Diagnostic
}

extension Evaluator {
  /// The only result, from elements computed in a carrier, narrowed to the dtype.
  func store(_ storage: CarriedTensor.Storage) -> [CarriedTensor] {
    let type = types[0]
    return switch storage {
    case .floats(let x):
      [
        CarriedTensor(
          type: type,
          storage: .floats(precision == .double ? x : Narrowing.round(x, to: type.dtype)))
      ]
    case .signed(let x):
      [CarriedTensor(type: type, storage: .signed(Narrowing.wrap(x, to: type.dtype)))]
    case .unsigned(let x):
      [CarriedTensor(type: type, storage: .unsigned(Narrowing.wrap(x, to: type.dtype)))]
    case .bools: [CarriedTensor(type: type, storage: storage)]
    }
  }

  /// The only result, from elements that are the dtype's already.
  func keep(_ storage: CarriedTensor.Storage) -> [CarriedTensor] {
    [CarriedTensor(type: types[0], storage: storage)]
  }

  /// What an operation throws when type inference let through what it does not take.
  func notDefined(_ name: String) -> Diagnostic {
    let list = operands.map { "\($0.type)" }.joined(separator: ", ")
    return Diagnostic(.internalError, "the interpreter has no '\(name)' of \(list)")
  }
}
