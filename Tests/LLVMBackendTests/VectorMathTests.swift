import GraphIR
import Glibc
import LLVMBackend
import LoopIR
import Testing

/// The accuracy of the vector functions, and their special values.
@Suite struct VectorMathTests {
  /// A function with its reference in f64 and the largest error that its documentation allows, in ulp.
  struct Claim: Sendable, CustomTestStringConvertible {
    let function: UnaryFunction
    let reference: @Sendable (Double) -> Double
    let singleUlps: Double
    let doubleUlps: Double
    var testDescription: String { function.rawValue }
  }

  static let claims = [
    Claim(function: .exp, reference: { Glibc.exp($0) }, singleUlps: 1.01, doubleUlps: 1.5),
    Claim(function: .expm1, reference: { Glibc.expm1($0) }, singleUlps: 1.37, doubleUlps: 2.5),
    Claim(function: .log, reference: { Glibc.log($0) }, singleUlps: 0.84, doubleUlps: 1.5),
    Claim(function: .log1p, reference: { Glibc.log1p($0) }, singleUlps: 1.41, doubleUlps: 2.5),
    Claim(
      function: .softplus,
      reference: { ($0 > 0 ? $0 : 0) + Glibc.log1p(Glibc.exp(-$0.magnitude)) },
      singleUlps: 0.51, doubleUlps: 4.5),
    Claim(function: .sin, reference: { Glibc.sin($0) }, singleUlps: 0.51, doubleUlps: 2.5),
    Claim(function: .cos, reference: { Glibc.cos($0) }, singleUlps: 0.51, doubleUlps: 2.5),
    Claim(function: .tanh, reference: { Glibc.tanh($0) }, singleUlps: 1.67, doubleUlps: 3),
    Claim(
      function: .sigmoid,
      reference: { x in
        x >= 0 ? 1 / (1 + Glibc.exp(-x)) : Glibc.exp(x) / (1 + Glibc.exp(x))
      }, singleUlps: 1.48, doubleUlps: 4.5),
    Claim(function: .erf, reference: { Glibc.erf($0) }, singleUlps: 1.48, doubleUlps: 4.5),
    Claim(function: .rsqrt, reference: { 1 / $0.squareRoot() }, singleUlps: 1.5, doubleUlps: 2),
  ]

  @Test(arguments: claims)
  func singlePrecision(_ claim: Claim) throws {
    let count = 1 << 21
    let patterns = (0..<count).map { Float(bitPattern: UInt32($0) &* 2053 &+ 17) }
    let usual = (0..<count).map { Float($0 - count / 2) * 0x1p-16 }
    // Neighbouring lanes of very different size.
    let mixed = (0..<count).map { $0 % 3 == 0 ? patterns[$0] : usual[$0] }
    for values in [patterns, usual, mixed] {
      let result = try run(claim.function, Literal([count], values), .f32)
      try judge(claim.function, values.map(Double.init), result, claim.singleUlps, .f32) {
        claim.reference($0)
      }
    }
  }

  @Test(arguments: claims)
  func doublePrecision(_ claim: Claim) throws {
    let count = 1 << 16
    let patterns = (0..<count).map { Double(bitPattern: UInt64($0) &* 0x0000_FFFE_1234_5677) }
    let usual = (0..<count).map { Double($0 - count / 2) * 0x1.000001p-11 }
    for values in [patterns, usual] {
      let result = try run(claim.function, Literal([count], values), .f64)
      try judge(claim.function, values, result, claim.doubleUlps, .f64) { claim.reference($0) }
    }
  }

  @Test(arguments: [DType.f32, .f64])
  func powers(_ dtype: DType) throws {
    let bases: [Double] = [
      0, -0.0, 1, -1, 0.5, -0.5, 2, -2, 3.7, -3, 1e-30, 1e30, 1.0000001, 0.9999999, .infinity,
      -.infinity, .nan, 10,
    ]
    let exponents: [Double] = [
      0, -0.0, 1, -1, 2, 3, -2, -3, 0.5, -0.5, 1.5, 1e3, -1e3, 1e9, 1e30, -1e30, .infinity,
      -.infinity, .nan, 33.3, 7,
    ]
    var pairs: [(Double, Double)] = []
    for x in bases { for y in exponents { pairs.append((x, y)) } }
    var state: UInt64 = 5
    for _ in 0..<50_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1
      let x = Double(state >> 40) * 0x1p-20
      state = state &* 6_364_136_223_846_793_005 &+ 1
      pairs.append((x, (Double(state >> 40) - 0x1p23) * 0x1p-18))
    }
    let type = TensorType(dtype, [pairs.count])
    let x = Literal(type, doubles: pairs.map(\.0))
    let y = Literal(type, doubles: pairs.map(\.1))
    let harness = try ElementwiseHarness([dtype, dtype], to: dtype, count: pairs.count, lanes: 8) {
      .binary(.power, $0[0], $0[1])
    }
    let result = try harness.runNatively([x, y]).doubles()
    let (xs, ys) = (x.doubles(), y.doubles())
    for index in pairs.indices {
      let expected = Glibc.pow(xs[index], ys[index])
      let error = VectorMathTests.ulps(result[index], expected, dtype)
      guard error <= (dtype == .f32 ? 1 : 4) else {
        Issue.record("pow(\(xs[index]), \(ys[index])) = \(result[index]), not \(expected)")
        return
      }
    }
  }

  private func run(_ function: UnaryFunction, _ input: Literal, _ dtype: DType) throws -> [Double] {
    let count = input.type.shape.elementCount
    let harness = try ElementwiseHarness([dtype], to: dtype, count: count, lanes: 8) {
      .unary(function, $0[0])
    }
    return try harness.runNatively([input]).doubles()
  }

  private func judge(
    _ function: UnaryFunction, _ inputs: [Double], _ results: [Double], _ allowed: Double,
    _ dtype: DType, _ reference: (Double) -> Double
  ) throws {
    var worst = (error: 0.0, index: 0)
    for (index, input) in inputs.enumerated() {
      let error = VectorMathTests.ulps(results[index], reference(input), dtype)
      if error > worst.error { worst = (error, index) }
    }
    let input = inputs[worst.index]
    #expect(
      worst.error <= allowed,
      "\(function)(\(input)) = \(results[worst.index]), not \(reference(input)): \(worst.error) ulp"
    )
  }

  /// The distance of a result from the true value in units in the last place of the dtype.
  static func ulps(_ result: Double, _ expected: Double, _ dtype: DType) -> Double {
    if result == expected { return result.sign == expected.sign ? 0 : .infinity }
    if result.isNaN && expected.isNaN { return 0 }
    let rounded = dtype == .f32 ? Double(Float(expected)) : expected
    if result == rounded { return 0.5 }
    guard result.isFinite, expected.isFinite else { return .infinity }
    let unit =
      dtype == .f32
      ? max(Double(Float(expected).ulp), Double(Float.leastNonzeroMagnitude)) : expected.ulp
    return abs(result - expected) / unit
  }
}
