import GraphIR

/// Attention in some sizes, with everything that a test needs to build it.
package struct AttentionSample: Sendable, CustomStringConvertible {
  /// What hides keys from queries.
  package enum Mask: Hashable, Sendable {
    /// Nothing.
    case none
    /// Each query sees the keys up to its own place and so many more.
    case upTo(Int)
    /// What an operand of some extents adds.
    case operand([Int])
  }

  /// The extents of the batch.
  package var batch: [Int]
  package var queries: Int
  package var keys: Int
  package var features: Int
  package var columns: Int
  package var mask: Mask
  package var dtype: DType
  /// Whether keys come as `[..., d, k]`, and queries and values with their batch after the first of their own dimensions.
  package var isMoved = false

  package init(
    _ batch: [Int], _ sizes: (queries: Int, keys: Int, features: Int, columns: Int),
    _ mask: Mask = .none, _ dtype: DType = .f32
  ) {
    self.batch = batch
    (queries, keys, features, columns) = sizes
    self.mask = mask
    self.dtype = dtype
  }

  package var description: String {
    "\(batch) x \(queries) queries, \(keys) keys, \(features) features, \(columns) columns, \(mask), "
      + "\(dtype)"
  }

  /// Odd sizes, tails and masks, in each dtype.
  package static let all: [AttentionSample] = [
    AttentionSample([], (5, 7, 3, 4)),
    AttentionSample([], (1, 1, 1, 1), .upTo(0)),
    AttentionSample([3], (2, 2, 2, 2), .upTo(0)),
    AttentionSample([2], (1, 9, 4, 5)),
    AttentionSample([2], (9, 1, 4, 5)),
    AttentionSample([2, 0], (5, 7, 3, 4)),
    AttentionSample([2], (5, 0, 3, 4)),
    AttentionSample([2, 3], (17, 13, 5, 11), .upTo(0)),
    AttentionSample([2, 3], (16, 32, 8, 16), .operand([1, 1, 1, 32])),
    AttentionSample([3], (37, 41, 7, 19), .operand([37, 41])),
    AttentionSample([2, 2], (33, 29, 3, 2), .operand([2, 1, 33, 1])),
    AttentionSample([1, 2], (23, 50, 4, 9), .upTo(27)),
    AttentionSample([2], (40, 21, 6, 8), .upTo(-9)),
    AttentionSample([2, 1, 2], (19, 18, 5, 6), .upTo(0), .f64),
    AttentionSample([2], (31, 34, 9, 12), .operand([34]), .f64),
    AttentionSample([2], (18, 20, 8, 10), .upTo(0), .bf16),
    AttentionSample([2], (18, 20, 8, 10), .operand([18, 20]), .f16),
  ]

  private func extents(_ rows: Int, _ columns: Int) -> [Int] { batch + [rows, columns] }

  /// The types of queries, keys, values and, if there is one, the mask.
  package var types: [TensorType] {
    let last = batch.count + 1
    func moved(_ extents: [Int]) -> [Int] {
      isMoved ? [extents[last - 1]] + extents.dropLast(2) + [extents[last]] : extents
    }
    var shapes = [
      moved(extents(queries, features)),
      isMoved ? extents(features, keys) : extents(keys, features),
      moved(extents(keys, columns)),
    ]
    if case .operand(let extents) = mask { shapes.append(extents) }
    return shapes.map { TensorType(dtype, Shape($0)) }
  }

  /// Appends `softmax(queries keys^T / 2 + mask) values`, written out node by node.
  package func write(
    _ builder: inout GraphBuilder, _ x: [Value]
  ) throws(Diagnostic) -> Value {
    let rank = batch.count + 2
    let lead = Array(0..<batch.count)
    let moved = lead.map { $0 + 1 }
    let whole = Shape(extents(queries, keys))
    let scores = try builder.dot(
      x[0], x[1], batch: isMoved ? [moved, lead] : [lead, lead],
      contracting: [[rank - 1], [isMoved ? rank - 2 : rank - 1]])
    var logits = try builder.multiply(scores, builder.splat(0.5, TensorType(dtype, whole)))
    switch mask {
    case .none: break
    case .operand(let extents):
      let dimensions = Array(rank - extents.count..<rank)
      logits = try builder.add(logits, builder.broadcast(x[3], to: whole, dimensions: dimensions))
    case .upTo(let more):
      let square = TensorType(.i32, [queries, keys])
      let row = try builder.add(
        builder.iota(square, dimension: 0), builder.splat(Double(more), square))
      let isSeen = try builder.compare(.lessEqual, builder.iota(square, dimension: 1), row)
      let floats = TensorType(dtype, [queries, keys])
      let hidden = try builder.select(
        isSeen, builder.splat(0, floats), builder.splat(-.infinity, floats))
      logits = try builder.add(
        logits, builder.broadcast(hidden, to: whole, dimensions: [rank - 2, rank - 1]))
    }
    let kept = Array(0..<rank - 1)
    let maximum = try builder.reduce(.max, logits, dimensions: [rank - 1])
    let exponential = try builder.unary(
      .exp, builder.subtract(logits, builder.broadcast(maximum, to: whole, dimensions: kept)))
    let sum = try builder.reduce(.sum, exponential, dimensions: [rank - 1])
    let weights = try builder.divide(
      exponential, builder.broadcast(sum, to: whole, dimensions: kept))
    return try builder.dot(
      weights, x[2], batch: isMoved ? [lead, moved] : [lead, lead],
      contracting: [[rank - 1], [isMoved ? 0 : rank - 2]])
  }

  /// The graph that computes it.
  package func graph() throws(Diagnostic) -> Graph {
    var builder = GraphBuilder(name: "attention")
    let inputs = types.enumerated().map { builder.input("x\($0.offset)", $0.element) }
    let result = try write(&builder, inputs)
    return try builder.finish([result])
  }

  /// The graph whose first output is the sum of the result's elements, each times an element of another input.
  package func scalarGraph() throws(Diagnostic) -> Graph {
    var builder = GraphBuilder(name: "attention")
    let inputs = types.enumerated().map { builder.input("x\($0.offset)", $0.element) }
    let result = try write(&builder, inputs)
    let type = builder.type(of: result)
    let weight = builder.input("w", type)
    let all = Array(0..<type.shape.rank)
    let sum = try builder.reduce(.sum, builder.multiply(result, weight), dimensions: all)
    return try builder.finish([sum])
  }

  /// Numbers between -1 and 1 for the inputs of a graph.
  package func inputs(of graph: Graph, seed: UInt64 = 1) -> [Literal] {
    var generator = SplitMix64(seed: seed)
    return graph.inputs.map { input in
      Literal(
        input.type,
        doubles: (0..<input.type.shape.elementCount).map { _ in
          Double.random(in: -1...1, using: &generator)
        })
    }
  }
}
