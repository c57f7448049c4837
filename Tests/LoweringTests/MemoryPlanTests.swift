import GraphIR
import Interpreter
import LoopIR
import Lowering
import Testing

/// Where buffers lie, and what planted faults do.
@Suite struct MemoryPlanTests {
  @Test func requestsThatLiveTogetherDoNotOverlap() {
    var generator = SplitMix64(seed: 3)
    for _ in 0..<200 {
      let requests = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
        let start = Int.random(in: 0...30, using: &generator)
        return ArenaRequest(
          bytes: Int.random(in: 1...5000, using: &generator),
          lifetime: start...start + Int.random(in: 0...8, using: &generator))
      }
      let plan = ArenaPlan.pack(requests)
      #expect(plan.bytes >= plan.lowerBound)
      for (i, a) in requests.enumerated() {
        #expect(plan.offsets[i] % 64 == 0 && plan.offsets[i] + a.bytes <= plan.bytes)
        for (j, b) in requests.enumerated() where i < j && a.lifetime.overlaps(b.lifetime) {
          let (x, y) = (plan.offsets[i], plan.offsets[j])
          #expect(x + a.bytes <= y || y + b.bytes <= x)
        }
      }
    }
  }

  @Test func aModelsArenaIsNearTheLowerBound() throws {
    for graph in [
      try lenetStep(batch: 64),
      try perceptronStep(batch: 64, inputs: 784, hidden: 256, classes: 10),
    ] {
      let program = try lower(graph)
      #expect(program.lowerBoundBytes > 0)
      #expect(Double(program.arenaBytes) <= 1.05 * Double(program.lowerBoundBytes))
      let separate = try lower(graph, options: LoweringOptions(forbidsReuse: true))
      #expect(separate.arenaBytes > program.arenaBytes)
    }
  }

  @Test func elementwiseResultsTakeOverTheirOperandsPlace() throws {
    let type = TensorType(.f32, [32, 32])
    let graph = try makeGraph([type, type]) { builder, x in
      let product = try builder.dot(x[0], x[1], contracting: [[1], [0]])
      let most = try builder.reduce(.max, product, dimensions: [0])
      let wide = try builder.broadcast(most, to: type.shape, dimensions: [1])
      let lowered = try builder.subtract(product, wide)
      return [try builder.dot(lowered, lowered, contracting: [[1], [1]])]
    }
    let program = try expectSame(graph, tolerance: 1e-4)
    #expect(program.launches.count == 4)
    #expect(program.arenaBytes == 4096 + 128, "\(program)")
  }

  @Test func theOldValueOfADonatedInputIsReadBeforeTheNewOneIsWritten() throws {
    var builder = GraphBuilder(name: "donated")
    let type = TensorType(.f32, [6, 6])
    let weight = builder.input("weight", type, donatedTo: 0)
    let x = builder.input("x", type)
    let updated = try builder.subtract(weight, x)
    let product = try builder.dot(x, weight, contracting: [[1], [0]])
    let both = try builder.dot(product, updated, contracting: [[1], [0]])
    let graph = try builder.finish([Output("new", updated), Output("product", both)])
    let program = try expectSame(graph, tolerance: 1e-5)
    #expect(program.outputs[0] == program.inputs[0])
    #expect(program.launches.count == 3)
  }

  @Test func valuesThatCannotBeUpdatedInPlaceAreCopiedAtTheEnd() throws {
    var builder = GraphBuilder(name: "swapped")
    let type = TensorType(.f32, [4, 4])
    let a = builder.input("a", type, donatedTo: 0)
    let b = builder.input("b", type, donatedTo: 1)
    let c = builder.input("c", type, donatedTo: 2)
    let d = builder.input("d", type, donatedTo: 3)
    let turned = try builder.transpose(c, [1, 0])
    let outputs = [
      Output("a.new", b), Output("b.new", a), Output("c.new", turned), Output("d.new", d),
    ]
    let program = try expectSame(builder.finish(outputs))
    #expect(program.outputs == program.inputs)
    let written = program.launches.flatMap { launch in
      zip(program.kernels[launch.kernel].parameters, launch.arguments).filter {
        $0.0.role != .input
      }
      .map(\.1)
    }
    #expect(!written.contains(program.inputs[3]), "what stays the same is not copied")
  }

  /// Four products and then their sums: each product's memory is free again before the next one is computed.
  @Test func whatFreesMemoryRunsEarly() throws {
    let type = TensorType(.f32, [64, 64])
    let graph = try makeGraph([TensorType](repeating: type, count: 5)) { builder, x in
      var products: [Value] = []
      for weight in x[1...] {
        products.append(try builder.dot(x[0], weight, contracting: [[1], [0]]))
      }
      return try products.map { try builder.reduce(.max, $0, dimensions: [0]) }
    }
    let program = try expectSame(graph, tolerance: 1e-4)
    #expect(program.launches.count == 8, "\(program)")
    #expect(program.arenaBytes == 64 * 64 * 4, "\(program)")
  }

  /// What is computed again reads what was kept, and is not computed together with what was computed before.
  @Test func noKernelReachesAcrossARecomputation() throws {
    func launches(_ name: String) throws -> Int {
      let graph = try makeGraph([TensorType(.f32, [32, 8])]) { builder, x in
        let kept = try builder.unary(.exp, x[0])
        let again = try builder.composite(name, [kept]) { _, inputs in inputs }
        let wide = try builder.transpose(again[0], [1, 0])
        return [
          try builder.reduce(.sum, kept, dimensions: [0, 1]),
          try builder.unary(.sin, builder.unary(.exp, again[0])),
          try builder.unary(.cos, wide), try builder.reshape(again[0], [16, 16]),
        ]
      }
      return try expectSame(graph, tolerance: 1e-4).launches.count
    }
    #expect(try launches("plain") < launches("recompute"))
  }

  @Test func anOverlapIsFound() throws {
    var program = try lower(perceptronStep(batch: 4, inputs: 6, hidden: 8, classes: 3))
    #expect(program.verifyMemory().isEmpty)
    for place in program.buffers.indices {
      if case .arena = program.buffers[place].placement {
        program.buffers[place].placement = .arena(offset: 0)
      }
    }
    #expect(!program.verifyMemory().isEmpty)
  }

  @Test func aLateReadOfADonatedInputIsFound() throws {
    var program = try lower(perceptronStep(batch: 4, inputs: 6, hidden: 8, classes: 3))
    let reader = try #require(
      program.launches.firstIndex { $0.values.contains(Value(8)) }, "who reads output.weight")
    program.launches.append(program.launches[reader])
    #expect(!program.verifyMemory().isEmpty)
  }

  @Test(arguments: PlantedFault.allCases.filter { ["fusion", "memory"].contains($0.stage) })
  func plantedFaultsChangeResults(_ fault: PlantedFault) throws {
    let graph = try lenetStep(batch: 2, size: 16, filters: (2, 3))
    var generator = SplitMix64(seed: 9)
    var inputs = graph.inputs.map { generator.literal($0.type) }
    inputs[inputs.count - 1] = .scalar(3, .f32)
    let expected = try interpret(graph, inputs)
    let program = try lower(graph, options: LoweringOptions(fault: fault))
    let found = try program.evaluate(inputs)
    let mismatches = zip(found, expected).compactMap { mismatch($0, $1, 1e-3) }
    #expect(!mismatches.isEmpty)
  }

  @Test func lenetTrainsAsTheInterpreterSays() throws {
    let graph = try lenetStep(batch: 2, size: 16, filters: (2, 3))
    var generator = SplitMix64(seed: 9)
    var inputs = graph.inputs.map { generator.literal($0.type) }
    for (place, input) in graph.inputs.enumerated() where input.name.hasSuffix(".v") {
      inputs[place] = Literal(input.type, doubles: inputs[place].doubles().map(abs))
    }
    inputs[inputs.count - 1] = .scalar(3, .f32)
    try expectSame(graph, inputs: inputs, tolerance: 1e-4)
  }
}
