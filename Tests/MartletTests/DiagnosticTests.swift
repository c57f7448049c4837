import GraphIR
import Martlet
import Testing

/// A user's mistake is told with both shapes and the user's line, and never traps.
@Suite struct DiagnosticTests {
  @Test func anOperatorNamesBothOperandsAndTheirLines() throws {
    do {
      let shape: TensorType = TensorType(.f32, [2, 3])
      _ = try trace("g", ["x": shape]) { inputs in
        let left = inputs["x"].exp(); let leftLine = #line
        let right = inputs["x"].transposed(); let rightLine = #line
        lines = (leftLine, rightLine)
        return ["y": left + right]
      }
      Issue.record("nothing was thrown")
    } catch {
      let diagnostic = try #require(error.all.first)
      #expect(diagnostic.code == .shapeMismatch)
      #expect(diagnostic.message.contains("[2,3]") && diagnostic.message.contains("[3,2]"))
      #expect(diagnostic.location.file == "MartletTests/DiagnosticTests.swift")
      #expect(diagnostic.notes[0].contains("DiagnosticTests.swift:\(lines.0)"))
      #expect(diagnostic.notes[1].contains("DiagnosticTests.swift:\(lines.1)"))
    }
  }

  @Test func aMethodNamesItsLine() {
    var line = 0
    let found = problems([TensorType(.f32, [2, 3]), TensorType(.f32, [2, 3])]) { x in
      line = #line; return x[0].matmul(x[1])
    }
    #expect(found.count == 1)
    #expect(
      found.first?.location == Location(file: "MartletTests/DiagnosticTests.swift", line: line))
    #expect(found.first?.message == "matmul: the shapes [2,3] and [2,3] do not fit")
  }

  @Test func everyMistakeIsToldAndWhatFollowsIsNot() {
    let found = problems([TensorType(.f32, [2, 3]), TensorType(.i32, [2, 3])]) { x in
      let wrongType = x[0] + x[1]
      let wrongShape = x[0].reshaped(to: [4])
      return ((wrongType * 2).exp() + wrongShape).sum(7).softmax(3).flattened()[5]
    }
    #expect(found.map(\.code) == [.typeMismatch, .shapeMismatch])
  }

  static let mistakes: [(String, @Sendable ([Tensor]) -> Tensor)] = [
    ("axis", { $0[0].sum(2) }), ("axes twice", { $0[0].sum(0, -2) }),
    ("axis of softmax", { $0[0].softmax(-3) }), ("argmax", { $0[0].argmax(5) }),
    ("dimension", { $0[0] * Tensor(Double($0[0].shape[9])) }),
    ("reshape", { $0[0].reshaped(to: [-1, -1]) }), ("reshape", { $0[0].reshaped(to: [-1, 4]) }),
    ("reshape", { $0[0].reshaped(to: [Int.max, Int.max]) }),
    ("reshape", { $0[0].reshaped(to: [-6]) }),
    ("broadcast", { $0[0].broadcast(to: [3, 2]) }),
    ("broadcast", { $0[0].broadcast(to: [-1, 3]) }),
    ("slice", { $0[0].sliced(1..<9) }), ("slice", { $0[0].sliced(0..<1, stride: 0) }),
    ("index", { $0[0][2] }), ("index", { $0[0][-3] }), ("index", { $0[0][Int.max] }),
    ("index", { $0[0][Int.min] }), ("scalar's index", { $0[0].sum()[0] }),
    ("expand", { $0[0].expanded(at: 7) }), ("permutation", { $0[0].transposed([0, 0]) }),
    ("permutation", { $0[0].transposed([5, 0]) }),
    ("scalar's transpose", { $0[0].sum().transposed() }),
    ("concatenate nothing", { _ in .concatenated([]) }),
    ("concatenate", { .concatenated([$0[0], $0[0].transposed()]) }),
    ("concatenate", { .concatenated([$0[0]], axis: 4) }),
    ("pad", { $0[0].padded(low: [1], high: [1]) }),
    ("pad", { $0[0].padded(low: [-9, 0], high: [0, 0]) }),
    ("reverse", { $0[0].reversed(axes: [0, 0]) }), ("gather", { $0[0].gathered(at: $0[0]) }),
    ("1.5 as i32", { $0[1] + 1.5 }), ("dtypes", { $0[0] + $0[1] }), ("exp of i32", { $0[1].exp() }),
    ("mean of i32", { $0[1].mean() }), ("not of f32", { ~$0[0] }),
    ("and of f32", { $0[0] & $0[0] }),
    ("select by f32", { $0[0].select($0[0], otherwise: $0[0]) }),
    ("select", { $0[0].isLess(than: 1).select($0[0].transposed(), otherwise: $0[0]) }),
    ("matmul of vectors", { $0[0][0].matmul($0[0]) }), ("iota", { _ in .iota([2], axis: 1) }),
    ("iota", { _ in .iota([-2]) }), ("filled", { _ in .filled(1.5, [2], .i32) }),
    ("convolution", { $0[0].convolved(with: $0[0]) }),
    ("labels", { $0[0].softmaxCrossEntropy(labels: $0[0]) }),
    ("labels", { $0[0].softmaxCrossEntropy(labels: $0[1][0]) }),
    ("Dense of no unit", { Dense(0)($0[0]) }), ("Dense of i32", { Dense(2)($0[1]) }),
    ("Dense of a vector", { Dense(2)($0[0][0]) }),
    ("Dense of very many", { Dense(1 << 48)($0[0]) }),
    ("Conv2D of a matrix", { Conv2D(filters: 2, size: 3)($0[0]) }),
    (
      "Conv2D stride", { Conv2D(filters: 2, size: 3, stride: 0)($0[0].reshaped(to: [1, 2, 3, 1])) }
    ),
    (
      "Conv2D groups", { Conv2D(filters: 2, size: 1, groups: 3)($0[0].reshaped(to: [1, 1, 2, 3])) }
    ),
    ("MaxPool2D", { MaxPool2D(size: 0)($0[0].reshaped(to: [1, 2, 3, 1])) }),
    ("AvgPool2D", { AvgPool2D(size: 2)($0[0]) }), ("Dropout", { Dropout(1)($0[0]) }),
    ("convolution", { image($0).convolved(with: filter, padding: [[.max, .max], [0, 0]]) }),
    ("convolution", { image($0).convolved(with: filter, padding: [[1], [0, 0]]) }),
    ("convolution", { image($0).convolved(with: filter, stride: [0, 1]) }),
    ("convolution", { image($0).convolved(with: filter, dilation: [1, -1]) }),
    ("convolution", { image($0).convolved(with: filter, groups: 0) }),
    ("Conv2D of no filter", { Conv2D(filters: 0, size: 1)(image($0)) }),
    ("Conv2D of very many filters", { Conv2D(filters: .max, size: 1, bias: false)(image($0)) }),
    ("Conv2D of size 0", { Conv2D(filters: 1, size: 0)(image($0)) }),
    ("Conv2D of three sizes", { Conv2D(filters: 1, size: [1, 1, 1])(image($0)) }),
    ("Conv2D of stride -1", { Conv2D(filters: 1, size: 1, stride: -1)(image($0)) }),
    ("Conv2D of dilation 0", { Conv2D(filters: 1, size: 1, dilation: 0)(image($0)) }),
    ("Conv2D with padding -1", { Conv2D(filters: 1, size: 1, padding: .explicit(-1))(image($0)) }),
    ("Conv2D of no groups", { Conv2D(filters: 1, size: 1, groups: 0)(image($0)) }),
    ("Conv2D larger than the image", { Conv2D(filters: 1, size: 3)(image($0)) }),
    ("Conv of four dimensions", { Conv<FourDimensions>(filters: 1, size: 1)(image($0)) }),
    ("Conv of no dimension", { Conv<NoDimension>(filters: 1, size: 1)(image($0)) }),
    ("DepthwiseConv2D", { DepthwiseConv2D(size: 1, multiplier: 0)(image($0)) }),
    ("DepthwiseConv2D", { DepthwiseConv2D(size: 1, multiplier: .max, bias: false)(image($0)) }),
    ("ConvTranspose2D", { ConvTranspose2D(filters: 0, size: 1)(image($0)) }),
    ("ConvTranspose2D", { ConvTranspose2D(filters: 1, size: 1, outputPadding: 1)(image($0)) }),
    ("ConvTranspose2D", { ConvTranspose2D(filters: 1, size: 1, padding: 2)(image($0)) }),
    ("MaxPool2D larger than the image", { MaxPool2D(size: 3)(image($0)) }),
    ("MaxPool2D of padding alone", { MaxPool2D(size: 2, padding: .explicit(2))(image($0)) }),
    ("AvgPool2D of another rank", { AvgPool2D(size: 1, padding: .same)($0[0]) }),
    ("AdaptivePool", { AdaptivePool(.max, to: 0)(image($0)) }),
    ("AdaptivePool", { AdaptivePool(.average, to: [1, 2, 3])(image($0)) }),
    ("Upsample", { Upsample(by: 0)(image($0)) }), ("Upsample", { Upsample(by: -2)(image($0)) }),
    ("BatchNorm", { BatchNorm(epsilon: -1)($0[0]) }),
    ("BatchNorm", { BatchNorm(momentum: 2)($0[0]) }),
    ("LayerNorm", { LayerNorm(epsilon: .nan)($0[0]) }),
    ("GroupNorm", { GroupNorm(groups: 0)($0[0]) }),
    ("GroupNorm", { GroupNorm(groups: 2)($0[0]) }), ("RMSNorm", { RMSNorm(epsilon: -1)($0[0]) }),
    ("InstanceNorm", { InstanceNorm(epsilon: -1)(image($0)) }),
    ("LocalResponseNorm", { LocalResponseNorm(size: 0)($0[0]) }),
    ("Dropout", { Dropout(-0.1)($0[0]) }), ("Dropout", { Dropout(.nan)($0[0]) }),
    ("SpatialDropout", { SpatialDropout(0.5)($0[0]) }),
    ("Embedding of nothing", { Embedding(0, features: 2)($0[1]) }),
    ("Embedding of integers", { Embedding(2, features: 2, dtype: .i32)($0[1]) }),
    ("Maxout", { Maxout(0)($0[0]) }), ("Maxout", { Maxout(1, pieces: 0)($0[0]) }),
    ("Maxout", { Maxout(.max, pieces: 2)($0[0]) }), ("PReLU", { PReLU()($0[1]) }),
    ("no branches", { Branches()($0[0]) }),
    ("attention", { MultiHeadAttention(features: 3, heads: 0)($0[0].expanded(at: 0)) }),
    ("pad", { $0[0].padded(low: [.max, 0], high: [.max, 0]) }),
    ("slice", { $0[0].sliced(0..<2, stride: -1) }), ("iota", { _ in .iota([.max, .max]) }),
    ("permutation", { $0[0].transposed([.min, .max]) }), ("sum", { $0[0].sum(.min, .max) }),
    ("composite", { x in .composite("c", [x[0]]) { y in y[0] + x[0].exp() } }),
    ("foreign", { _ in foreign }), ("parameter", { _ in Parameter()([-1]) }),
    ("parameter in a composite", { .composite("c", [$0[0]]) { $0[0] + Parameter(.ones)([3]) } }),
  ]

  enum FourDimensions: SpatialRank { static var count: Int { 4 } }
  enum NoDimension: SpatialRank { static var count: Int { -1 } }

  /// The first input as an image of 2x3 pixels, and a filter for it.
  static func image(_ inputs: [Tensor]) -> Tensor { inputs[0].reshaped(to: [1, 2, 3, 1]) }
  static var filter: Tensor { .filled(1, [1, 1, 1, 1]) }

  @Test(arguments: mistakes.indices)
  func aMistakeIsTold(index: Int) throws {
    let (name, body) = DiagnosticTests.mistakes[index]
    let found = problems([TensorType(.f32, [2, 3]), TensorType(.i32, [2, 3])]) { inputs in
      body(inputs.map { $0.maximum($0) })
    }
    #expect(found.count == 1, "\(name): \(found)")
    let location = try #require(found.first?.location)
    #expect(
      location.file == "MartletTests/DiagnosticTests.swift"
        || location.file == "MartletTests/Support.swift", "\(name): \(location)")
    #expect(location.line > 0)
  }

  /// A tensor of a trace that has ended.
  static var foreign: Tensor {
    nonisolated(unsafe) var kept = Tensor(0)
    _ = try? trace("other", ["x": TensorType(.f32, [1])]) {
      kept = $0["x"]
      return ["y": kept]
    }
    return kept
  }

  @Test func outsideOfATraceAnOperationSaysSo() throws {
    let x = Tensor(1) + Tensor(2)
    #expect(x.diagnostic?.code == .argument)
    #expect(x.exp().diagnostic == x.diagnostic)
    #expect(Dense(3)(Tensor(1)).diagnostic != nil)
    #expect(x.shape[3] == 1 && x.rank == 0 && x.type == nil)
    #expect(problems([]) { _ in x }.first?.message == x.diagnostic?.message)
    #expect(problems([]) { _ in x * 2 }.count == 1)
  }

  @Test func anUnknownInputIsTold() {
    #expect(throws: Diagnostics.self) {
      try trace("g", ["x": TensorType(.f32, [1])]) { ["y": $0["z"] + $0[4]] }
    }
  }
}

nonisolated(unsafe) private var lines = (0, 0)
