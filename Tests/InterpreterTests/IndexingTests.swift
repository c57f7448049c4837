import GraphIR
import Interpreter
import Testing

@Suite struct GatherTests {
  /// The tensor `[[0, 1], [10, 11], [20, 21]]`.
  let table = literal(.f32, [3, 2], [0, 1, 10, 11, 20, 21])

  @Test(arguments: [DType.i32, .i64]) func rows(_ dtype: DType) throws {
    let rows = literal(dtype, [4, 1], [2, 0, -5, 9])
    let taken = try result(.gather(Gather(dimensions: [0])), table, rows)
    expect(taken, [4, 2], [20, 21, 0, 1, 0, 1, 20, 21])
  }

  @Test func columnsAndElements() throws {
    let columns = try result(
      .gather(Gather(dimensions: [1])), table, literal(.i32, [2, 1], [1, 0]))
    expect(columns, [2, 3], [1, 11, 21, 0, 10, 20])
    let elements = try result(
      .gather(Gather(dimensions: [0, 1])), table, literal(.i32, [1, 2, 2], [2, 1, 1, 0]))
    expect(elements, [1, 2], [21, 10])
    let one = try result(.gather(Gather(dimensions: [0])), table, vector(.i32, [1]))
    expect(one, [2], [10, 11])
  }

  @Test func batches() throws {
    // In each row, the elements that the same row of the indices names.
    let taken = try result(
      .gather(Gather(dimensions: [1], batch: 1)), table,
      literal(.i32, [3, 2, 1], [1, 1, 0, 1, 0, 7]))
    expect(taken, [3, 2], [1, 1, 10, 11, 20, 21])
  }

  @Test func nothing() throws {
    let none = try result(
      .gather(Gather(dimensions: [0])), table, literal(.i32, [0, 1], []))
    expect(none, [0, 2], [])
  }

  @Test(arguments: DType.allCases) func everyType(_ dtype: DType) throws {
    let x = vector(dtype, [0, 1])
    let taken = try result(
      .gather(Gather(dimensions: [0])), x, literal(.i64, [3, 1], [1, 0, 1]))
    expect(taken, [1, 0, 1])
    #expect(taken.type.dtype == dtype)
  }
}

@Suite struct ScatterTests {
  private func scatter(_ function: ScatterFunction, _ dtype: DType, _ updates: [Double]) throws
    -> Literal
  {
    // Element 1 twice, then two that are out of range, then element 3.
    try result(
      .scatter(Scatter(function, dimensions: [0])), vector(dtype, [1, 2, 3, 4]),
      literal(.i32, [5, 1], [1, 1, -1, 4, 3]), vector(dtype, updates))
  }

  @Test(arguments: floatTypes + signedTypes) func combinations(_ dtype: DType) throws {
    expect(try scatter(.assign, dtype, [5, 6, 7, 8, 9]), [1, 6, 3, 9])
    expect(try scatter(.sum, dtype, [5, 6, 7, 8, 9]), [1, 13, 3, 13])
    expect(try scatter(.product, dtype, [5, 6, 7, 8, 9]), [1, 60, 3, 36])
    expect(try scatter(.max, dtype, [-5, 6, 7, 8, -9]), [1, 6, 3, 4])
    expect(try scatter(.min, dtype, [-5, 6, 7, 8, -9]), [1, -5, 3, -9])
  }

  @Test func edges() throws {
    expect(try scatter(.max, .f32, [.nan, 6, 0, 0, 5]), [1, .nan, 3, 5])
    expect(try scatter(.sum, .i8, [100, 100, 0, 0, 127]), [1, -54, 3, -125])
    expect(try scatter(.sum, .f32, [0x1p24, 1, 0, 0, 0]), [1, 0x1p24 + 4, 3, 4])
    let bools = try result(
      .scatter(Scatter(.max, dimensions: [0])), vector(.bool, [0, 1]),
      literal(.i32, [2, 1], [0, 1]), vector(.bool, [1, 0]))
    expect(bools, [1, 1])
  }

  @Test func slicesAndBatches() throws {
    let x = literal(.f32, [2, 3], [1, 2, 3, 4, 5, 6])
    let rows = try result(
      .scatter(Scatter(.sum, dimensions: [0])), x, literal(.i32, [2, 1], [1, 1]),
      literal(.f32, [2, 3], [10, 20, 30, 100, 200, 300]))
    expect(rows, [2, 3], [1, 2, 3, 114, 225, 336])
    let columns = try result(
      .scatter(Scatter(.sum, dimensions: [1])), x, literal(.i32, [1, 1], [2]),
      literal(.f32, [1, 2], [10, 20]))
    expect(columns, [2, 3], [1, 2, 13, 4, 5, 26])
    let batches = try result(
      .scatter(Scatter(.assign, dimensions: [1], batch: 1)), x, literal(.i64, [2, 1, 1], [0, 2]),
      literal(.f32, [2, 1], [10, 20]))
    expect(batches, [2, 3], [10, 2, 3, 4, 5, 20])
  }

  @Test func intoNothing() throws {
    let none = try result(
      .scatter(Scatter(.assign, dimensions: [0])), literal(.f32, [0], []),
      literal(.i32, [1, 1], [0]), floats(1))
    expect(none, [])
  }
}
