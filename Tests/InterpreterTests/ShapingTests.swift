import GraphIR
import Interpreter
import Testing

@Suite struct ShapingTests {
  /// The tensor `[[1, 2, 3], [4, 5, 6]]`.
  let matrix = literal(.f32, [2, 3], [1, 2, 3, 4, 5, 6])

  @Test(arguments: DType.allCases) func constantGivesItsLiteral(_ dtype: DType) throws {
    let data = literal(dtype, [2], [1, 0])
    #expect(try evaluate(.constant(Constant(data.type)), [], literal: data) == [data])
  }

  @Test func iotaCountsAlongOneDimension() throws {
    let type = TensorType(.i32, [2, 3])
    expect(try result(.iota(Iota(type, dimension: 1))), [2, 3], [0, 1, 2, 0, 1, 2])
    expect(try result(.iota(Iota(type, dimension: 0))), [2, 3], [0, 0, 0, 1, 1, 1])
    let bytes = try result(.iota(Iota(TensorType(.u8, [258]), dimension: 0))).doubles()
    #expect(bytes.suffix(3) == [255, 0, 1])
    // f16 holds 2048 and 2050; 2049 and 2051 are ties, which go to the even significand.
    let halves = try result(.iota(Iota(TensorType(.f16, [2052]), dimension: 0))).doubles()
    #expect(halves.suffix(4) == [2048, 2048, 2050, 2052])
  }

  @Test func reshapeKeepsTheOrder() throws {
    expect(try result(.reshape(Reshape(shape: [3, 2])), matrix), [3, 2], [1, 2, 3, 4, 5, 6])
    expect(try result(.reshape(Reshape(shape: [])), literal(.i8, [1, 1], [7])), [], [7])
  }

  @Test func broadcastRepeats() throws {
    let row = try result(
      .broadcast(Broadcast(shape: [2, 3], dimensions: [1])), floats(1, 2, 3))
    expect(row, [2, 3], [1, 2, 3, 1, 2, 3])
    let column = try result(
      .broadcast(Broadcast(shape: [2, 3], dimensions: [0])), floats(1, 2))
    expect(column, [2, 3], [1, 1, 1, 2, 2, 2])
    let one = try result(
      .broadcast(Broadcast(shape: [2, 3], dimensions: [0, 1])), literal(.f32, [2, 1], [1, 2]))
    expect(one, [2, 3], [1, 1, 1, 2, 2, 2])
    let scalar = try result(
      .broadcast(Broadcast(shape: [0, 2], dimensions: [])), literal(.f32, [], [1]))
    expect(scalar, [0, 2], [])
  }

  @Test func transposeMovesDimensions() throws {
    expect(
      try result(.transpose(Transpose(permutation: [1, 0])), matrix), [3, 2], [1, 4, 2, 5, 3, 6])
    let cube = literal(.i32, [2, 1, 3], [0, 1, 2, 3, 4, 5])
    let turned = try result(.transpose(Transpose(permutation: [2, 0, 1])), cube)
    expect(turned, [3, 2, 1], [0, 3, 1, 4, 2, 5])
  }

  @Test func sliceTakesEveryStrideth() throws {
    let part = try result(.slice(Slice(start: [0, 1], limit: [2, 3])), matrix)
    expect(part, [2, 2], [2, 3, 5, 6])
    let x = floats(0, 1, 2, 3, 4, 5, 6)
    expect(try result(.slice(Slice(start: [1], limit: [7], stride: [3])), x), [1, 4])
    expect(try result(.slice(Slice(start: [1], limit: [5], stride: [3])), x), [1, 4])
    expect(try result(.slice(Slice(start: [3], limit: [3])), x), [])
  }

  @Test func padSurroundsSeparatesAndCuts() throws {
    let x = floats(1, 2, 3)
    let nine = literal(.f32, [], [9])
    func pad(_ low: Int, _ high: Int, _ interior: Int) throws -> Literal {
      try result(.pad(Pad(low: [low], high: [high], interior: [interior])), x, nine)
    }
    expect(try pad(1, 2, 0), [9, 1, 2, 3, 9, 9])
    expect(try pad(0, 0, 2), [1, 9, 9, 2, 9, 9, 3])
    expect(try pad(-1, 1, 0), [2, 3, 9])
    expect(try pad(-1, -2, 1), [9, 2])
    expect(try pad(1, -4, 1), [9, 1])
    let none = try result(
      .pad(Pad(low: [1], high: [1], interior: [3])), literal(.f32, [0], []), nine)
    expect(none, [9, 9])
    let framed = try result(.pad(Pad(low: [1, 0], high: [0, -1])), matrix, nine)
    expect(framed, [3, 2], [9, 9, 1, 2, 4, 5])
  }

  @Test func concatenateJoins() throws {
    let more = literal(.f32, [2, 1], [7, 8])
    let wide = try result(.concatenate(Concatenate(dimension: 1)), matrix, more, matrix)
    expect(wide, [2, 7], [1, 2, 3, 7, 1, 2, 3, 4, 5, 6, 8, 4, 5, 6])
    let tall = try result(
      .concatenate(Concatenate(dimension: 0)), literal(.f32, [0, 3], []), matrix, matrix)
    expect(tall, [4, 3], [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6])
  }

  @Test func reverseTurnsDimensionsAround() throws {
    expect(try result(.reverse(Reverse(dimensions: [1])), matrix), [2, 3], [3, 2, 1, 6, 5, 4])
    expect(try result(.reverse(Reverse(dimensions: [0])), matrix), [2, 3], [4, 5, 6, 1, 2, 3])
    expect(try result(.reverse(Reverse(dimensions: [0, 1])), matrix), [2, 3], [6, 5, 4, 3, 2, 1])
    expect(try result(.reverse(Reverse(dimensions: [0])), literal(.f32, [0], [])), [])
  }

  @Test(arguments: DType.allCases) func shapingKeepsEveryType(_ dtype: DType) throws {
    let x = literal(dtype, [2, 2], [0, 1, 1, 0])
    let zero = literal(dtype, [], [0])
    let padded = try result(.pad(Pad(low: [1, 0], high: [0, 0])), x, zero)
    expect(padded, [3, 2], [0, 0, 0, 1, 1, 0])
    #expect(padded.type.dtype == dtype)
    let turned = try result(.transpose(Transpose(permutation: [1, 0])), x)
    #expect(turned == x)
  }
}
