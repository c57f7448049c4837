import GraphIR

/// Nodes that make each element of one value from the same element of another one, and from values that have no
/// gradient: `y = f(x)`, as in `x * sigmoid(x)`.
struct ScalarFunction {
  /// The value `x`.
  let argument: Value
  /// The nodes between, in the graph's order; the last one gives `y`.
  let nodes: Range<Int>

  /// A function of more nodes is differentiated node by node.
  static let mostNodes = 32
}

extension Differentiator {
  /// The function whose result is a node's, when its argument reaches that by several ways; the nearest such argument.
  ///
  /// - Parameter index: the index of the node.
  func scalarFunction(endingAt index: Int) -> ScalarFunction? {
    guard builder.graph.nodes[index].isElementwise else { return nil }
    let result = builder.graph.nodes[index].types[0]
    // Among f16, a slope may be infinite where its product with a small gradient is not.
    if result.dtype == .f16 { return nil }
    // The values that the result is a function of so far, with the places of their nodes. The latest is opened first:
    // nothing else reads it then.
    var open: [Value: Int] = [:]
    var (latest, isJoined) = (index, false)
    for _ in 0..<ScalarFunction.mostNodes {
      for operand in builder.graph.nodes[latest].operands where isActive(operand) {
        open[operand] = builder.graph.definingNodeIndex(of: operand) ?? -1
      }
      if open.count == 1, isJoined, let argument = open.first?.key {
        return type(of: argument) == result
          ? ScalarFunction(argument: argument, nodes: latest..<index + 1) : nil
      }
      isJoined = isJoined || open.count > 1
      guard let (value, place) = open.max(by: { $0.value < $1.value }), place >= 0,
        !isWanted(value), type(of: value) == result, builder.graph.nodes[place].isElementwise
      else { return nil }
      open[value] = nil
      latest = place
    }
    return nil
  }

  /// The gradient of a function's argument, for the gradient of its result: that times the slope `f'(x)`.
  ///
  /// The slope is one tensor, known before the gradient is. Whoever keeps it for the backward pass need not keep what it
  /// is made of.
  mutating func pullBack(
    _ function: ScalarFunction, _ gradient: Value
  ) throws(Diagnostic) -> Value? {
    let result = builder.graph.nodes[function.nodes.upperBound - 1].results[0]
    let one = try constant(1, like: result)
    // What no gradient flows through around the function, none flows through inside of it.
    let severed = function.nodes.filter { place in
      !builder.graph.nodes[place].results.contains(where: isActive)
    }
    let slopes = try pullBack(
      [result: one], through: function.nodes, severed: Set(severed), to: [function.argument],
      joinsFunctions: false)
    guard let slope = slopes[0] else { return nil }
    return try multiply(gradient, slope)
  }
}
