import LoopIR

/// The accumulators that a contraction keeps in registers: rows of vectors.
struct RegisterTile: Equatable {
  /// How many points of each row dimension, in the order of `Contraction.rows`.
  var rows: [Int]
  /// How many vectors a row has.
  var vectors: Int
  /// The cycles that one step of the reduction takes over all tiles.
  var cost: Double

  var rowCount: Int { rows.reduce(1, *) }

  /// The tile with the lowest cost, among those that fit the registers.
  static func choose(_ contraction: Contraction, _ target: Target) -> RegisterTile {
    ranking(contraction, target).first?.choice
      ?? RegisterTile(rows: contraction.rows.map { _ in 1 }, vectors: 1, cost: .infinity)
  }

  /// The tiles that fit the registers.
  static func ranking(_ contraction: Contraction, _ target: Target) -> Ranking<RegisterTile> {
    let kernel = contraction.kernel
    let extents = contraction.rows.map(kernel.extent)
    let allVectors = ceilingQuotient(contraction.extent, contraction.lanes)
    var ranking = Ranking<RegisterTile>(margin: 0.999)
    for vectors in 1...min(4, allVectors) {
      let most = mostRows(vectors, target)
      for rows in candidates(extents, most: most) {
        let cost = cost(rows, extents, vectors, allVectors)
        ranking.consider(RegisterTile(rows: rows, vectors: vectors, cost: cost), cost: cost)
      }
    }
    return ranking
  }

  /// How many rows fit beside the vectors of the column factor and one of the row factor.
  static func mostRows(_ vectors: Int, _ target: Target) -> Int {
    let free = target.vectorRegisters - vectors - 1
    return max(1, min(free / vectors, vectors == 1 ? 12 : 8))
  }

  /// The divisions of a tile's rows over the row dimensions: whole inner dimensions first.
  private static func candidates(_ extents: [Int], most: Int) -> [[Int]] {
    var found: [[Int]] = []
    var whole: [Int] = []
    var product = 1
    for (place, extent) in extents.enumerated() {
      let limit = min(extent, most / product)
      guard limit >= 1 else { break }
      for size in stride(from: limit, through: 1, by: -1) {
        let rest = [Int](repeating: 1, count: extents.count - place - 1)
        found.append(whole + [size] + rest)
      }
      whole.append(extent)
      product *= extent
      if product > most { break }
    }
    return found
  }

  /// The cycles of a reduction step of one tile.
  static func cycles(_ rows: Int, _ vectors: Int) -> Double {
    // Four cycles are the latency of an accumulation, which needs some slack, as do two loads in a cycle; the rest is
    // the loop's own work.
    max(Double(rows * vectors) / 2, Double(rows + vectors) / 1.5, 4.8) + 0.25
  }

  /// The cycles of a reduction step over all tiles, two multiply-adds or loads in each.
  private static func cost(
    _ rows: [Int], _ extents: [Int], _ vectors: Int, _ allVectors: Int
  ) -> Double {
    let columns = [(allVectors / vectors, vectors), (1, allVectors % vectors)]
    // Of tiles with tails in several dimensions only the most frequent kinds are told apart.
    var kinds = [(count: 1.0, rows: 1)]
    for (size, extent) in zip(rows, extents) {
      kinds = kinds.flatMap { kind in
        [
          (kind.count * Double(extent / size), kind.rows * size),
          (extent % size == 0 ? 0 : kind.count, kind.rows * (extent % size)),
        ].filter { $0.0 > 0 }.map { (count: $0.0, rows: $0.1) }
      }
    }
    var sum = 0.0
    for (count, width) in columns where count > 0 && width > 0 {
      for kind in kinds { sum += Double(count) * kind.count * cycles(kind.rows, width) }
    }
    return sum
  }
}
