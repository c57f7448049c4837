import Foundation
import GraphIR
import Interpreter
import Martlet
import Testing

/// Attention, embeddings and residual connections: values by their formulas, and gradients.
@Suite struct AttentionTests {
  /// `softmax(q k^T / sqrt(d) + mask) v` for matrices, row by row.
  func attention(
    _ q: [[Double]], _ k: [[Double]], _ v: [[Double]], causal: Bool
  ) -> [Double] {
    q.enumerated().flatMap { row, query -> [Double] in
      let seen = causal ? 0..<row + 1 : 0..<k.count
      let weights = seen.map { key in
        exp(zip(query, k[key]).map(*).reduce(0, +) / Double(query.count).squareRoot())
      }
      let total = weights.reduce(0, +)
      return v[0].indices.map { column in
        seen.map { weights[$0] / total * v[$0][column] }.reduce(0, +)
      }
    }
  }

  func rows(_ literal: Literal, _ matrix: Int) -> [[Double]] {
    let (count, width) = (literal.type.shape[1], literal.type.shape[2])
    return (0..<count).map { row in
      let start = (matrix * count + row) * width
      return Array(literal.doubles()[start..<start + width])
    }
  }

  @Test(arguments: [false, true])
  func attentionFollowsItsFormula(causal: Bool) throws {
    let (q, k, v) = (
      numbers([2, 4, 3]), numbers([2, 4, 3], seed: 5), numbers([2, 4, 2], seed: 8)
    )
    let found = try evaluate([q, k, v]) {
      $0[0].attention(keys: $0[1], values: $0[2], causal: causal)
    }
    let expected = (0..<2).flatMap {
      attention(rows(q, $0), rows(k, $0), rows(v, $0), causal: causal)
    }
    #expect(found.type == TensorType(.f64, [2, 4, 2]))
    #expect(found.isClose(to: expected, within: 1e-12))
  }

  @Test func attentionRefusesWhatDoesNotFit() {
    let q = TensorType(.f32, [2, 4, 3])
    for (k, v) in [
      (TensorType(.f32, [2, 4, 2]), q), (q, TensorType(.f32, [2, 5, 3])),
      (TensorType(.f32, [4, 3]), q), (TensorType(.f32, [1, 4, 3]), q),
    ] {
      let found = problems([q, k, v]) { $0[0].attention(keys: $0[1], values: $0[2]) }
      #expect(found.count == 1 && found[0].message.contains("do not fit"), "\(found)")
    }
    #expect(
      problems([TensorType(.f32, [2, 4, 6])]) {
        MultiHeadAttention(features: 6, heads: 4)($0[0])
      }.count == 1)
  }

  struct Attending: Layer {
    let norm = LayerNorm(epsilon: 0.01)
    let attention: MultiHeadAttention
    func callAsFunction(_ x: Tensor) -> Tensor { attention(norm(x)) }
  }

  @Test(arguments: [false, true])
  func gradientsOfAttention(causal: Bool) throws {
    let model = Attending(attention: MultiHeadAttention(features: 4, heads: 2, causal: causal))
    try expectGradients(of: model, for: numbers([2, 3, 4]), output: [2, 3, 4])
  }

  /// What a position finds does not depend on the positions after it, and else on all.
  @Test(arguments: [false, true])
  func aCausalPositionSeesOnlyThoseBefore(causal: Bool) throws {
    let layer = MultiHeadAttention(features: 4, heads: 2, causal: causal)
    let graph = try trace("g", ["x": TensorType(.f64, [1, 3, 4])]) { ["y": layer($0["x"])] }
    func found(_ last: Double) throws -> [Double] {
      var x = numbers([1, 3, 4]).doubles()
      x[8] = last
      let values = graph.inputs.enumerated().map { index, input in
        input.name == "x" ? Literal([1, 3, 4], x) : numbers(input.type.shape, seed: index)
      }
      return try interpret(graph, values)[0].doubles()
    }
    let (one, other) = (try found(0.5), try found(-0.5))
    #expect((one[0..<8] == other[0..<8]) == causal)
    #expect(one[8..<12] != other[8..<12])
  }

  struct Reader: Layer {
    let tokens = Embedding(5, features: 3, dtype: .f64)
    let positions = PositionEmbedding()
    let out = Dense(2)
    func callAsFunction(_ x: Tensor) -> Tensor { out(positions(tokens(x)).tanh()) }
  }

  @Test func embeddingsLookUpAndLearn() throws {
    let tokens = Literal([2, 3], [Int32(4), 0, 4, 2, 7, -1])
    let layer = Embedding(5, features: 2)
    let graph = try trace("g", ["x": tokens.type]) { ["y": layer($0["x"])] }
    let weight = f32([5, 2], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    let found = try interpret(graph, [tokens, weight])[0]
    #expect(found == f32([2, 3, 2], [8, 9, 0, 1, 8, 9, 4, 5, 8, 9, 0, 1]), "clamped indices")
    try expectGradients(of: Reader(), for: tokens, output: [2, 3, 2])
    #expect(problems([TensorType(.f32, [2])]) { Embedding(3, features: 1)($0[0]) }.count == 1)
  }

  struct Blocks: Layer {
    let plain = Residual(Dense(4, .tanh), Dense(3))
    let wide = Residual(Dense(2), shortcut: Dense(2, bias: false))
    func callAsFunction(_ x: Tensor) -> Tensor { wide(plain(x)) }
  }

  @Test func residualConnectionsAddTheirInput() throws {
    let trainer = try Trainer(Blocks(), loss: .meanSquaredError, optimizer: Adam())
    let example = ExampleSignature(input: TensorType(.f64, [3]), label: TensorType(.f64, [2]))
    let graph = try trainer.predictionGraph(example, batch: 1).graph
    #expect(
      graph.inputs.map(\.name) == [
        "input", "plain.0.weight", "plain.0.bias", "plain.1.weight", "plain.1.bias",
        "wide.0.weight", "wide.0.bias", "wide.shortcut.weight",
      ])
    // A body of zeros leaves the input as it is.
    let values = graph.inputs.map { input in
      switch input.name {
      case "input": Literal([1, 3], [1.0, 2, 3])
      case "wide.shortcut.weight": Literal([3, 2], [1.0, 0, 0, 1, 0, 0])
      default: Literal(zeros: input.type)
      }
    }
    #expect(try interpret(graph, values)[0] == Literal([1, 2], [1.0, 2]))
    try expectGradients(of: Blocks(), for: numbers([2, 3]), output: [2, 2])
  }
}
