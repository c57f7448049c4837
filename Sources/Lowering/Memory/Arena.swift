/// A piece of the arena that is needed from one launch to another.
package struct ArenaRequest: Hashable, Sendable {
  /// The size.
  package var bytes: Int
  /// The launches, first and last, between which it must not be touched by others.
  package var lifetime: ClosedRange<Int>

  /// Asks for bytes during a lifetime.
  package init(bytes: Int, lifetime: ClosedRange<Int>) {
    self.bytes = bytes
    self.lifetime = lifetime
  }
}

/// Where the pieces of an arena lie.
package struct ArenaPlan: Hashable, Sendable {
  /// The offset of each request, a multiple of 64.
  package var offsets: [Int]
  /// The size of the arena.
  package var bytes: Int
  /// The largest sum of sizes, rounded up to 64, of the requests alive at one launch.
  package var lowerBound: Int

  /// The alignment of every piece.
  package static let alignment = 64

  /// Places requests so that no two that are alive together overlap.
  ///
  /// Each is put into the smallest gap that holds it (or the lowest place), in several orders, of which the best is
  /// taken: by size, by lifetime, by area, by start (Pisarchyk and Lee, "Efficient memory management for deep
  /// neural net inference", 2020, compare such orders).
  package static func pack(_ requests: [ArenaRequest]) -> ArenaPlan {
    let sizes = requests.map { roundUp($0.bytes) }
    let bound = lowerBound(requests, sizes)
    func length(_ place: Int) -> Int { requests[place].lifetime.count }
    let keys: [(Int) -> (Int, Int)] = [
      { (-sizes[$0], -length($0)) },
      { (-length($0), -sizes[$0]) },
      { (-sizes[$0] * length($0), -sizes[$0]) },
      { (requests[$0].lifetime.lowerBound, -sizes[$0]) },
      { (-requests[$0].lifetime.upperBound, -sizes[$0]) },
    ]
    var best: ArenaPlan?
    for key in keys {
      let order = requests.indices.sorted { key($0) < key($1) }
      for takesBestGap in [false, true] {
        let plan = pack(requests, sizes, order, takesBestGap, bound)
        if best.map({ plan.bytes < $0.bytes }) ?? true { best = plan }
        if plan.bytes == bound { return plan }
      }
    }
    return best ?? ArenaPlan(offsets: [], bytes: 0, lowerBound: 0)
  }

  /// The bytes that a piece takes up.
  package static func roundUp(_ bytes: Int) -> Int {
    (bytes + alignment - 1) / alignment * alignment
  }

  private static func lowerBound(_ requests: [ArenaRequest], _ sizes: [Int]) -> Int {
    var change: [Int: Int] = [:]
    for (request, size) in zip(requests, sizes) {
      change[request.lifetime.lowerBound, default: 0] += size
      change[request.lifetime.upperBound + 1, default: 0] -= size
    }
    var (live, most) = (0, 0)
    for launch in change.keys.sorted() {
      live += change[launch] ?? 0
      most = max(most, live)
    }
    return most
  }

  private static func pack(
    _ requests: [ArenaRequest], _ sizes: [Int], _ order: [Int], _ takesBestGap: Bool, _ bound: Int
  ) -> ArenaPlan {
    var offsets = [Int](repeating: 0, count: requests.count)
    var placed: [Int] = []
    var total = 0
    for place in order {
      let busy = placed.filter { requests[$0].lifetime.overlaps(requests[place].lifetime) }
        .map { (offsets[$0], offsets[$0] + sizes[$0]) }.sorted { $0 < $1 }
      var end = 0
      var best: (offset: Int, waste: Int)?
      for (from, to) in busy {
        if from - end >= sizes[place] {
          let waste = takesBestGap ? from - end - sizes[place] : 0
          if best.map({ waste < $0.waste }) ?? true { best = (end, waste) }
        }
        end = max(end, to)
      }
      offsets[place] = best?.offset ?? end
      total = max(total, offsets[place] + sizes[place])
      placed.append(place)
    }
    return ArenaPlan(offsets: offsets, bytes: total, lowerBound: bound)
  }
}
