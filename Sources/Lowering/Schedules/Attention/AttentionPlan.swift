import GraphIR
import LoopIR

/// The blocks and register tiles in which attention is computed.
struct AttentionPlan {
  /// The lanes of a vector of the sums' type.
  var lanes: Int
  /// The vectors of a block: its rows lie in their lanes while matrices are computed.
  var vectors: Int
  /// The keys of a tile of a matrix.
  var keys: Int
  /// The blocks of rows that one task computes.
  var blocks: Int
  /// For each product its tile: rows or keys, and vectors of columns.
  var tiles: [Int: (rows: Int, vectors: Int)] = [:]

  /// With fewer blocks, a task that copies its keys' factors gains less by them than they cost.
  static let fewestBlocksThatCopy = 3

  /// The rows of a block.
  var rows: Int { lanes * vectors }

  /// Chooses tiles that keep the registers busy, and blocks whose matrices stay in the second-level cache.
  init(_ attention: Attention, _ target: Target) {
    let kernel = attention.kernel
    lanes = max(1, target.vectorBytes / attention.dtype.byteCount)
    let (rowCount, keyCount) = (kernel.extent(attention.row), kernel.extent(attention.key))
    let matrices = attention.roles.count { $0 == .elements }
    let vectorBytes = keyCount * target.vectorBytes * max(matrices, 1)
    vectors = rowCount > lanes && 2 * vectorBytes <= target.secondLevelCacheBytes ? 2 : 1
    keys = AttentionPlan.rows(of: keyCount, beside: vectors, target)
    blocks = 1
    for (place, role) in attention.roles.enumerated() {
      switch role {
      case .rowProduct(let product):
        tiles[place] = tile(lanes * vectors, kernel.extent(product.column), target)
      case .keyProduct(let product):
        tiles[place] = tile(keyCount, kernel.extent(product.column), target)
      case .scores, .elements, .rowFold, .rowValue, .result: break
      }
    }
    // Sums over rows are one task's; otherwise there are tasks enough for many threads.
    let all = ceilingQuotient(rowCount, lanes * vectors)
    let wanted = min(NestPlan.maximumTasks, kernel.work / NestPlan.grain)
    let parts = ceilingQuotient(max(wanted, 1), kernel.points(attention.batch))
    blocks = attention.sumsOverRows ? all : ceilingQuotient(all, min(parts, all))
  }

  /// The rows of the tile that takes the fewest cycles; where it makes little difference, one that divides them.
  private static func rows(of count: Int, beside vectors: Int, _ target: Target) -> Int {
    var best = (rows: 1, cost: Double.infinity)
    for rows in 1...min(count, RegisterTile.mostRows(vectors, target)) {
      let rest = count % rows
      let cost =
        Double(count / rows) * RegisterTile.cycles(rows, vectors)
        + (rest > 0 ? 1.1 * RegisterTile.cycles(rest, vectors) : 0)
      if cost < best.cost * (rest == 0 ? 1.03 : 0.999) { best = (rows, cost) }
    }
    return best.rows
  }

  private func tile(
    _ rows: Int, _ columns: Int, _ target: Target
  ) -> (rows: Int, vectors: Int) {
    let all = ceilingQuotient(columns, lanes)
    var best = (rows: 1, vectors: 1, cost: Double.infinity)
    for vectors in 1...min(4, all) {
      let size = AttentionPlan.rows(of: rows, beside: vectors, target)
      let groups = [(all / vectors, vectors), (1, all % vectors)]
      var cost = 0.0
      for (count, width) in groups where count > 0 && width > 0 {
        cost += Double(count * (rows / size)) * RegisterTile.cycles(size, width)
        if rows % size > 0 {
          cost += Double(count) * RegisterTile.cycles(rows % size, width)
        }
      }
      if cost < best.cost * 0.999 { best = (size, vectors, cost) }
    }
    return (best.rows, best.vectors)
  }
}
