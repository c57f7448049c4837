import GraphIR

/// A small, fast and reproducible source of numbers: SplitMix64 (Steele, Lea and Flood, "Fast splittable
/// pseudorandom number generators", OOPSLA 2014).
package struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

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
