import GraphIR

extension Evaluator {
  package mutating func visit(_ op: Composite) throws(Diagnostic) -> [CarriedTensor] {
    guard let body = bodies.first else {
      throw Diagnostic(.malformedGraph, "composite '\(op.name)' has no body")
    }
    // Only the results are rounded, so that every way to compute the whole is judged by one exact
    // answer. An integer result must be the same bits on every backend: then the body runs as it
    // would inlined.
    let isFloat = types.allSatisfy(\.dtype.isFloat)
    let results = try run(body, operands, isFloat ? .double : precision)
    return zip(results, types).map { result, type in
      var evaluator = self
      evaluator.types = [type]
      return evaluator.store(result.storage)[0]
    }
  }
}
