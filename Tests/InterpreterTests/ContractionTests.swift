import GraphIR
import Interpreter
import Testing

@Suite struct DotTests {
  @Test(arguments: floatTypes + signedTypes + unsignedTypes)
  func matrixProduct(_ dtype: DType) throws {
    let x = literal(dtype, [2, 3], [1, 2, 3, 4, 5, 6])
    let y = literal(dtype, [3, 2], [1, 0, 2, 1, 0, 3])
    let product = try result(.dot(Dot(contracting: [[1], [0]])), x, y)
    expect(product, [2, 2], [5, 11, 14, 23])
    #expect(product.type.dtype == dtype)
  }

  @Test func otherDimensions() throws {
    let x = literal(.f32, [2, 3], [1, 2, 3, 4, 5, 6])
    let y = literal(.f32, [2, 3], [1, 0, 2, 1, 0, 3])
    // x^T y
    let transposed = try result(.dot(Dot(contracting: [[0], [0]])), x, y)
    expect(transposed, [3, 3], [5, 0, 14, 7, 0, 19, 9, 0, 24])
    let inner = try result(.dot(Dot(contracting: [[0, 1], [0, 1]])), x, y)
    expect(inner, [], [29])
    let rows = try result(.dot(Dot(batch: [[0], [0]], contracting: [[1], [1]])), x, y)
    expect(rows, [2], [7, 22])
    let outer = try result(.dot(Dot(contracting: [])), floats(1, 2), floats(3, 4, 5))
    expect(outer, [2, 3], [3, 4, 5, 6, 8, 10])
  }

  @Test func batchesStandInFront() throws {
    // x[k, b, i], y[b, j, k] with k = 2, b = 2, i = 1, j = 2
    let x = literal(.f32, [2, 2, 1], [1, 2, 3, 4])
    let y = literal(.f32, [2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8])
    let product = try result(.dot(Dot(batch: [[1], [0]], contracting: [[0], [2]])), x, y)
    // b = 0: x = (1, 3); y rows (1, 2), (3, 4). b = 1: x = (2, 4); y rows (5, 6), (7, 8).
    expect(product, [2, 1, 2], [7, 15, 34, 46])
  }

  @Test func emptySumsAndResults() throws {
    let empty = try result(
      .dot(Dot(contracting: [[1], [0]])), literal(.f32, [2, 0], []), literal(.f32, [0, 2], []))
    expect(empty, [2, 2], [0, 0, 0, 0])
    let none = try result(
      .dot(Dot(contracting: [[1], [0]])), literal(.f32, [0, 2], []),
      literal(.f32, [2, 2], [1, 2, 3, 4]))
    expect(none, [0, 2], [])
  }

  @Test func sumsAreWide() throws {
    // In f32 the ones would be lost beside 2^24, and in f16 the sum would pass its largest value.
    let x = floats(0x1p24, 1, 1, -0x1p24)
    let sum = try result(.dot(Dot(contracting: [[0], [0]])), x, floats(1, 1, 1, 1))
    expect(sum, [], [2])
    let half = vector(.f16, [60000, 60000, -60000])
    let ones = vector(.f16, [1, 1, 1])
    expect(try result(.dot(Dot(contracting: [[0], [0]])), half, ones), [], [60000])
    let bytes = vector(.i8, [100, 100])
    expect(try result(.dot(Dot(contracting: [[0], [0]])), bytes, bytes), [], [32])
  }
}

@Suite struct ConvolutionTests {
  @Test func oneDimension() throws {
    let x = literal(.f32, [1, 4, 1], [1, 2, 3, 4])
    let filter = literal(.f32, [3, 1, 1], [1, 10, 100])
    func convolve(_ op: Convolution) throws -> Literal { try result(.convolution(op), x, filter) }
    let plain = try convolve(Convolution(stride: [1], padding: [[0, 0]]))
    expect(plain, [1, 2, 1], [321, 432])
    let padded = try convolve(Convolution(stride: [1], padding: [[1, 1]]))
    expect(padded, [1, 4, 1], [210, 321, 432, 43])
    let strided = try convolve(Convolution(stride: [2], padding: [[1, 1]]))
    expect(strided, [1, 2, 1], [210, 432])
    let cut = try convolve(Convolution(stride: [1], padding: [[-1, 0]]))
    expect(cut, [1, 1, 1], [432])
    // 1 0 2 0 3 0 4
    let dilated = try convolve(
      Convolution(stride: [1], padding: [[0, 0]], inputDilation: [2]))
    expect(dilated, [1, 5, 1], [201, 20, 302, 30, 403])
    let spread = try convolve(
      Convolution(stride: [1], padding: [[2, 0]], kernelDilation: [2]))
    expect(spread, [1, 2, 1], [310, 420])
  }

  @Test func channelsAndGroups() throws {
    // Two pixels with two channels, a filter of one tap.
    let x = literal(.f32, [1, 2, 2], [1, 2, 3, 4])
    let filter = literal(.f32, [1, 2, 3], [1, 0, 2, 0, 1, 10])
    let mixed = try result(
      .convolution(Convolution(stride: [1], padding: [[0, 0]])), x, filter)
    expect(mixed, [1, 2, 3], [1, 2, 22, 3, 4, 46])
    let grouped = try result(
      .convolution(Convolution(stride: [1], padding: [[0, 0]], groups: 2)), x,
      literal(.f32, [1, 1, 4], [1, 10, 100, 1000]))
    expect(grouped, [1, 2, 4], [1, 10, 200, 2000, 3, 30, 400, 4000])
    let depthwise = try result(
      .convolution(Convolution(stride: [1], padding: [[0, 0]], groups: 2)), x,
      literal(.f32, [1, 1, 2], [10, 100]))
    expect(depthwise, [1, 2, 2], [10, 200, 30, 400])
  }

  @Test func paddingIsAZeroThatMultiplies() throws {
    let x = literal(.f32, [1, 1, 1], [5])
    let filter = literal(.f32, [3, 1, 1], [.infinity, 1, 2])
    let padded = try result(
      .convolution(Convolution(stride: [1], padding: [[1, 1]])), x, filter)
    expect(padded, [1, 1, 1], [.nan])
  }

  @Test func placesBetweenElementsTakePartInNoProduct() throws {
    let x = literal(.f32, [1, 2, 1], [5, 7])
    let filter = literal(.f32, [2, 1, 1], [2, .infinity])
    let dilated = try result(
      .convolution(Convolution(stride: [1], padding: [[0, 1]], inputDilation: [2])), x, filter)
    expect(dilated, [1, 3, 1], [10, .infinity, 14])
  }

  @Test func windowsThatDoNotFit() throws {
    let x = literal(.f32, [2, 2, 1], [1, 2, 3, 4])
    let filter = literal(.f32, [3, 1, 2], [1, 2, 3, 4, 5, 6])
    let none = try result(.convolution(Convolution(stride: [1], padding: [[0, 0]])), x, filter)
    expect(none, [2, 0, 2], [])
    let empty = try result(
      .convolution(Convolution(stride: [1], padding: [[2, 2]])), literal(.f32, [1, 0, 1], []),
      filter)
    expect(empty, [1, 2, 2], [0, 0, 0, 0])
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var input: [Int]
    var filter: [Int]
    var op: Convolution
    var testDescription: String { "\(input) \(filter) \(op)" }
  }

  /// Against the definition: an input with its zeros put in, and one sum for each result.
  @Test(arguments: [
    Case(
      input: [2, 5, 7, 4], filter: [3, 2, 4, 5],
      op: Convolution(stride: [2, 1], padding: [[1, 2], [0, 3]])),
    Case(
      input: [1, 6, 5, 6], filter: [2, 3, 2, 9],
      op: Convolution(
        stride: [1, 3], padding: [[-1, 2], [4, -2]], inputDilation: [2, 3],
        kernelDilation: [3, 1], groups: 3)),
    Case(
      input: [3, 4, 3, 2, 2], filter: [2, 1, 2, 1, 4],
      op: Convolution(
        stride: [1, 2, 1], padding: [[0, 1], [1, 0], [1, 1]], inputDilation: [1, 1, 2],
        kernelDilation: [2, 1, 1], groups: 2)),
    Case(
      input: [2, 4, 4, 5], filter: [3, 3, 1, 5],
      op: Convolution(stride: [1, 1], padding: [[1, 1], [1, 1]], groups: 5)),
  ])
  func definition(_ test: Case) throws {
    let x = literal(.i64, Shape(test.input), counting(test.input.reduce(1, *)))
    let filter = literal(.i64, Shape(test.filter), counting(test.filter.reduce(1, *)))
    let actual = try result(.convolution(test.op), x, filter)
    #expect(actual.doubles() == byDefinition(test, x, filter, actual.type.shape))
    #expect(actual.type.shape.elementCount > 0)
  }

  private func counting(_ count: Int) -> [Double] { (0..<count).map { Double($0 * 7 % 23 - 11) } }

  private func byDefinition(
    _ test: Case, _ x: Literal, _ filter: Literal, _ shape: Shape
  ) -> [Double] {
    let (x, f, op) = (x.doubles(), filter.doubles(), test.op)
    let spatial = test.input.count - 2
    let inputChannels = test.input[spatial + 1]
    let channels = test.filter[spatial + 1]
    let depth = inputChannels / op.groups
    /// The input with zeros between neighbours and around, at a place; nil counts as outside of all
    /// padding.
    func padded(_ image: Int, _ place: [Int], _ channel: Int) -> Double {
      var index = image
      for d in 0..<spatial {
        let p = place[d] - op.padding[d][0]
        if p < 0 || p % op.inputDilation[d] != 0 { return 0 }
        if p / op.inputDilation[d] >= test.input[d + 1] { return 0 }
        index = index * test.input[d + 1] + p / op.inputDilation[d]
      }
      return x[index * inputChannels + channel]
    }
    return indices(shape.extents).map { at in
      let o = at[spatial + 1]
      var sum = 0.0
      for tap in indices(Array(test.filter[..<spatial])) {
        let place = (0..<spatial).map {
          at[$0 + 1] * op.stride[$0] + tap[$0] * op.kernelDilation[$0]
        }
        let t = (0..<spatial).reduce(0) { $0 * test.filter[$1] + tap[$1] }
        for k in 0..<depth {
          let channel = o / (channels / op.groups) * depth + k
          sum += padded(at[0], place, channel) * f[(t * depth + k) * channels + o]
        }
      }
      return sum
    }
  }

  /// Every index of a shape in row-major order.
  private func indices(_ extents: [Int]) -> [[Int]] {
    extents.reduce([[]]) { prefixes, extent in
      prefixes.flatMap { prefix in (0..<extent).map { prefix + [$0] } }
    }
  }
}
