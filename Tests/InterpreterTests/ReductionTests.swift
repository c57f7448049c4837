import GraphIR
import Interpreter
import Testing

@Suite struct ReduceTests {
  /// The tensor `[[1, 2, 3], [4, 5, 6]]`.
  private func matrix(_ dtype: DType) -> Literal { literal(dtype, [2, 3], [1, 2, 3, 4, 5, 6]) }

  @Test(arguments: floatTypes + signedTypes + unsignedTypes)
  func alongDimensions(_ dtype: DType) throws {
    let x = matrix(dtype)
    expect(try result(.reduce(Reduce(.sum, dimensions: [0])), x), [3], [5, 7, 9])
    expect(try result(.reduce(Reduce(.sum, dimensions: [1])), x), [2], [6, 15])
    expect(try result(.reduce(Reduce(.sum, dimensions: [0, 1])), x), [], [21])
    expect(try result(.reduce(Reduce(.sum, dimensions: [])), x), [2, 3], [1, 2, 3, 4, 5, 6])
    expect(try result(.reduce(Reduce(.product, dimensions: [1])), x), [2], [6, 120])
    expect(try result(.reduce(Reduce(.max, dimensions: [0])), x), [3], [4, 5, 6])
    expect(try result(.reduce(Reduce(.min, dimensions: [1])), x), [2], [1, 4])
  }

  @Test func middleDimension() throws {
    let x = literal(.i32, [2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8])
    expect(try result(.reduce(Reduce(.sum, dimensions: [1])), x), [2, 2], [4, 6, 12, 14])
    expect(try result(.reduce(Reduce(.sum, dimensions: [0, 2])), x), [2], [14, 22])
  }

  @Test func ofNothing() throws {
    func empty(_ function: ReduceFunction, _ dtype: DType) throws -> [Double] {
      try result(.reduce(Reduce(function, dimensions: [1])), literal(dtype, [2, 0], [])).doubles()
    }
    #expect(try empty(.sum, .f32) == [0, 0])
    #expect(try empty(.product, .i8) == [1, 1])
    #expect(try empty(.max, .f16) == [-.infinity, -.infinity])
    #expect(try empty(.min, .f32) == [.infinity, .infinity])
    #expect(try empty(.max, .i8) == [-128, -128])
    #expect(try empty(.min, .i16) == [32767, 32767])
    #expect(try empty(.max, .u8) == [0, 0])
    #expect(try empty(.min, .u8) == [255, 255])
    #expect(try empty(.max, .bool) == [0, 0])
    #expect(try empty(.min, .bool) == [1, 1])
  }

  @Test func edges() throws {
    func whole(_ function: ReduceFunction, _ x: Literal) throws -> Literal {
      try result(.reduce(Reduce(function, dimensions: [0])), x)
    }
    expect(try whole(.max, floats(1, .nan, 3)), [], [.nan])
    expect(try whole(.min, floats(1, .nan, 3)), [], [.nan])
    expect(try whole(.max, floats(-0.0, 0, -0.0)), [], [0])
    expect(try whole(.min, floats(0, -0.0, 0)), [], [-0.0])
    expect(try whole(.sum, floats(.infinity, -.infinity)), [], [.nan])
    expect(try whole(.sum, vector(.i8, [100, 100, 1])), [], [-55])
    expect(try whole(.product, vector(.u8, [16, 16, 3])), [], [0])
    // Wider than the dtype: the ones are not lost beside 2^24, the halves do not overflow on the
    // way.
    expect(try whole(.sum, floats(0x1p24, 1, 1, -0x1p24)), [], [2])
    expect(try whole(.sum, vector(.f16, [60000, 60000, -60000])), [], [60000])
    expect(try whole(.max, vector(.bool, [0, 1, 0])), [], [1])
    expect(try whole(.min, vector(.bool, [1, 1, 0])), [], [0])
  }
}

@Suite struct ArgReduceTests {
  private func find(_ function: ArgReduceFunction, _ x: Literal) throws -> Double {
    try result(.argReduce(ArgReduce(function, dimension: 0)), x).doubles()[0]
  }

  @Test func alongDimensions() throws {
    let x = literal(.f32, [2, 3], [1, 9, 3, 4, 5, 6])
    let columns = try result(.argReduce(ArgReduce(.argmax, dimension: 0)), x)
    expect(columns, [3], [1, 0, 1])
    #expect(columns.type.dtype == .i32)
    let rows = try result(.argReduce(ArgReduce(.argmin, dimension: 1, dtype: .i64)), x)
    expect(rows, [2], [0, 0])
    #expect(rows.type.dtype == .i64)
  }

  @Test(arguments: DType.allCases) func tiesTakeTheLowestIndex(_ dtype: DType) throws {
    #expect(try find(.argmax, vector(dtype, [0, 1, 0, 1])) == 1)
    #expect(try find(.argmin, vector(dtype, [1, 0, 1, 0])) == 1)
  }

  @Test func theFirstNaNIsTheExtreme() throws {
    #expect(try find(.argmax, floats(5, .nan, .infinity, .nan)) == 1)
    #expect(try find(.argmin, floats(5, .nan, -.infinity, .nan)) == 1)
    #expect(try find(.argmax, floats(.nan, 1)) == 0)
  }

  @Test func zerosAreEqual() throws {
    #expect(try find(.argmax, floats(-0.0, 0)) == 0)
    #expect(try find(.argmin, floats(0, -0.0)) == 0)
  }

  @Test func extremesThatNoOtherElementBeats() throws {
    #expect(try find(.argmax, floats(-.infinity, -.infinity)) == 0)
    #expect(try find(.argmax, vector(.i8, [-128, -127])) == 1)
    #expect(try find(.argmax, Literal([2], [1, UInt64.max])) == 1)
  }
}
