import GraphIR
import Interpreter
import Testing

private let nan = Double.nan
private let infinity = Double.infinity

@Suite struct UnaryTests {
  @Test(arguments: floatTypes) func exactFloatFunctions(_ dtype: DType) throws {
    let x = vector(dtype, [-2.5, -0.0, 0, 1.5, 2.5, nan, -infinity])
    expect(try result(.unary(Unary(.negate)), x), [2.5, 0, -0.0, -1.5, -2.5, nan, infinity])
    expect(try result(.unary(Unary(.abs)), x), [2.5, 0, 0, 1.5, 2.5, nan, infinity])
    expect(try result(.unary(Unary(.sign)), x), [-1, -0.0, 0, 1, 1, nan, -1])
    expect(try result(.unary(Unary(.floor)), x), [-3, -0.0, 0, 1, 2, nan, -infinity])
    expect(try result(.unary(Unary(.ceil)), x), [-2, -0.0, 0, 2, 3, nan, -infinity])
    expect(try result(.unary(Unary(.round)), x), [-2, -0.0, 0, 2, 2, nan, -infinity])
  }

  @Test(arguments: signedTypes) func signedFunctions(_ dtype: DType) throws {
    let least = -Double(sign: .plus, exponent: dtype.bitCount - 1, significand: 1)
    let x = vector(dtype, [least, -3, 0, 7])
    expect(try result(.unary(Unary(.negate)), x), [least, 3, 0, -7])
    expect(try result(.unary(Unary(.abs)), x), [least, 3, 0, 7])
    expect(try result(.unary(Unary(.sign)), x), [-1, -1, 0, 1])
    let complements = try result(.unary(Unary(.not)), vector(dtype, [-3, 0, 7]))
    expect(complements, [2, -1, -8])
  }

  @Test func unsignedFunctionsWrap() throws {
    let x = vector(.u8, [0, 1, 255])
    expect(try result(.unary(Unary(.negate)), x), [0, 255, 1])
    expect(try result(.unary(Unary(.abs)), x), [0, 1, 255])
    expect(try result(.unary(Unary(.sign)), x), [0, 1, 1])
    expect(try result(.unary(Unary(.not)), x), [255, 254, 0])
    expect(try result(.unary(Unary(.not)), vector(.bool, [0, 1])), [1, 0])
  }

  /// Decimal expansions from Abramowitz and Stegun's tables, in f64 to one unit in the last place.
  @Test(arguments: [
    (UnaryFunction.exp, 1.0, 2.718281828459045),
    (.expm1, 1e-10, 1.00000000005e-10),
    (.softplus, 1, 1.3132616875182228),
    (.log, 2, 0.6931471805599453),
    (.log1p, 1e-10, 9.9999999995e-11),
    (.sqrt, 2, 1.4142135623730951),
    (.rsqrt, 4, 0.5),
    (.sin, 1, 0.8414709848078965),
    (.cos, 1, 0.5403023058681398),
    (.tanh, 0.5, 0.46211715726000973),
    (.sigmoid, 1, 0.7310585786300049),
    (.sigmoid, -700, 9.859676543759771e-305),
    (.erf, 0.5, 0.5204998778130465),
  ])
  func transcendentalFunctions(_ function: UnaryFunction, _ x: Double, _ expected: Double) throws {
    let y = try result(.unary(Unary(function)), vector(.f64, [x])).doubles()[0]
    #expect(abs(y - expected) <= expected.ulp)
    let single = try result(.unary(Unary(function)), vector(.f32, [x])).doubles()[0]
    let nearest = try result(.unary(Unary(function)), vector(.f64, [Double(Float(x))])).doubles()[0]
    #expect(single == Double(Float(nearest)))
  }

  @Test func edgesOfTranscendentalFunctions() throws {
    func at(_ function: UnaryFunction, _ x: Double...) throws -> Literal {
      try result(.unary(Unary(function)), vector(.f32, x))
    }
    expect(try at(.exp, -infinity, infinity, 89, -104, nan), [0, infinity, infinity, 0, nan])
    expect(try at(.log, 0, -1, infinity, 1), [-infinity, nan, infinity, 0])
    expect(try at(.log1p, -1, -2, -0.0), [-infinity, nan, -0.0])
    expect(try at(.sqrt, -1, -0.0, infinity), [nan, -0.0, infinity])
    expect(try at(.rsqrt, 0, -0.0, infinity, -1), [infinity, -infinity, 0, nan])
    expect(try at(.tanh, -infinity, infinity, -0.0, nan), [-1, 1, -0.0, nan])
    expect(try at(.sigmoid, -infinity, infinity, 0, nan), [0, 1, 0.5, nan])
    expect(try at(.erf, -infinity, infinity, 0, nan), [-1, 1, 0, nan])
    expect(try at(.sin, infinity, -0.0), [nan, -0.0])
    expect(try at(.cos, infinity, 0), [nan, 1])
    expect(try at(.expm1, -infinity, -0.0), [-1, -0.0])
  }
}

@Suite struct BinaryTests {
  @Test(arguments: floatTypes) func floatArithmetic(_ dtype: DType) throws {
    let x = vector(dtype, [7, -7, 0, 1, infinity])
    let y = vector(dtype, [2, 2, 0, 0, infinity])
    expect(try result(.binary(Binary(.add)), x, y), [9, -5, 0, 1, infinity])
    expect(try result(.binary(Binary(.subtract)), x, y), [5, -9, 0, 1, nan])
    expect(try result(.binary(Binary(.multiply)), x, y), [14, -14, 0, 0, infinity])
    expect(try result(.binary(Binary(.divide)), x, y), [3.5, -3.5, nan, infinity, nan])
    expect(try result(.binary(Binary(.remainder)), x, y), [1, -1, nan, nan, nan])
  }

  @Test func resultsAreRoundedToTheirType() throws {
    let tiny = try result(.binary(Binary(.add)), floats(1), floats(0x1p-24))
    expect(tiny, [1])
    let up = try result(.binary(Binary(.add)), floats(1), floats(0x1.8p-24))
    expect(up, [1 + 0x1p-23])
    let half = try result(.binary(Binary(.multiply)), vector(.f16, [300]), vector(.f16, [300]))
    expect(half, [infinity])
    let brain = try result(.binary(Binary(.add)), vector(.bf16, [256]), vector(.bf16, [1]))
    expect(brain, [256])
    let exact = try result(
      .binary(Binary(.add)), floats(1), floats(0x1p-24), precision: .double)
    #expect(exact.type.dtype == .f64)
    expect(exact, [1 + 0x1p-24])
  }

  @Test(arguments: floatTypes) func maximumAndMinimumKeepNaNAndOrderZeros(_ dtype: DType) throws {
    let x = vector(dtype, [1, nan, 1, -0.0, 0, -0.0])
    let y = vector(dtype, [2, 1, nan, 0, -0.0, -0.0])
    expect(try result(.binary(Binary(.maximum)), x, y), [2, nan, nan, 0, 0, -0.0])
    expect(try result(.binary(Binary(.minimum)), x, y), [1, nan, nan, -0.0, -0.0, -0.0])
  }

  @Test func powersOfFloats() throws {
    let x = floats(2, -8, 0, 0, nan, -1, 1)
    let y = floats(10, 3, 0, -1, 0, infinity, nan)
    expect(try result(.binary(Binary(.power)), x, y), [1024, -512, 1, infinity, 1, 1, 1])
    expect(try result(.binary(Binary(.power)), floats(-8), floats(0.5)), [nan])
  }

  @Test(arguments: signedTypes) func signedDivision(_ dtype: DType) throws {
    let least = -Double(sign: .plus, exponent: dtype.bitCount - 1, significand: 1)
    let x = vector(dtype, [7, -7, 7, -7, 5, 0, least, least])
    let y = vector(dtype, [2, 2, -2, -2, 0, 0, -1, 0])
    expect(try result(.binary(Binary(.divide)), x, y), [3, -3, -3, 3, -1, -1, least, -1])
    expect(try result(.binary(Binary(.remainder)), x, y), [1, -1, 1, -1, 5, 0, 0, least])
  }

  @Test(arguments: unsignedTypes) func unsignedDivision(_ dtype: DType) throws {
    let x = vector(dtype, [7, 200, 5])
    let y = vector(dtype, [2, 3, 0])
    let quotients = try result(.binary(Binary(.divide)), x, y)
    let all = Double(sign: .plus, exponent: dtype.bitCount, significand: 1) - 1
    expect(quotients, [3, 66, all])
    expect(try result(.binary(Binary(.remainder)), x, y), [1, 2, 5])
  }

  @Test func integersWrap() throws {
    let x = vector(.i8, [127, -128, 100])
    let y = vector(.i8, [1, -1, 3])
    expect(try result(.binary(Binary(.add)), x, y), [-128, 127, 103])
    expect(try result(.binary(Binary(.subtract)), x, y), [126, -127, 97])
    expect(try result(.binary(Binary(.multiply)), x, y), [127, -128, 44])
    expect(try result(.binary(Binary(.subtract)), vector(.u16, [0]), vector(.u16, [1])), [65535])
    let wide = Literal([2], [Int64.max, Int64.min])
    let sum = try result(.binary(Binary(.add)), wide, Literal([2], [1, -1] as [Int64]))
    #expect(sum.elements(as: Int64.self) == [Int64.min, Int64.max])
    let product = try result(.binary(Binary(.multiply)), wide, Literal([2], [2, 3] as [Int64]))
    #expect(product.elements(as: Int64.self) == [-2, Int64.min])
  }

  @Test func integerPowers() throws {
    let x = vector(.i32, [2, -3, 0, 0, 2, 1, -1, -1, 10, 0])
    let y = vector(.i32, [10, 3, 0, 5, -1, -9, -3, -2, 10, -1])
    // 10^10 modulo 2^32 is 1410065408.
    expect(
      try result(.binary(Binary(.power)), x, y), [1024, -27, 1, 0, 0, 1, -1, 1, 1410065408, 0])
    expect(try result(.binary(Binary(.power)), vector(.u8, [3]), vector(.u8, [255])), [171])
  }

  @Test func shifts() throws {
    let x = vector(.i8, [-128, -1, 64, 5])
    func shift(_ function: BinaryFunction, _ amount: Double) throws -> Literal {
      try result(.binary(Binary(function)), x, vector(.i8, [amount, amount, amount, amount]))
    }
    expect(try shift(.shiftLeft, 1), [0, -2, -128, 10])
    expect(try shift(.shiftRightArithmetic, 1), [-64, -1, 32, 2])
    expect(try shift(.shiftRightLogical, 1), [64, 127, 32, 2])
    for amount in [8.0, 100, -1] {
      expect(try shift(.shiftLeft, amount), [0, 0, 0, 0])
      expect(try shift(.shiftRightArithmetic, amount), [-1, -1, 0, 0])
      expect(try shift(.shiftRightLogical, amount), [0, 0, 0, 0])
    }
    let unsigned = vector(.u8, [128, 64])
    let arithmetic = BinaryFunction.shiftRightArithmetic
    expect(try result(.binary(Binary(arithmetic)), unsigned, vector(.u8, [1, 1])), [192, 32])
    expect(try result(.binary(Binary(arithmetic)), unsigned, vector(.u8, [9, 9])), [255, 0])
    let wide = Literal([2], [UInt64.max, 1 << 63])
    let amounts = Literal([2], [63, 64] as [UInt64])
    let right = try result(.binary(Binary(.shiftRightLogical)), wide, amounts)
    #expect(right.elements(as: UInt64.self) == [1, 0])
    let left = try result(.binary(Binary(.shiftLeft)), wide, amounts)
    #expect(left.elements(as: UInt64.self) == [1 << 63, 0])
  }

  @Test func bitsAndBools() throws {
    let (x, y) = (vector(.u8, [12, 255]), vector(.u8, [10, 1]))
    expect(try result(.binary(Binary(.and)), x, y), [8, 1])
    expect(try result(.binary(Binary(.or)), x, y), [14, 255])
    expect(try result(.binary(Binary(.xor)), x, y), [6, 254])
    let (a, b) = (vector(.bool, [0, 0, 1, 1]), vector(.bool, [0, 1, 0, 1]))
    expect(try result(.binary(Binary(.and)), a, b), [0, 0, 0, 1])
    expect(try result(.binary(Binary(.minimum)), a, b), [0, 0, 0, 1])
    expect(try result(.binary(Binary(.or)), a, b), [0, 1, 1, 1])
    expect(try result(.binary(Binary(.maximum)), a, b), [0, 1, 1, 1])
    expect(try result(.binary(Binary(.xor)), a, b), [0, 1, 1, 0])
  }

  @Test func illTypedOperandsAreRefused() {
    #expect(throws: Diagnostic.self) {
      try result(.binary(Binary(.add)), floats(1), vector(.i32, [1]))
    }
    #expect(throws: Diagnostic.self) { try result(.unary(Unary(.exp)), vector(.i32, [1])) }
  }
}

@Suite struct OtherElementwiseTests {
  @Test func comparisons() throws {
    let x = floats(1, 2, nan, -0.0, nan)
    let y = floats(2, 2, 1, 0, nan)
    expect(try result(.compare(Compare(.equal)), x, y), [0, 1, 0, 1, 0])
    expect(try result(.compare(Compare(.notEqual)), x, y), [1, 0, 1, 0, 1])
    expect(try result(.compare(Compare(.less)), x, y), [1, 0, 0, 0, 0])
    expect(try result(.compare(Compare(.lessEqual)), x, y), [1, 1, 0, 1, 0])
    expect(try result(.compare(Compare(.greater)), x, y), [0, 0, 0, 0, 0])
    expect(try result(.compare(Compare(.greaterEqual)), x, y), [0, 1, 0, 1, 0])
    let unsigned = try result(
      .compare(Compare(.less)), Literal([1], [UInt64.max]), Literal([1], [0] as [UInt64]))
    expect(unsigned, [0])
    let (a, b) = (vector(.bool, [0, 0, 1, 1]), vector(.bool, [0, 1, 0, 1]))
    expect(try result(.compare(Compare(.less)), a, b), [0, 1, 0, 0])
    expect(try result(.compare(Compare(.greaterEqual)), a, b), [1, 0, 1, 1])
  }

  @Test(arguments: DType.allCases) func select(_ dtype: DType) throws {
    let condition = vector(.bool, [1, 0])
    expect(
      try result(.select(Select()), condition, vector(dtype, [1, 1]), vector(dtype, [0, 0])),
      [1, 0])
  }

  @Test func clamp() throws {
    let low = floats(0, 0, 0, 3, nan)
    let x = floats(-1, 0.5, nan, 2, 1)
    let high = floats(1, 1, 1, 1, 1)
    expect(try result(.clamp(Clamp()), low, x, high), [0, 0.5, nan, 1, nan])
    let integers = try result(
      .clamp(Clamp()), vector(.i32, [-1, -1]), vector(.i32, [-5, 9]), vector(.i32, [4, 4]))
    expect(integers, [-1, 4])
  }

  @Test func floatToIntegerTruncatesAndSaturates() throws {
    let x = vector(.f32, [1.9, -1.9, 300, -300, nan, infinity, -infinity])
    func convert(_ dtype: DType) throws -> [Double] {
      try result(.convert(Convert(dtype)), x).doubles()
    }
    #expect(try convert(.i8) == [1, -1, 127, -128, 0, 127, -128])
    #expect(try convert(.u8) == [1, 0, 255, 0, 0, 255, 0])
    #expect(try convert(.i16) == [1, -1, 300, -300, 0, 32767, -32768])
    #expect(try convert(.bool) == [1, 1, 1, 1, 1, 1, 1])
    let wide = try result(.convert(Convert(.i64)), vector(.f64, [1e300, -1e300, 0x1p62]))
    #expect(wide.elements(as: Int64.self) == [.max, .min, 1 << 62])
    let unsigned = try result(.convert(Convert(.u64)), vector(.f64, [1e300, -1, 0x1p63]))
    #expect(unsigned.elements(as: UInt64.self) == [.max, 0, 1 << 63])
  }

  @Test func integerToFloatRoundsOnce() throws {
    // 2^62 + 2^38 is half-way between two f32; one more must round up, though f64 cannot hold it.
    let tie: Int64 = (1 << 62) + (1 << 38)
    let values = Literal([4], [tie, tie + 1, -tie - 1, Int64.max])
    let single = try result(.convert(Convert(.f32)), values).doubles()
    #expect(single == [0x1p62, 0x1p62 + 0x1p39, -0x1p62 - 0x1p39, 0x1p63])
    let brainTie: Int64 = (1 << 62) + (1 << 54)
    let brain = try result(
      .convert(Convert(.bf16)), Literal([2], [brainTie, brainTie + 1])
    ).doubles()
    #expect(brain == [0x1p62, 0x1p62 + 0x1p55])
    let half = try result(.convert(Convert(.f16)), vector(.i32, [2049, 2051, 70000])).doubles()
    #expect(half == [2048, 2052, .infinity])
    let unsigned = try result(.convert(Convert(.f32)), Literal([1], [UInt64.max])).doubles()
    #expect(unsigned == [0x1p64])
  }

  @Test func integersKeepTheirLowBits() throws {
    let x = vector(.i32, [257, -1, 128])
    expect(try result(.convert(Convert(.u8)), x), [1, 255, 128])
    expect(try result(.convert(Convert(.i8)), x), [1, -1, -128])
    expect(try result(.convert(Convert(.bool)), vector(.i32, [0, 2, -1])), [0, 1, 1])
    let wide = try result(.convert(Convert(.u64)), x)
    #expect(wide.elements(as: UInt64.self) == [257, .max, 128])
    expect(try result(.convert(Convert(.f32)), vector(.bool, [0, 1])), [0, 1])
  }

  @Test func floatToFloatRoundsToNearestEven() throws {
    let x = vector(.f64, [1 + 0x1p-24, 1 + 0x1.8p-23, 1e300, nan, 1 + 0x1p-8 + 0x1p-40])
    expect(try result(.convert(Convert(.f32)), x), [1, 1 + 0x1p-22, infinity, nan, 1 + 0x1p-8])
    expect(try result(.convert(Convert(.bf16)), x), [1, 1, infinity, nan, 1 + 0x1p-7])
  }
}
