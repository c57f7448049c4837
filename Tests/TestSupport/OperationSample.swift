import GraphIR

/// How near two results of an operation must be; NaN equals NaN.
package enum Tolerance: Sendable, Hashable {
  /// Equal bits.
  case exact
  /// So many units in the last place of the result's dtype.
  case ulps(Double)
  /// A sum of so many terms in any order: c * epsilon * (the sum of the terms' absolute values).
  case reduction(length: Int)
}

/// One operation with everything that a test needs to run it.
package struct OperationSample: Sendable, CustomStringConvertible {
  /// What a node does.
  package var operation: Operation
  /// The operands' types.
  package var operands: [TensorType]
  /// How each operand's elements are drawn.
  package var values: [OperandValues]
  /// A composite's body.
  package var bodies: [Graph] = []
  /// A constant's data.
  package var literal: Literal?
  /// How near results must be.
  package var tolerance: Tolerance

  package init(
    _ operation: Operation, _ operands: [TensorType], _ values: OperandValues...,
    tolerance: Tolerance = .exact
  ) {
    self.operation = operation
    self.operands = operands
    let rest = values.last ?? .anything
    self.values = operands.indices.map { $0 < values.count ? values[$0] : rest }
    self.tolerance = tolerance
  }

  /// `add(f32[7], f32[7])`, with the attributes.
  package var description: String {
    let types = operands.map(\.description).joined(separator: ", ")
    return "\(operation.mnemonic)(\(types)) \(operation.attributes)"
  }

  /// The graph with this one node, whose inputs are x0, x1 and so on, and with all of its results.
  package func graph() throws(Diagnostic) -> Graph {
    var builder = GraphBuilder(name: "sample")
    let inputs = operands.enumerated().map { builder.input("x\($0.offset)", $0.element) }
    let results = try builder.append(operation, inputs, bodies: bodies, literal: literal)
    return try builder.finish(results)
  }

  /// Values for the operands.
  package func inputs(seed: UInt64 = 1) -> [Literal] {
    var generator = SplitMix64(seed: seed)
    return zip(operands, values).map { $1.literal($0, using: &generator) }
  }
}

/// Samples of every operation of a kind: shapes with 0, 1, primes and the tails of vectors, and
/// every dtype that is accepted.
package func samples(of kind: Operation.Kind) -> [OperationSample] {
  switch kind {
  case .unary: unarySamples()
  case .binary: binarySamples()
  case .compare: compareSamples()
  case .select: selectSamples()
  case .clamp: clampSamples()
  case .convert: convertSamples()
  case .constant: constantSamples()
  case .iota: iotaSamples()
  case .reshape: reshapeSamples()
  case .broadcast: broadcastSamples()
  case .transpose: transposeSamples()
  case .slice: sliceSamples()
  case .pad: padSamples()
  case .concatenate: concatenateSamples()
  case .reverse: reverseSamples()
  case .dot: dotSamples()
  case .convolution: convolutionSamples()
  case .reduce: reduceSamples()
  case .argReduce: argReduceSamples()
  case .reduceWindow: reduceWindowSamples()
  case .reduceWindowGradient: reduceWindowGradientSamples()
  case .gather: gatherSamples()
  case .scatter: scatterSamples()
  case .random: randomSamples()
  case .composite: compositeSamples()
  }
}

/// The samples of all kinds.
package func allSamples() -> [OperationSample] { Operation.Kind.allCases.flatMap(samples) }

/// Every element type of some categories.
func dtypes(_ categories: Set<DType.Category>) -> [DType] {
  DType.allCases.filter { categories.contains($0.category) }
}

/// Floats and integers.
let numbers = dtypes([.float, .signed, .unsigned])
/// Floats.
let floats = dtypes([.float])

/// Lengths around the widths of vectors, nothing, one, and several dimensions.
let elementwiseShapes: [Shape] = [
  [], [0], [1], [3], [7], [8], [9], [17], [33], [257], [2, 3, 5], [13, 1, 7], [5, 0, 2],
]
