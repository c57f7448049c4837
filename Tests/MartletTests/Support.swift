import GraphIR
import Interpreter
import Martlet

/// Traces a computation on literals and interprets it.
func evaluate(
  _ inputs: [Literal], mode: Mode = .inference, _ body: ([Tensor]) -> Tensor
) throws -> Literal {
  let constants = inputs.map { Tensor($0) }
  let graph = try trace("test", [:], mode: mode) { _ in ["y": body(constants)] }
  let values = graph.inputs.map { Literal(zeros: $0.type) }
  return try interpret(graph, values)[0]
}

/// What is wrong with a computation on inputs of the given types.
func problems(
  _ types: [TensorType], _ body: ([Tensor]) -> Tensor
) -> [Diagnostic] {
  do {
    _ = try trace("test", [:]) { _ in
      ["y": body(types.map { Tensor(Literal(zeros: $0)) })]
    }
    return []
  } catch {
    return error.all
  }
}

func f32(_ shape: Shape, _ values: [Float]) -> Literal { Literal(shape, values) }

extension Literal {
  func isClose(to expected: [Double], within tolerance: Double = 1e-6) -> Bool {
    let values = doubles()
    return values.count == expected.count
      && zip(values, expected).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
  }
}
