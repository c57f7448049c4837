import Compiler
import GraphIR
import TestSupport
import Testing

/// `parse(print(g)) == g`, for every kind of graph that we can think of.
@Suite struct RoundTripTests {
  @Test(arguments: GraphIR.Operation.Kind.allCases)
  func samplesRoundTrip(_ kind: GraphIR.Operation.Kind) throws {
    let samples = samples(of: kind)
    #expect(!samples.isEmpty)
    for sample in samples {
      let graph = try sample.graph()
      #expect(graph.nodes.map(\.operation.kind) == [kind])
      try graph.verify()
      let text = graph.text()
      #expect(try Graph.parse(text, file: "sample.mir") == graph, "\(text)")
      #expect(sample.inputs().map(\.type) == graph.inputs.map(\.type))
    }
  }

  @Test func samplesCoverEveryMnemonic() {
    let found = Set(allSamples().map(\.operation.mnemonic))
    #expect(Set(GraphIR.Operation.mnemonics).subtracting(found).isEmpty)
    #expect(found.subtracting(GraphIR.Operation.mnemonics).isEmpty)
  }

  @Test func randomGraphsRoundTrip() throws {
    var kinds: Set<GraphIR.Operation.Kind> = []
    for seed in 0..<300 as Range<UInt64> {
      let graph = try RandomGraph(seed: seed).make()
      try graph.verify()
      let text = graph.text()
      #expect(try Graph.parse(text, file: "random.mir") == graph, "seed \(seed):\n\(text)")
      #expect(try RandomGraph(seed: seed).make() == graph)
      #expect((5...80).contains(graph.nodes.count), "seed \(seed): \(graph.nodes.count) nodes")
      kinds.formUnion(graph.nodes.map(\.operation.kind))
    }
    #expect(kinds == Set(GraphIR.Operation.Kind.allCases))
  }

  @Test func textWithoutLocationsIsTheSameGraphWithoutThem() throws {
    let graph = try RandomGraph(seed: 5).make()
    let text = graph.text(locations: false)
    let parsed = try Graph.parse(text, file: "random.mir")
    #expect(!text.contains("loc("))
    #expect(parsed.text() == text)
    #expect(parsed.nodes.map(\.operation) == graph.nodes.map(\.operation))
    #expect(parsed.nodes.allSatisfy { $0.location == .unknown })
  }

  @Test(arguments: [
    Location(), Location(file: "a.swift", line: 3), Location(path: "encoder.layer2"),
    Location(file: "a \"b\"\n\\c\u{7}é.swift", line: 0, path: "x\ty"), Location(line: 4),
    Location(file: "", line: 1, path: ""), Location(line: -7, path: "p"), Location(file: ""),
  ])
  func locationsRoundTrip(_ location: Location) throws {
    var builder = GraphBuilder(name: "g")
    builder.location = location
    let x = builder.input("x", TensorType(.f32, [2]))
    let result = try builder.unary(.exp, x)
    let graph = try builder.finish([result])
    #expect(try Graph.parse(graph.text(), file: "f.mir") == graph)
  }

  @Test func interfacesRoundTrip() throws {
    let empty = try GraphBuilder(name: "empty").finish([Output]())
    #expect(try Graph.parse(empty.text(), file: "f.mir") == empty)

    var builder = GraphBuilder(name: "a.b-c/d_1")
    let x = builder.input("conv1.filter", TensorType(.i8, []), donatedTo: 1)
    let y = try builder.negate(x)
    // An input that comes after nodes is numbered among the inputs.
    let late = builder.input("late//name", TensorType(.bool, [0, 3]))
    let graph = try builder.finish([
      Output("f32", late), Output("next", y), Output("output2", x), Output("output0", x),
    ])
    #expect(graph.inputs.count == 2 && graph.definingNodeIndex(of: Value(2)) == 0)
    #expect(try Graph.parse(graph.text(), file: "f.mir") == graph)
  }

  @Test(arguments: DType.allCases)
  func everyBitPatternOfConstantsRoundTrips(_ dtype: DType) throws {
    guard dtype != .bool else { return }
    var generator = SplitMix64(seed: 3)
    for count in [1, 2, 64, 65, 300] {
      let type = TensorType(dtype, [count])
      let bytes = (0..<type.byteCount).map { _ in UInt8.random(in: 0...255, using: &generator) }
      let literal = try #require(Literal(type, bytes: bytes))
      var builder = GraphBuilder(name: "g")
      let result = try builder.constant(literal)
      let graph = try builder.finish([result])
      #expect(try Graph.parse(graph.text(), file: "f.mir") == graph)
    }
  }

  @Test func allBitPatternsOfSmallFloatsRoundTrip() throws {
    for dtype in [DType.f16, .bf16] {
      for start in stride(from: 0, to: 1 << 16, by: 64) {
        let bits = (start..<(start + 64)).map { UInt16($0) }
        let bytes = bits.withUnsafeBytes { Array($0) }
        let literal = try #require(Literal(TensorType(dtype, [64]), bytes: bytes))
        var builder = GraphBuilder(name: "g")
        let result = try builder.constant(literal)
        let graph = try builder.finish([result])
        #expect(try Graph.parse(graph.text(), file: "f.mir") == graph)
      }
    }
  }
}
