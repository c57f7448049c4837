import GraphIR
import Martlet
import Testing

/// Computations that a user compiles without a trainer.
@Suite struct CompileTests {
  let x = TensorType(.f32, [2, 2])

  @Test func aComputationRunsOnNumbers() throws {
    let function = try compile(["x": x, "y": x], backend: InterpreterBackend()) {
      ["sum": $0["x"] + $0["y"], "rows": $0[0].sum(1)]
    }
    for scale: Float in [1, 2] {
      let outputs = try function([
        "x": f32([2, 2], [1, 2, 3, 4].map { $0 * scale }), "y": f32([2, 2], [1, 1, 1, 1]),
      ])
      #expect(outputs["sum"] == f32([2, 2], [1, 2, 3, 4].map { $0 * scale + 1 }))
      #expect(outputs["rows"] == f32([2], [3 * scale, 7 * scale]))
    }
  }

  @Test func parametersAreFurtherInputs() throws {
    let layer = Dense(1)
    let function = try compile(["x": x], backend: InterpreterBackend()) { ["y": layer($0["x"])] }
    #expect(function.graph.inputs.map(\.name) == ["x", "dense.weight", "dense.bias"])
    let outputs = try function([
      "x": f32([2, 2], [1, 2, 3, 4]), "dense.weight": f32([2, 1], [1, 10]),
      "dense.bias": f32([1], [0.5]),
    ])
    #expect(outputs["y"] == f32([2, 1], [21.5, 43.5]))
  }

  @Test func parametersWithoutAModelAreCounted() throws {
    let graph = try trace("g", ["x": x]) {
      ["y": $0["x"] * Parameter(.ones)([2]) * Parameter(.ones)([2]) + Parameter(.ones)([1])]
    }
    #expect(graph.inputs.map(\.name) == ["x", "parameter", "parameter1", "parameter2"])
  }

  @Test func everyWrongInputIsTold() throws {
    let function = try compile(["x": x, "y": x], backend: InterpreterBackend()) {
      ["z": $0["x"] + $0["y"]]
    }
    do {
      _ = try function(["x": f32([2], [1, 2]), "w": f32([], [1])])
      Issue.record("nothing was thrown")
    } catch {
      #expect(error.all.map(\.code) == [.shapeMismatch, .argument, .name])
      #expect(error.all[0].message.contains("f32[2,2]") && error.all[0].message.contains("f32[2]"))
    }
  }

  struct Hidden: Layer {
    func callAsFunction(_ x: Tensor) -> Tensor { x * Parameter(.ones)([2]) }
  }

  @Test func aParameterOutsideOfTheModelIsRefused() throws {
    let trainer = try Trainer(
      Hidden(), loss: .meanSquaredError, optimizer: Adam(), backend: InterpreterBackend())
    #expect(throws: Diagnostics.self) { try trainer.predict(f32([1, 2], [1, 2])) }
  }

  @Test func aModelWithoutParametersCannotBeTrained() throws {
    let trainer = try Trainer(
      Flatten(), loss: .softmaxCrossEntropy, optimizer: Adam(), backend: InterpreterBackend())
    let data = try TrainerTests.quadrants(4)
    #expect(try trainer.evaluate(data).count == 4)
    #expect(throws: Diagnostics.self) { try trainer.fit(data, progress: .silent) }
  }

  @Test func tracesDoNotDisturbOneAnother() async throws {
    try await withThrowingTaskGroup(of: Int.self) { group in
      for count in 1...8 {
        group.addTask {
          let type = TensorType(.f32, [1])
          return try trace("g\(count)", ["x": type]) { inputs in
            ["y": (1...count).reduce(inputs["x"]) { x, _ in x.exp() }]
          }.nodes.count
        }
      }
      var counts: Set<Int> = []
      for try await count in group { counts.insert(count) }
      #expect(counts == Set(1...8))
    }
  }
}
