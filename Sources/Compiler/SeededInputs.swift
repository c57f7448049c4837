import GraphIR

extension Graph {
  /// Inputs drawn from a seed: floats uniform in -1 ..< 1, integers in 0 ..< 8, fair bools.
  package func seededInputs(seed: UInt64) -> [Literal] {
    var generator = SplitMix64(seed: seed)
    return inputs.map { input in
      let values = (0..<input.type.shape.elementCount).map { _ -> Double in
        switch input.type.dtype.category {
        case .float: Double.random(in: -1..<1, using: &generator)
        case .signed, .unsigned: Double(Int.random(in: 0..<8, using: &generator))
        case .bool: Bool.random(using: &generator) ? 1 : 0
        }
      }
      return Literal(input.type, doubles: values)
    }
  }
}
