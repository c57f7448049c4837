import GraphIR
import LoopIR

/// The points whose folds are computed together because they read the same elements: of a filter that all share, or of
/// windows that overlap.
///
/// A depthwise convolution takes neighbours along the width, and its filter's gradient the taps of a filter.
struct PointTile {
  /// How many points along dimensions other than that of the vectors.
  var sizes: [DimensionID: Int] = [:]
  /// How many vectors.
  var vectors = 1
  /// How many steps of a long fold are written out one after the other: what one reads, the next ones may read again
  /// for other points.
  var steps = 1
  /// About the cycles of a step for each point.
  var cost = Double.infinity

  /// How many steps of a fold at most are written out, over all points computed together.
  private static let mostSteps = 64
  /// How many steps of a fold at most are written out for one point.
  private static let mostStepsOfPoint = 16

  /// Whether all steps of a fold of one point are written out.
  static func isUnrolled(_ steps: Int) -> Bool { steps <= mostStepsOfPoint }

  /// How many of the innermost folded dimensions have their loops unrolled completely.
  static func unrolled(_ kernel: Kernel, _ folded: [DimensionID], points: Int) -> Int {
    var steps = 1
    return folded.reversed().prefix { id in
      steps *= kernel.extent(id)
      return steps <= mostStepsOfPoint && steps * points <= mostSteps
    }.count
  }
}

extension PointTile {
  /// How many points are computed together.
  var points: Int { sizes.values.reduce(vectors, *) }

  /// The same points with as many steps written out as there is room for.
  fileprivate var sliding: PointTile {
    var tile = self
    while tile.steps < 8, 2 * tile.steps * points <= PointTile.mostSteps { tile.steps *= 2 }
    return tile
  }
}

extension VectorChoice {
  /// The points to compute together with vectors along a dimension; nil where none share what they read.
  func pointTile(_ id: DimensionID) -> PointTile? { pointTiles(id).first?.choice }

  /// The points that may be computed together with vectors along a dimension; none where none share what they read.
  func pointTiles(_ id: DimensionID) -> Ranking<PointTile> {
    var ranking = Ranking<PointTile>(margin: 0.99)
    guard let fold = FoldLoads(kernel, vector: id, lanes: lanes(id, kernel.stages)) else {
      return ranking
    }
    let all = kernel.outer.filter { $0 != id && kernel.extent($0) > 1 && fold.isShared($0) }
    // Of short folds the points lie side by side: a row of them needs few rows of what they read.
    let nearest = kernel.outerByStride.last { all.contains($0) }
    let sharing = kernel.points(kernel.stages[0].folded) > 64 ? all : [nearest].compactMap { $0 }
    guard !sharing.isEmpty, fold.sharesAll || !foldsLongColumns(id) else {
      return ranking
    }
    let most = target.vectorRegisters > 16 ? 16 : 12
    let allVectors = vectors(id, lanes(id, kernel.stages))
    // Whole lines, where the vectors do not go along rows from front to back.
    let line = VectorChoice.lineBytes / target.vectorBytes
    let least = hasFarRows(id) && allVectors > line ? max(line, 1) : 1
    let period = vectorPeriod(id)
    func considerSteps(_ tile: PointTile) {
      consider(tile)
      // Lanes that are put together are dear: what the next points need stays in registers.
      if fold.spreads { consider(tile.sliding) }
    }
    func consider(_ tile: PointTile) {
      guard let cost = fold.cost(tile, registers: target.vectorRegisters) else { return }
      let rest = Double(ceilingQuotient(allVectors, tile.vectors) * tile.vectors)
      let whole = cost * rest / Double(allVectors)
      var tile = tile
      tile.cost = whole
      ranking.consider(tile, cost: whole)
    }
    for vectors in Set([1, 2, 4, period, 2 * period]).sorted()
    where vectors <= min(allVectors, most) && vectors >= least
      && (vectors % period == 0 || vectors == allVectors)
    {
      for (place, first) in sharing.enumerated() {
        for size in 1...max(1, min(kernel.extent(first), most / vectors)) {
          considerSteps(PointTile(sizes: [first: size], vectors: vectors))
          guard size > 1 else { continue }
          for second in sharing.dropFirst(place + 1) {
            for other in 2...max(2, min(kernel.extent(second), most / vectors / size))
            where size * other * vectors <= most && other <= kernel.extent(second) {
              considerSteps(
                PointTile(sizes: [first: size, second: other], vectors: vectors))
            }
          }
        }
      }
    }
    return ranking
  }
}

/// What the first stage, a fold, loads along each dimension.
private struct FoldLoads {
  let kernel: Kernel
  let folded: [DimensionID]
  let vector: DimensionID
  /// For each load the distance between its elements along each outer and folded dimension.
  private var steps: [[DimensionID: Int]] = []
  /// What each load takes beside itself: shuffles, where neighbouring lanes are no neighbours in memory.
  private var surplus: [Double] = []
  /// The arithmetic of a step.
  private var operations = 0

  /// Reads the first stage; nil where it is no fold, or a load is not affine along the dimensions besides that of the
  /// vectors.
  init?(_ kernel: Kernel, vector: DimensionID, lanes: Int) {
    guard let stage = kernel.stages.first, stage.dimensions.isEmpty, case .fold = stage.kind,
      kernel.leadingFolds == 1
    else { return nil }
    self.kernel = kernel
    self.vector = vector
    folded = stage.folded
    for instruction in stage.body.instructions {
      operations += instruction.cost
      guard case .load(_, let index, _) = instruction.operation,
        folded.contains(where: { index[0].dependence(on: $0) != .affine(0) })
      else { continue }
      var own: [DimensionID: Int] = [:]
      var shuffles = 0.0
      for id in kernel.outer + folded {
        switch index[0].dependence(on: id) {
        case .affine(let step):
          own[id] = abs(step) * (id == vector ? lanes : 1)
          guard id == vector, abs(step) > 1 else { continue }
          // Beyond a few elements the lanes are loaded one by one.
          shuffles = abs(step) <= 4 ? 2 * Double(abs(step) - 1) : 1.5 * Double(lanes)
        case .other:
          guard id == vector else { return nil }
          own[id] = 1
          let places = (0..<lanes).map { index[0].place(ofLane: $0, along: id) }
          shuffles = SpreadLoad(places, lanes: lanes).surplus
        }
      }
      steps.append(own)
      surplus.append(shuffles)
    }
    // A product and its sum are one operation.
    if stage.body.instructions.last?.operation != .binary(.multiply) { operations += 1 }
    guard !steps.isEmpty else { return nil }
  }

  /// Whether lanes are put together from elements that do not lie side by side.
  var spreads: Bool { surplus.contains { $0 > 0 } }

  /// Whether neighbours along a dimension read some of the same elements.
  func isShared(_ id: DimensionID) -> Bool { steps.contains { isShared($0, id) } }

  /// Whether every element is read for several points.
  var sharesAll: Bool {
    steps.allSatisfy { own in
      kernel.outer.contains { $0 != vector && kernel.extent($0) > 1 && isShared(own, $0) }
    }
  }

  private func isShared(_ own: [DimensionID: Int], _ id: DimensionID) -> Bool {
    guard let step = own[id], step > 0 else { return true }
    return folded.contains { other in
      guard let inner = own[other], inner > 0 else { return false }
      return step % inner == 0 && step / inner < kernel.extent(other)
        || inner % step == 0 && kernel.extent(other) > 1 && inner / step < 8
    }
  }

  /// About the cycles for each point and step; nil where the registers do not suffice.
  func cost(_ tile: PointTile, registers: Int) -> Double? {
    var (cost, share) = (0.0, 0.0)
    for (sizes, count) in pieces(of: tile) {
      let points = sizes.values.reduce(tile.vectors, *)
      let (cycles, needed) = group(sizes, tile.vectors, points, steps: tile.steps)
      if count > 0, needed > registers, points > 1 { return nil }
      cost += count * cycles * Double(points)
      share += count * Double(points)
    }
    return cost / share
  }

  /// The whole tiles, and what is left over at the end of each dimension, with how many there are.
  private func pieces(of tile: PointTile) -> [(sizes: [DimensionID: Int], count: Double)] {
    var pieces: [(sizes: [DimensionID: Int], count: Double)] = [([:], 1)]
    for (id, size) in tile.sizes {
      let (whole, rest) = (kernel.extent(id) / size, kernel.extent(id) % size)
      pieces = pieces.flatMap { piece in
        [(size, Double(whole)), (rest, 1)].filter { $0.0 > 0 }.map { size, count in
          (piece.sizes.merging([id: size]) { $1 }, piece.count * count)
        }
      }
    }
    return pieces
  }

  /// About the cycles for each point and step of points computed together, and the registers that they need.
  private func group(
    _ sizes: [DimensionID: Int], _ vectors: Int, _ points: Int, steps written: Int
  ) -> (cycles: Double, registers: Int) {
    let count = PointTile.unrolled(kernel, folded, points: points)
    var extents = sizes
    extents[vector] = vectors
    var all = extents
    for id in folded.suffix(count) { all[id] = kernel.extent(id) }
    var repeats = kernel.points(folded.suffix(count))
    if count == 0, written > 1, let innermost = folded.last {
      repeats = min(written, kernel.extent(innermost))
      all[innermost] = repeats
    }
    var loads = 0.0
    var live = points + 1
    for (own, shuffles) in zip(steps, surplus) {
      let (once, together) = (distinct(own, extents), distinct(own, all))
      loads += Double(together) * (1 + shuffles)
      // What later steps read again stays in registers, as does what several points share.
      live += once < points || together < once * repeats ? distinct(own, kept(own, all)) : 1
    }
    let work = Double(points * repeats * operations) / 2
    let latency = 4.5 * Double(repeats)
    let overhead = count == folded.count ? 0 : 2.0
    let cycles = max(work, loads / 1.7, latency) + 0.1 * loads + overhead
    return (cycles / Double(points * repeats), live)
  }

  /// The dimensions of points and steps over which elements are kept that later steps read again: the steps inside of
  /// the outermost one that brings neighbours' elements.
  private func kept(_ own: [DimensionID: Int], _ all: [DimensionID: Int]) -> [DimensionID: Int] {
    var extents = all
    for id in folded {
      guard let step = own[id], step > 0, let extent = extents.removeValue(forKey: id), extent > 1
      else { continue }
      let repeats = extents.contains { other, size in
        guard !folded.contains(other), size > 1, let outer = own[other], outer > 0 else {
          return false
        }
        return outer % step == 0 && outer / step < extent
          || step % outer == 0 && step / outer < size
      }
      if repeats { break }
    }
    return extents
  }

  /// How many elements a load touches over the points of some dimensions.
  private func distinct(_ own: [DimensionID: Int], _ extents: [DimensionID: Int]) -> Int {
    let list = extents.map { (step: own[$0.key] ?? 0, size: $0.value) }
      .filter { $0.step > 0 && $0.size > 1 }.sorted { $0.step < $1.step }
    var product = 1
    var (unit, length) = (0, 1)
    for (step, size) in list {
      if unit > 0, step % unit == 0, step / unit <= length {
        length += (size - 1) * (step / unit)
      } else {
        product *= length
        (unit, length) = (step, size)
      }
    }
    return product * length
  }
}

extension IndexExpression {
  /// The place of a lane, where the first one's dimension is 0, as are all others.
  fileprivate func place(ofLane lane: Int, along id: DimensionID) -> Int {
    terms.reduce(0) { place, term in
      let value =
        switch term.atom {
        case .dimension(let own): own == id ? lane : 0
        case .instruction: 0
        case .quotient(let inner, let divisor):
          floorQuotient(inner.place(ofLane: lane, along: id), divisor)
        case .remainder(let inner, let divisor):
          floorRemainder(inner.place(ofLane: lane, along: id), divisor)
        }
      return place + term.coefficient * value
    }
  }
}

extension VectorChoice {
  /// After how many vectors along a dimension the lanes of the next one lie as those of the first in all blocks that
  /// indices divide it into.
  fileprivate func vectorPeriod(_ id: DimensionID) -> Int {
    let lanes = lanes(id, kernel.stages)
    var period = lanes
    func search(_ index: IndexExpression) {
      for term in index.terms {
        switch term.atom {
        case .dimension, .instruction: break
        case .quotient(let inner, let divisor), .remainder(let inner, let divisor):
          if inner.asDimension == id { period *= divisor / commonDivisor(period, divisor) }
          search(inner)
        }
      }
    }
    kernel.forEachExpression(search)
    return period / lanes
  }
}
