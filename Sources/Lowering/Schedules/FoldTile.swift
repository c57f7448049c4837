import LoopIR

/// Neighbouring points whose folds run together, with vectors along what is folded, so that they share loads.
///
/// A product of few rows with a transposed matrix is the usual case: both factors lie contiguous along the reduction,
/// and a copy that puts the columns beside each other would cost more than the product. A tile of m rows and n columns
/// takes m + n loads for m n multiply-adds.
struct FoldTile {
  /// The folded dimension of the vectors.
  var vector: DimensionID
  /// The lanes of its vectors.
  var lanes: Int
  /// The points along each dimension that has several.
  var sizes: [DimensionID: Int] = [:]
  /// About how long the kernel takes, in cycles.
  var cost: Double

  var points: Int { sizes.values.reduce(1, *) }

  /// The most accumulators: more hide no latency, and share little more; of extremes, which need more registers.
  private static let (mostPoints, mostExtremes) = (12, 4)
  /// So few tiles may leave some of so many workers without one.
  private static let (fewTiles, workers) = (16, 4)
  /// The cycles to add up the lanes of a sum, and to store it.
  private static let finish = 3.0

  /// The most points of a tile of a fold.
  static func mostPoints(of stage: KernelStage) -> Int {
    guard case .fold(let function, _) = stage.kind, function == .max || function == .min else {
      return mostPoints
    }
    return mostExtremes
  }

  /// The tiles for vectors along a folded dimension; none where no tile shares enough.
  static func ranking(
    _ kernel: Kernel, vector: DimensionID, lanes: Int, _ target: Target
  ) -> Ranking<FoldTile> {
    var ranking = Ranking<FoldTile>(margin: 0.999)
    guard let stage = kernel.stages.first, stage.dimensions.isEmpty,
      kernel.stages.dropFirst().allSatisfy({ $0.kind == .map && $0.dimensions.isEmpty })
    else { return ranking }
    let candidates = FoldTile.ordered(kernel).filter { kernel.extent($0) > 1 }
    let parts = stage.body.instructions.indices.map {
      Part(stage, $0, candidates, kernel, vector, lanes)
    }
    let whole = kernel.points(stage.folded) / kernel.extent(vector)
    let steps = Double(whole * ceilingQuotient(kernel.extent(vector), lanes))
    let isShared = kernel.work >= workers * NestPlan.grain
    func consider(_ sizes: [DimensionID: Int]) {
      let points = sizes.values.reduce(1, *)
      let cycles = Part.cycles(parts, sizes)
      var count = candidates.reduce(1) { $0 * ceilingQuotient(kernel.extent($1), sizes[$1] ?? 1) }
      if isShared, count <= fewTiles { count = ceilingQuotient(count, workers) * workers }
      let tiles = Double(count)
      let bytes = Part.bytes(parts, sizes, candidates, kernel)
      let distance =
        bytes > Double(target.secondLevelCacheBytes)
        ? 3 : bytes > Double(target.firstLevelCacheBytes) ? 1.5 : 1
      let cost = tiles * (cycles * steps * distance + FoldTile.finish * Double(points))
      let tile = FoldTile(vector: vector, lanes: lanes, sizes: sizes, cost: cost)
      ranking.consider(tile, cost: cost)
    }
    consider([:])
    let alone = ranking.first?.cost ?? .infinity
    let mostPoints = FoldTile.mostPoints(of: stage)
    for (place, first) in candidates.enumerated() {
      // Of equal tiles that with more rows of what is large: memory then brings several at once.
      for a in (2...min(mostPoints, kernel.extent(first))).reversed() {
        consider([first: a])
        for second in candidates[(place + 1)...] {
          // What the inner dimension's points load is kept, beside one value of the outer's.
          let most = min(mostPoints / a, (target.vectorRegisters - 1) / (a + 1))
          for b in stride(from: 2, through: min(most, kernel.extent(second)), by: 1) {
            consider([first: a, second: b])
          }
        }
      }
    }
    guard let best = ranking.first, best.cost < alone * 0.9 else { return Ranking() }
    return ranking
  }
}

/// An instruction of the fold.
private struct Part {
  /// The cycles for each vector.
  var cost: Double
  /// The outer dimensions along which its value changes: points that agree in these share it.
  var dimensions: [DimensionID]
  /// The bytes that it reads for one outer point.
  var bytes = 0.0

  /// The cycles of a multiply-add until its result may be used, with some slack.
  private static let latency = 4.8

  init(
    _ stage: KernelStage, _ place: Int, _ candidates: [DimensionID], _ kernel: Kernel,
    _ vector: DimensionID, _ lanes: Int
  ) {
    let (body, instruction) = (stage.body, stage.body.instructions[place])
    dimensions = candidates.filter { body.varying(with: $0)[place] }
    guard case .load(_, let index, let guards) = instruction.operation else {
      // The last one is part of the accumulation.
      cost = place == body.instructions.count - 1 ? 0 : Double(instruction.cost) / 2
      return
    }
    switch index[0].dependence(on: vector) {
    case .affine(0), .affine(1): cost = 0.5
    case .affine: cost = Double(lanes)
    case .other: cost = Double(2 * lanes)
    }
    cost += Double(guards.count)
    let steps = kernel.points(stage.folded.filter { body.varying(with: $0)[place] })
    bytes = Double(steps) * Double(instruction.dtype.byteCount)
  }

  /// The cycles of one vector of steps for the points of a tile.
  static func cycles(_ parts: [Part], _ sizes: [DimensionID: Int]) -> Double {
    let points = sizes.values.reduce(1, *)
    let work = parts.reduce(0.0) { sum, part in
      sum + part.dimensions.reduce(part.cost) { $0 * Double(sizes[$1] ?? 1) }
    }
    // Loads run beside the accumulation.
    return max(work, Double(points) / 2, points < 4 ? 1 : latency) + 0.25
  }

  /// The bytes that are read again for each tile along the first dimension, with the tile's own.
  static func bytes(
    _ parts: [Part], _ sizes: [DimensionID: Int], _ order: [DimensionID], _ kernel: Kernel
  ) -> Double {
    parts.reduce(0) { sum, part in
      sum
        + part.dimensions.reduce(part.bytes) { bytes, id in
          bytes * Double(id == order[0] ? sizes[id] ?? 1 : kernel.extent(id))
        }
    }
  }
}

extension FoldTile {
  /// Puts the tile into a plan.
  func arrange(_ plan: inout NestPlan, _ kernel: Kernel) {
    plan.loops = FoldTile.ordered(kernel).map { OuterLoop(id: $0, block: kernel.extent($0)) }
    for place in plan.loops.indices { plan.loops[place].tile = sizes[plan.loops[place].id] ?? 1 }
    plan.stages[0].vector = vector
    plan.stages[0].lanes = lanes
    plan.stages[0].unroll = 1
    var accumulators = points >= 6 ? 1 : points >= 3 ? 2 : 4
    while accumulators > 1, lanes * accumulators > kernel.extent(vector) { accumulators /= 2 }
    plan.stages[0].accumulators = accumulators
    plan.overlapped = nil
  }

  /// The outer dimensions, those first along which what is large changes: it is best read only once.
  private static func ordered(_ kernel: Kernel) -> [DimensionID] {
    let body = kernel.stages[0].body
    let outer = kernel.outerByStride
    let varying = outer.map { body.varying(with: $0) }
    let elements = varying.map { varies in
      body.instructions.indices.reduce(0) { most, place in
        guard varies[place], case .load = body.instructions[place].operation else { return most }
        return max(most, kernel.points(zip(outer, varying).filter { $0.1[place] }.map(\.0)))
      }
    }
    return outer.indices.sorted {
      elements[$0] != elements[$1] ? elements[$0] > elements[$1] : $0 < $1
    }.map { outer[$0] }
  }
}
