import GraphIR
import Interpreter
import Testing

@Suite struct ReduceWindowTests {
  @Test(arguments: floatTypes + signedTypes + unsignedTypes) func images(_ dtype: DType) throws {
    // Two channels, side by side: 1 ... 9 and 9 ... 1.
    let x = literal(dtype, [1, 3, 3, 2], (1...9).flatMap { [Double($0), 10 - Double($0)] })
    let window = Window(size: [1, 2, 2, 1])
    let sums = try result(.reduceWindow(ReduceWindow(.sum, window: window)), x)
    expect(sums, [1, 2, 2, 2], [12, 28, 16, 24, 24, 16, 28, 12])
    let greatest = try result(.reduceWindow(ReduceWindow(.max, window: window)), x)
    expect(greatest, [1, 2, 2, 2], [5, 9, 6, 8, 8, 6, 9, 5])
    let least = try result(.reduceWindow(ReduceWindow(.min, window: window)), x)
    expect(least, [1, 2, 2, 2], [1, 5, 2, 4, 4, 2, 5, 1])
  }

  @Test func stridePaddingAndDilation() throws {
    let x = floats(1, 2, 3, 4, 5)
    func sums(_ window: Window) throws -> Literal {
      try result(.reduceWindow(ReduceWindow(.sum, window: window)), x)
    }
    expect(try sums(Window(size: [2], stride: [2])), [3, 7])
    expect(try sums(Window(size: [3], padding: [[1, 1]])), [3, 6, 9, 12, 9])
    expect(try sums(Window(size: [2], dilation: [3])), [5, 7])
    expect(try sums(Window(size: [3], stride: [3], padding: [[2, 1]], dilation: [2])), [4, 6])
    expect(try sums(Window(size: [6])), [])
  }

  /// Most of these windows lies outside: what they cover is found without looking at each tap.
  @Test func hugeWindows() throws {
    let far = 1 << 40
    func sums(_ window: Window) throws -> Literal {
      try result(.reduceWindow(ReduceWindow(.sum, window: window)), floats(1, 2, 3))
    }
    expect(try sums(Window(size: [far], padding: [[far - 1, 0]])), [1, 3, 6])
    expect(try sums(Window(size: [far], padding: [[0, far - 1]])), [6, 5, 3])
    expect(try sums(Window(size: [2], padding: [[far, 0]], dilation: [far])), [1, 2, 3])
    expect(try sums(Window(size: [3], stride: [far], padding: [[1, far]])), [3, 0])
  }

  /// Where one dimension has no window, those of the others are not listed.
  @Test func noWindowsAlongOneDimension() throws {
    let far = 1 << 38
    let window = Window(
      size: [1, 3], stride: [1, 1], padding: [[far, 0], [0, 0]], dilation: [1, 1])
    let x = literal(.f32, [2, 2], [1, 2, 3, 4])
    expect(try result(.reduceWindow(ReduceWindow(.sum, window: window)), x), [far + 2, 0], [])
  }

  @Test func paddingDoesNotCount() throws {
    func window(_ function: ReduceFunction, _ x: Literal) throws -> Literal {
      let padded = Window(size: [2], padding: [[1, 2]])
      return try result(.reduceWindow(ReduceWindow(function, window: padded)), x)
    }
    expect(try window(.max, floats(-3, -5)), [-3, -3, -5, -.infinity])
    expect(try window(.product, floats(3, 5)), [3, 15, 5, 1])
    expect(try window(.min, vector(.i8, [3, 5])), [3, 3, 5, 127])
    expect(try window(.max, vector(.u8, [3, 5])), [3, 5, 5, 0])
    expect(try window(.max, floats(.nan, 5)), [.nan, .nan, 5, -.infinity])
    expect(try window(.min, vector(.bool, [0, 1])), [0, 0, 1, 1])
    expect(try window(.max, vector(.bool, [0, 1])), [0, 1, 1, 0])
  }

  @Test func scalars() throws {
    let x = literal(.f32, [], [3])
    expect(try result(.reduceWindow(ReduceWindow(.sum, window: Window(size: []))), x), [], [3])
  }
}

@Suite struct ReduceWindowGradientTests {
  private func gradient(
    _ function: ReduceFunction, _ window: Window, _ x: Literal, _ gradient: Literal
  ) throws -> Literal {
    try result(.reduceWindowGradient(ReduceWindowGradient(function, window: window)), x, gradient)
  }

  @Test(arguments: floatTypes) func winnersGetTheGradient(_ dtype: DType) throws {
    let window = Window(size: [2, 2], stride: [2, 2])
    let x = literal(dtype, [2, 4], [1, 2, 5, 6, 4, 3, 8, 7])
    let g = literal(dtype, [1, 2], [10, 20])
    expect(try gradient(.max, window, x, g), [2, 4], [0, 0, 0, 0, 10, 0, 20, 0])
    expect(try gradient(.min, window, x, g), [2, 4], [10, 0, 20, 0, 0, 0, 0, 0])
  }

  @Test func overlappingWindowsAdd() throws {
    let x = floats(1, 5, 2, 3)
    let g = floats(1, 10, 100)
    expect(try gradient(.max, Window(size: [2]), x, g), [0, 11, 0, 100])
    expect(try gradient(.min, Window(size: [2]), x, g), [1, 0, 110, 0])
  }

  @Test func tiesGoToTheLowestIndex() throws {
    let window = Window(size: [2, 2])
    let same = literal(.f32, [2, 2], [7, 7, 7, 7])
    let g = literal(.f32, [1, 1], [3])
    expect(try gradient(.max, window, same, g), [2, 2], [3, 0, 0, 0])
    let zeros = floats(-0.0, 0)
    expect(try gradient(.max, Window(size: [2]), zeros, floats(3)), [3, 0])
    expect(try gradient(.min, Window(size: [2]), floats(0, -0.0), floats(3)), [3, 0])
  }

  @Test func theFirstNaNWins() throws {
    let x = floats(9, .nan, .nan)
    expect(try gradient(.max, Window(size: [3]), x, floats(3)), [0, 3, 0])
    expect(try gradient(.min, Window(size: [3]), x, floats(3)), [0, 3, 0])
  }

  @Test func paddingNeverWins() throws {
    let window = Window(size: [2], padding: [[1, 2]])
    let x = floats(-1, -2)
    expect(try gradient(.max, window, x, floats(1, 10, 100, 1000)), [11, 100])
  }
}
