import GraphIR

func compositeSamples() -> [OperationSample] {
  let bodies: [(String, [TensorType], OperandValues, Tolerance, Body)] = [
    ("twice", [TensorType(.f32, [17])], .anything, .exact, twice),
    ("swapped", [TensorType(.i32, [3, 5]), TensorType(.f64, [])], .anything, .exact, swapped),
    ("normalized", [TensorType(.f32, [5, 33])], .between(-4, 4), .ulps(64), normalized),
    ("nested", [TensorType(.f32, [7])], .anything, .exact, nested),
  ]
  return bodies.compactMap { name, types, values, tolerance, build in
    var sample = OperationSample(.composite(Composite(name)), types, values, tolerance: tolerance)
    guard let body = try? body(name, types, build) else { return nil }
    sample.bodies = [body]
    return sample
  }
}

private typealias Body = (inout GraphBuilder, [Value]) throws(Diagnostic) -> [Value]

private func body(
  _ name: String, _ types: [TensorType], _ build: Body
) throws(Diagnostic) -> Graph {
  var builder = GraphBuilder(name: name)
  let inputs = types.enumerated().map { builder.input("x\($0.offset)", $0.element) }
  return try builder.finish(try build(&builder, inputs))
}

private func twice(
  _ builder: inout GraphBuilder, _ x: [Value]
) throws(Diagnostic) -> [Value] {
  [try builder.add(x[0], x[0])]
}

/// Results that are the body's own inputs, in another order.
private func swapped(
  _ builder: inout GraphBuilder, _ x: [Value]
) throws(Diagnostic) -> [Value] {
  [x[1], x[0]]
}

/// e^x divided by its sum along the last dimension.
private func normalized(
  _ builder: inout GraphBuilder, _ x: [Value]
) throws(Diagnostic) -> [Value] {
  let shape = builder.type(of: x[0]).shape
  let power = try builder.unary(.exp, x[0])
  let sum = try builder.reduce(.sum, power, dimensions: [1])
  let sums = try builder.broadcast(sum, to: shape, dimensions: [0])
  return [try builder.divide(power, sums)]
}

private func nested(
  _ builder: inout GraphBuilder, _ x: [Value]
) throws(Diagnostic) -> [Value] {
  try builder.composite("inner", x, twice)
}
