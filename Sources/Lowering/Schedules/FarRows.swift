import LoopIR

/// Rows that come from memory one after the other, folded in tiles of rows that lie far apart.
///
/// What a processor foresees ends with a page, and neighbouring rows share one or are done with it soon: several long
/// streams bring memory sooner than one. So the dimension of the rows becomes two, and a tile takes a row of each part.
struct FarRows {
  /// The kernel with the rows' dimension split.
  private(set) var kernel: Kernel
  /// A row of each part.
  private(set) var tile: FoldTile

  /// A row this long is a stream of its own.
  private static let longRowBytes = 128 << 10
  /// Into how many parts the rows are split, the best first; those of extremes are fewer.
  private static let parts = [4, 6, 5, 8, 7, 3]

  /// Splits the rows of a kernel that begins with a fold; nil where a cache holds them, or no part has as many as the
  /// others.
  init?(_ kernel: Kernel, _ tile: FoldTile, _ target: Target) {
    let bytes = kernel.parameterBytes
    guard bytes > target.lastLevelCacheBytes, tile.sizes.values.count(where: { $0 > 1 }) == 1,
      let id = tile.sizes.first(where: { $0.value > 1 })?.key, let stage = kernel.stages.first,
      stage.folded == [tile.vector], stage.streams(along: id, kernel)
    else { return nil }
    let most = FoldTile.mostPoints(of: stage)
    guard let count = FarRows.parts.first(where: { $0 <= most && kernel.extent(id) % $0 == 0 })
    else { return nil }
    let length = kernel.extent(id) / count
    var split = kernel
    let name = kernel.dimensions[id.index].name
    let far = split.addDimension(name + "0", count)
    let near = split.addDimension(name + "1", length)
    let whole = IndexExpression.dimension(far) * length + .dimension(near)
    let bounds = split.bounds
    split.mapExpressions { index in
      index.substituting(in: bounds) { $0 == .dimension(id) ? whole : nil }
    }
    split.replace(id, by: [far, near])
    self.kernel = split
    self.tile = tile
    self.tile.sizes = [far: count]
  }

  /// Whether what is read for a point is worth no stream of its own.
  fileprivate static func isShort(_ bytes: Int) -> Bool { bytes < longRowBytes }
}

extension KernelStage {
  /// Whether all that a fold reads are short rows along its dimension, one after the other along another, or the same
  /// row for all.
  fileprivate func streams(along id: DimensionID, _ kernel: Kernel) -> Bool {
    guard let vector = folded.last else { return false }
    let length = kernel.extent(vector)
    return body.instructions.allSatisfy { instruction in
      guard case .load(_, let index, let guards) = instruction.operation else { return true }
      let step = index[0].dependence(on: id)
      return guards.isEmpty
        && (step == .affine(0)
          || step == .affine(length) && index[0].dependence(on: vector) == .affine(1)
            && FarRows.isShort(length * instruction.dtype.byteCount))
    }
  }
}
