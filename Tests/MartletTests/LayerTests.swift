import GraphIR
import Interpreter
import Martlet
import Testing

/// Layers: names, tying, modes, and values computed by hand.
@Suite struct LayerTests {
  struct Block: Layer {
    let inner: Dense
    let outer = Dense(3)
    init(_ units: Int) { inner = Dense(units, .relu) }
    func callAsFunction(_ x: Tensor) -> Tensor { x + outer(inner(x)) }
  }

  struct Scale: Layer {
    let gain = Parameter(.ones)
    func callAsFunction(_ x: Tensor) -> Tensor { x * gain([x.shape[-1]]) }
  }

  struct Model: Layer {
    let stem = Dense(3, bias: false)
    let blocks = [Block(4), Block(5)]
    let scale: Scale? = Scale()
    let tail = Sequential {
      Dropout(0.5)
      for units in [6, 7] { Dense(units) }
      Sequential(Dense(1), Activation.tanh)
    }
    func callAsFunction(_ x: Tensor) -> Tensor {
      let features = blocks.reduce(stem(x)) { $1($0) }
      return tail(scale.map { $0(features) } ?? features)
    }
  }

  /// The inputs of the graph of a model, but for the data.
  func parameters(_ model: some Layer, _ type: TensorType) throws -> [String: TensorType] {
    let trainer = try Trainer(model, loss: .meanSquaredError, optimizer: Adam())
    let example = ExampleSignature(
      input: TensorType(type.dtype, Shape(Array(type.shape.extents.dropFirst()))),
      label: TensorType(type.dtype, []))
    let graph = try trainer.predictionGraph(example, batch: type.shape[0]).graph
    return Dictionary(
      uniqueKeysWithValues: graph.inputs.filter { $0.name != "input" }.map { ($0.name, $0.type) })
  }

  @Test func parametersAreNamedByThePropertiesThatLeadToThem() throws {
    let found = try parameters(Model(), TensorType(.f32, [2, 8]))
    #expect(
      found == [
        "stem.weight": TensorType(.f32, [8, 3]),
        "blocks.0.inner.weight": TensorType(.f32, [3, 4]),
        "blocks.0.inner.bias": TensorType(.f32, [4]),
        "blocks.0.outer.weight": TensorType(.f32, [4, 3]),
        "blocks.0.outer.bias": TensorType(.f32, [3]),
        "blocks.1.inner.weight": TensorType(.f32, [3, 5]),
        "blocks.1.inner.bias": TensorType(.f32, [5]),
        "blocks.1.outer.weight": TensorType(.f32, [5, 3]),
        "blocks.1.outer.bias": TensorType(.f32, [3]),
        "scale.gain": TensorType(.f32, [3]),
        "tail.1.weight": TensorType(.f32, [3, 6]), "tail.1.bias": TensorType(.f32, [6]),
        "tail.2.weight": TensorType(.f32, [6, 7]), "tail.2.bias": TensorType(.f32, [7]),
        "tail.3.0.weight": TensorType(.f32, [7, 1]), "tail.3.0.bias": TensorType(.f32, [1]),
      ])
  }

  @Test func aModelThatIsASequentialHasNamesThatBeginWithALetter() throws {
    let found = try parameters(Sequential(Dense(2), Dense(1)), TensorType(.f64, [2, 8]))
    #expect(Set(found.keys) == ["layer0.weight", "layer0.bias", "layer1.weight", "layer1.bias"])
    #expect(found.values.allSatisfy { $0.dtype == .f64 })
  }

  struct Tied: Layer {
    let first: Dense
    let second: Dense
    init() {
      first = Dense(4)
      second = first
    }
    func callAsFunction(_ x: Tensor) -> Tensor { second(first(x)) }
  }

  @Test func aCopyIsTheSameLayer() throws {
    let found = try parameters(Tied(), TensorType(.f32, [2, 4]))
    #expect(
      found == ["first.weight": TensorType(.f32, [4, 4]), "first.bias": TensorType(.f32, [4])])
  }

  @Test func aTiedLayerNeedsOneSize() throws {
    do {
      _ = try parameters(Tied(), TensorType(.f32, [2, 7]))
      Issue.record("nothing was thrown")
    } catch {
      let diagnostic = try #require((error as? Diagnostics)?.all.first)
      #expect(diagnostic.message.contains("f32[7,4]") && diagnostic.message.contains("f32[4,4]"))
      #expect(diagnostic.location.path == "first")
    }
  }

  struct Forgetful: Layer {
    func callAsFunction(_ x: Tensor) -> Tensor { Dense(2)(x) }
  }

  @Test func aLayerOutsideOfTheModelIsRefused() {
    #expect(throws: Diagnostics.self) { try parameters(Forgetful(), TensorType(.f32, [2, 2])) }
  }

  @Test func nodesKnowTheLayerAndItsLine() throws {
    let line = #line + 1
    let layer = Conv2D(filters: 1, size: 2, activation: .gelu)
    let graph = try trace("g", ["x": TensorType(.f32, [1, 4, 4, 1])]) {
      ["y": layer($0["x"]).exp()]
    }
    let expected = Location(file: "MartletTests/LayerTests.swift", line: line, path: "conv2d")
    for node in graph.nodes.dropLast() { #expect(node.location == expected) }
    #expect(graph.nodes.last?.location == Location(file: expected.file, line: line + 2))
  }

  /// Runs a layer whose parameters count from 1.
  func run(_ layer: some Layer, _ input: Literal, mode: Mode = .inference) throws -> Literal {
    let graph = try trace("g", ["x": input.type], mode: mode) { ["y": layer($0["x"])] }
    let values = graph.inputs.map { value in
      value.name == "x"
        ? input
        : Literal(value.type, doubles: (0..<value.type.shape.elementCount).map { Double($0 + 1) })
    }
    return try interpret(graph, values)[0]
  }

  @Test func dense() throws {
    let y = try run(Dense(2), f32([1, 3], [1, 10, 100]))
    #expect(y == f32([1, 2], [531 + 1, 642 + 2]))
    #expect(
      try run(Dense(2, bias: false), f32([1, 3], [1, 10, 100])) == f32([1, 2], [531, 642]))
    #expect(try run(Dense(2, .relu), f32([1, 1], [-5])) == f32([1, 2], [0, 0]))
    #expect(try run(Dense(1), f32([1, 2, 1], [1, 2])) == f32([1, 2, 1], [2, 3]))
  }

  @Test func convolutionWithPaddings() throws {
    let image = f32([1, 3, 3, 1], [1, 2, 3, 4, 5, 6, 7, 8, 9])
    let valid = try run(Conv2D(filters: 1, size: 2, bias: false), image)
    // 1*1 + 2*2 + 4*3 + 5*4 = 37
    #expect(valid == f32([1, 2, 2, 1], [37, 47, 67, 77]))
    let same = try run(Conv2D(filters: 1, size: 2, padding: .same, bias: false), image)
    #expect(
      same.type.shape == [1, 3, 3, 1] && same.doubles()[8] == 9, "the odd element is put after")
    let strided = try run(
      Conv2D(filters: 1, size: 2, stride: 2, padding: .same, bias: false), image)
    #expect(strided == f32([1, 2, 2, 1], [37, 3 * 1 + 6 * 3, 7 * 1 + 8 * 2, 9]))
    let around = try run(
      Conv2D(filters: 1, size: 2, padding: .explicit(1), bias: false), image)
    #expect(around.type.shape == [1, 4, 4, 1] && around.doubles()[0] == 4)
    let dilated = try run(Conv2D(filters: 1, size: 2, dilation: 2, bias: false), image)
    #expect(dilated == f32([1, 1, 1, 1], [1 * 1 + 3 * 2 + 7 * 3 + 9 * 4]))
    let grouped = try run(
      Conv2D(filters: 2, size: 1, groups: 2), f32([1, 1, 1, 2], [10, 100]))
    #expect(grouped == f32([1, 1, 1, 2], [10 + 1, 200 + 2]))
  }

  @Test func pooling() throws {
    let image = f32([1, 3, 3, 1], [1, 2, 3, 4, 5, 6, 7, 8, -9])
    #expect(try run(MaxPool2D(size: 2), image) == f32([1, 1, 1, 1], [5]))
    #expect(try run(MaxPool2D(size: 2, stride: 1), image) == f32([1, 2, 2, 1], [5, 6, 8, 8]))
    #expect(
      try run(MaxPool2D(size: 2, padding: .same), image) == f32([1, 2, 2, 1], [5, 6, 8, -9]))
    #expect(try run(AvgPool2D(size: 2), image) == f32([1, 1, 1, 1], [3]))
    #expect(
      try run(AvgPool2D(size: 2, padding: .same), image) == f32([1, 2, 2, 1], [3, 4.5, 7.5, -9]))
    #expect(
      try run(AvgPool2D(size: [3, 1]), image).isClose(to: [4, 5, 0]))
    #expect(try run(Flatten(), image).type.shape == [1, 9])
  }

  @Test func dropoutActsInTrainingAlone() throws {
    let ones = f32([1000], [Float](repeating: 1, count: 1000))
    #expect(try run(Dropout(0.25), ones) == ones)
    let dropped = try run(Dropout(0.25), ones, mode: .training).doubles()
    let kept = dropped.filter { $0 != 0 }
    #expect(kept.allSatisfy { abs($0 - 4.0 / 3) < 1e-6 })
    // The standard deviation of the count is 13.7.
    #expect((680...820).contains(kept.count), "\(kept.count)")
    #expect(try run(Dropout(0), ones, mode: .training) == ones)
  }

  /// The textbook's form scales when it is used, and not in training.
  @Test func dropoutMayScaleInUse() throws {
    let ones = f32([1000], [Float](repeating: 1, count: 1000))
    let layer = Dropout(0.25, form: .scaledInUse)
    #expect(try run(layer, ones).doubles().allSatisfy { $0 == 0.75 })
    let dropped = try run(layer, ones, mode: .training).doubles()
    #expect(Set(dropped) == [0, 1])
    #expect((680...820).contains(dropped.count { $0 == 1 }))
  }

  @Test func spatialDropoutDropsWholeChannels() throws {
    let ones = f32([4, 3, 2, 50], [Float](repeating: 1, count: 1200))
    #expect(try run(SpatialDropout(0.25), ones) == ones)
    let dropped = try run(SpatialDropout(0.25), ones, mode: .training).doubles()
    for index in dropped.indices {
      let (image, channel) = (index / 300, index % 50)
      #expect(dropped[index] == dropped[image * 300 + channel], "pixels of a channel go together")
    }
    #expect(dropped.allSatisfy { $0 == 0 || abs($0 - 4.0 / 3) < 1e-6 })
    // 150 of 200 channels stay, with a standard deviation of 6.1.
    #expect((120...180).contains(dropped.count { $0 != 0 } / 6))
  }

  @Test func twoDropoutsDropDifferently() throws {
    let ones = f32([200], [Float](repeating: 1, count: 200))
    let layer = Dropout(0.5)
    let graph = try trace("g", ["x": ones.type], mode: .training) {
      ["a": layer($0["x"]), "b": layer($0["x"]), "c": Dropout(0.5)($0["x"])]
    }
    let state = Literal([2], [UInt64(3), 0])
    let values = try interpret(graph, graph.inputs.map { $0.name == "x" ? ones : state })
    #expect(Set(values).count == 3)
  }

  @Test func initializersFollowTheirPapers() throws {
    func values(_ initializer: Initializer, _ shape: Shape, _ seed: UInt64 = 1) -> [Double] {
      initializer.literal(TensorType(.f64, shape), path: "p", seed: seed).doubles()
    }
    func deviation(_ x: [Double]) -> Double {
      (x.map { $0 * $0 }.reduce(0, +) / Double(x.count)).squareRoot()
    }
    let shape: Shape = [100, 300]
    let bound = (6.0 / 400).squareRoot()
    let xavier = values(.xavier, shape)
    #expect(xavier.allSatisfy { abs($0) <= bound } && xavier.contains { $0 > 0.99 * bound })
    #expect(abs(deviation(xavier) / (bound / 3.0.squareRoot()) - 1) < 0.02)
    #expect(abs(deviation(values(.he, shape)) / (2.0 / 100).squareRoot() - 1) < 0.02)
    #expect(abs(deviation(values(.gaussian(standardDeviation: 0.5), shape)) / 0.5 - 1) < 0.02)
    #expect(abs(deviation(values(.he, [5, 5, 8, 16])) / (2.0 / 200).squareRoot() - 1) < 0.05)
    #expect(
      values(.ones, [2]) == [1, 1] && values(.zeros, [1]) == [0] && values(.constant(3), [1]) == [3]
    )
    for (initializer, variance) in [
      (Initializer.xavierNormal, 2.0 / 400), (.heUniform, 2.0 / 100), (.leCun, 1.0 / 100),
      (.uniform(bound: 0.3), 0.03), (.orthogonal(), 1.0 / 300),
    ] {
      let found = values(initializer, shape)
      #expect(abs(deviation(found) / variance.squareRoot() - 1) < 0.02, "\(initializer)")
    }
    #expect(values(.uniform(bound: 0.3), shape).allSatisfy { abs($0) <= 0.3 })
    #expect(values(.xavier, [3, 3]) == values(.xavier, [3, 3]))
    #expect(values(.xavier, [3, 3]) != values(.xavier, [3, 3], 2))
  }

  /// The shorter vectors of a matrix, its rows or its columns, have the length of the gain and are at right angles.
  @Test(arguments: [[4, 9], [9, 4], [3, 2, 5]])
  func orthogonalVectors(extents: [Int]) throws {
    let type = TensorType(.f64, Shape(extents))
    let values = Initializer.orthogonal(gain: 2).literal(type, path: "p", seed: 1).doubles()
    let columns = extents[extents.count - 1]
    let rows = values.count / columns
    func vector(_ index: Int) -> [Double] {
      rows < columns
        ? Array(values[index * columns..<(index + 1) * columns])
        : (0..<rows).map { values[$0 * columns + index] }
    }
    for i in 0..<min(rows, columns) {
      for j in 0..<min(rows, columns) {
        let product = zip(vector(i), vector(j)).map(*).reduce(0, +)
        #expect(abs(product - (i == j ? 4 : 0)) < 1e-14, "\(i), \(j)")
      }
    }
  }
}
