import GraphIR
import LoopIR

/// The ways to compute a kernel: the one that promises most, and others that may be as good.
///
/// Scratch that the phases share is appended to the kernels' parameters, in one order.
func candidates(_ kernel: Kernel, _ target: Target, atMost most: Int) -> [Candidate] {
  if kernel.stages.contains(where: \.isScatter) {
    let scalar = Piece(kernel: kernel, work: .nest(.scalar(kernel)))
    return [Candidate(pieces: [kernel.scatteringSlices(target) ?? scalar])]
  }
  if let attention = Attention.find(in: kernel) {
    return [Candidate(pieces: [Piece(kernel: attention.kernel, work: .attention(attention))])]
  }
  // Tiles of many results need no parts to keep all cores busy.
  if let split = SplitReduction(kernel),
    kernel.points(kernel.outer) < 1024
      || foldTiles(kernel, target, Contraction.find(in: kernel, target)?.cost).first == nil
  {
    let rest = candidates(whole: split.rest, target, atMost: 1)[0]
    return candidates(whole: split.parts, target, atMost: most).map { parts in
      var pieces = parts.pieces
      for place in pieces.indices { pieces[place].originals = split.originals }
      return Candidate(pieces: pieces + rest.pieces, cost: parts.cost)
    }
  }
  return candidates(whole: kernel, target, atMost: most)
}

/// The tiles of a kernel whose folds are best computed in tiles, with vectors along what they fold; none for others.
///
/// - Parameter cost: that of the kernel as a contraction, where it is one.
private func foldTiles(
  _ kernel: Kernel, _ target: Target, _ cost: Double?
) -> Ranking<FoldTile> {
  let choice = VectorChoice(kernel: kernel, target: target)
  let tiles = choice.foldTiles
  guard let tile = tiles.first, cost.map({ tile.cost < $0 }) ?? (choice.outerVector == nil) else {
    return Ranking()
  }
  return tiles
}

private func candidates(
  whole kernel: Kernel, _ target: Target, atMost most: Int
) -> [Candidate] {
  let families = CandidateFamilies(kernel, target)
  var found: [Candidate] = []
  for family in [families.foldTiles, families.mergedGroups, families.contractions] {
    found += family(most)
    if most == 1, !found.isEmpty { return found }
  }
  // What a nest without tiles of its own takes is counted in another unit.
  return found.isEmpty ? families.nests(most) : found.selected(atMost: most)
}

/// The candidates of one kernel, family by family; the best of each comes first.
private struct CandidateFamilies {
  let kernel: Kernel
  let target: Target
  let choice: VectorChoice
  let readings: Ranking<Contraction>

  init(_ kernel: Kernel, _ target: Target) {
    self.kernel = kernel
    self.target = target
    choice = VectorChoice(kernel: kernel, target: target)
    readings = Contraction.readings(of: kernel, target)
  }

  /// With the vectors along what is folded, for tiles of points.
  func foldTiles(_ most: Int) -> [Candidate] {
    let tiles = Lowering.foldTiles(kernel, target, readings.first?.cost)
    guard most > 1 else { return tiles.first.map { [nest($0.choice, $0.cost)] } ?? [] }
    return tiles.ordered.prefix(2 * most).enumerated().map { place, tile in
      nest(tile.choice, tile.cost, place)
    }
  }

  private func nest(_ tile: FoldTile, _ cost: Double, _ place: Int = 0) -> Candidate {
    if place == 0, let far = FarRows(kernel, tile, target) {
      let plan = VectorChoice(kernel: far.kernel, target: target).plan(far.tile)
      return Candidate(pieces: [Piece(kernel: far.kernel, work: .nest(plan))], cost: cost)
    }
    return Candidate(
      pieces: [Piece(kernel: kernel, work: .nest(choice.plan(tile)))], cost: cost, place: place)
  }

  /// With groups and their results as one dimension.
  func mergedGroups(_ most: Int) -> [Candidate] {
    guard let merged = MergedGroups(kernel, target), let (plan, cost) = merged.plan(target),
      readings.first.map({ cost * $0.choice.rowDistance(target) < $0.cost }) ?? true
    else { return [] }
    return [Candidate(pieces: [Piece(kernel: merged.kernel, work: .nest(plan))], cost: cost)]
  }

  /// With a tile of rows and vectors in registers.
  func contractions(_ most: Int) -> [Candidate] {
    guard let (best, cost) = readings.first else { return [] }
    guard most > 1 else {
      return [Candidate(pieces: best.pieces(best.method(target), target), cost: cost)]
    }
    return readings.ordered.prefix(most).flatMap { reading, _ in
      reading.methods(target).map { method, place in
        Candidate(
          pieces: reading.pieces(method, target), cost: reading.cost(method, target), place: place)
      }
    }
  }

  /// With vectors along any dimension.
  func nests(_ most: Int) -> [Candidate] {
    let plans = most == 1 ? [(plan: choice.plan(), cost: 1, place: 0)] : choice.plans
    return plans.map { plan, cost, place in
      Candidate(
        pieces: [Piece(kernel: kernel, work: .nest(plan))], cost: cost, place: place)
    }.selected(atMost: most)
  }
}
