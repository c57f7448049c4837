import GraphIR
import LLVMBackend
import LoopIR
import Testing

/// The vector functions where special values and ends of ranges are, and on every value of 16 bits.
@Suite struct VectorMathValueTests {
  static let places: [Double] = [
    0, 1, .infinity, .nan, 0x1p-149, 0x1p-130, 0x1p-126, 0x1.fffffep127, 0x1p-1074, 0x1p-1040,
    0x1p-1022, 0x1.fffffffffffffp1023, 0x1p-26, 0x1p-25, 0x1p-24, 0x1p-55, 0x1p-54, 0x1p-53,
    0.5, 0.95, 0.99999994, 1.0000001, 1.5, 2, 3.9, 4, 5.9, 6, 6.1, 9, 10, 11, 22, 23, 40, 41,
    87.3, 88.72, 88.7228, 88.73, 89, 90, 103.2, 103.9, 104, 105, 709.7, 709.79, 710, 711, 744,
    745.1, 745.2, 745.5, 746, 747, 1e4, 0x1p19, 524289, 1e6, 0x1p22, 1e10, 1e15, 1e22, 0x1p120,
    1e100, 0x1.921fb54442d18p0, 0x1.921fb54442d18p1, 0x1.921fb54442d18p40,
    16_367_173 * 0x1p72,
  ]

  @Test(arguments: VectorMathTests.claims, [DType.f32, .f64])
  func specialValues(_ claim: VectorMathTests.Claim, _ dtype: DType) throws {
    let values = Literal(
      TensorType(dtype, [2 * Self.places.count]),
      doubles: Self.places + Self.places.map { -$0 })
    let allowed = dtype == .f32 ? claim.singleUlps : claim.doubleUlps
    for lanes in [1, 4, 16] {
      let results = try run(claim.function, values, dtype, lanes: lanes)
      for (x, result) in zip(values.doubles(), results.doubles()) {
        let expected = claim.reference(x)
        let error = VectorMathTests.ulps(result, expected, dtype)
        #expect(
          error <= allowed, "\(claim.function)(\(x)) = \(result), not \(expected): \(error) ulp")
      }
    }
  }

  /// The f64 nearest to an odd multiple of pi/2 (Muller, "Elementary functions", 2006, section 11.2), where the C
  /// library's cosine is wrong by 8 ulp: computed with mpmath.
  @Test func hardestReduction() throws {
    let values = Literal([1], [6_381_956_970_095_103 * 0x1p797])
    let cosine = try run(.cos, values, .f64, lanes: 1).doubles()[0]
    #expect(VectorMathTests.ulps(cosine, -4.6871659242546276111e-19, .f64) <= 2)
    #expect(try run(.sin, values, .f64, lanes: 1).doubles()[0].magnitude == 1)
  }

  /// All values of 16 bits: the nearest value of the dtype, or the one beside it.
  @Test(arguments: VectorMathTests.claims, [DType.f16, .bf16])
  func shortFloats(_ claim: VectorMathTests.Claim, _ dtype: DType) throws {
    let patterns = (0..<65536).map { UInt16($0) }
    let type = TensorType(dtype, [patterns.count])
    let values = try #require(
      Literal(type, bytes: patterns.withUnsafeBytes { Array($0) }))
    let results = try run(claim.function, values, dtype, lanes: 8)
    let expected = Literal(type, doubles: values.doubles().map(claim.reference))
    let (a, b) = (ordinals(results), ordinals(expected))
    let (xs, ys) = (results.doubles(), expected.doubles())
    for index in patterns.indices where abs(a[index] - b[index]) > 1 {
      if xs[index].isNaN && ys[index].isNaN { continue }
      Issue.record(
        "\(claim.function)(\(values.doubles()[index])) = \(xs[index]), not \(ys[index])")
      return
    }
  }

  /// The place of each 16-bit float among all of them in order; -0 and 0 have places of their own.
  private func ordinals(_ literal: Literal) -> [Int] {
    stride(from: 0, to: literal.bytes.count, by: 2).map { place in
      let bits = Int(literal.bytes[place]) | Int(literal.bytes[place + 1]) << 8
      return bits < 0x8000 ? bits : 0x7FFF - bits
    }
  }

  private func run(
    _ function: UnaryFunction, _ values: Literal, _ dtype: DType, lanes: Int
  ) throws -> Literal {
    let count = values.type.shape.elementCount
    let harness = try ElementwiseHarness([dtype], to: dtype, count: count, lanes: lanes) {
      .unary(function, $0[0])
    }
    return try harness.runNatively([values])
  }
}
