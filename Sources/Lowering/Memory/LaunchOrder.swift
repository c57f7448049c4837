/// Orders launches so that less memory is in use at once.
///
/// What frees more than it takes runs as soon as it can: the gradient and the update of a layer's weights, say, before
/// the next layer's gradients, so that the layer's activations end there. Otherwise the given order holds.
struct LaunchOrder {
  /// For each launch the tensors that it touches, when they are in the arena.
  private let touched: [[Int]]
  /// For each launch those that must run before it.
  private let before: [Set<Int>]
  /// The bytes of a tensor in the arena.
  private let bytes: [Int: Int]
  /// For each tensor the launches that touch it.
  private var touching: [Int: [Int]] = [:]

  /// Looks at launches; `arenaBytes` says how large a tensor is, and 0 when it is not in the arena.
  init(_ launches: [PendingLaunch], before: [Set<Int>], arenaBytes: (Int) -> Int) {
    self.before = before
    var bytes: [Int: Int] = [:]
    touched = launches.map { launch in
      launch.reads.union(launch.writes).sorted().filter { tensor in
        let size = bytes[tensor] ?? arenaBytes(tensor)
        bytes[tensor] = size
        return size > 0
      }
    }
    self.bytes = bytes
    for (place, tensors) in touched.enumerated() {
      for tensor in tensors { touching[tensor, default: []].append(place) }
    }
  }

  /// The better of the given order, which must be possible, and the one that frees early.
  func best(_ given: [Int]) -> [Int] {
    let early = freeingEarly(given)
    return peak(early) < peak(given) ? early : given
  }

  /// The most bytes in use at a launch.
  func peak(_ order: [Int]) -> Int {
    var remaining = touching.mapValues(\.count)
    var (live, most) = (0, 0)
    for launch in order {
      for tensor in touched[launch] where remaining[tensor] == touching[tensor]?.count {
        live += bytes[tensor] ?? 0
      }
      most = max(most, live)
      for tensor in touched[launch] {
        remaining[tensor, default: 0] -= 1
        if remaining[tensor] == 0 { live -= bytes[tensor] ?? 0 }
      }
    }
    return most
  }

  /// The order in which launches that free memory come as early as they can.
  private func freeingEarly(_ given: [Int]) -> [Int] {
    var state = State(self)
    var place = given
    for (position, launch) in given.enumerated() { place[launch] = position }
    for launch in given {
      while let group = bestGroup(state, place) {
        for member in group { state.run(member, self) }
      }
      if !state.isDone[launch] { state.run(launch, self) }
    }
    return state.order
  }

  /// What has run so far.
  private struct State {
    var order: [Int] = []
    var isDone: [Bool]
    /// The launches that have not run but touch a tensor.
    var remaining: [Int: Int]
    /// The tensors in use, that other launches are still to touch.
    var live: Set<Int> = []

    init(_ plan: LaunchOrder) {
      isDone = plan.touched.map { _ in false }
      remaining = plan.touching.mapValues(\.count)
    }

    mutating func run(_ launch: Int, _ plan: LaunchOrder) {
      isDone[launch] = true
      order.append(launch)
      for tensor in plan.touched[launch] {
        let left = (remaining[tensor] ?? 1) - 1
        remaining[tensor] = left
        if left > 0 { live.insert(tensor) } else { live.remove(tensor) }
      }
    }
  }

  /// The most launches that run out of turn together.
  private static let groupSize = 12

  /// Launches that together end a tensor and free more than they take, with what must run before them.
  ///
  /// Of several such groups it is that which frees most; `place` is each launch's in the given order.
  private func bestGroup(_ state: State, _ place: [Int]) -> [Int]? {
    var best: (net: Int, group: [Int])?
    for tensor in state.live.sorted() {
      guard let group = group(ending: tensor, state) else { continue }
      let net = net(of: group, state)
      if net < 0, best.map({ net < $0.net }) ?? true { best = (net, group) }
    }
    return best?.group.sorted { place[$0] < place[$1] }
  }

  /// The launches that are still to touch a tensor, with what must run before them; nil when these are many.
  private func group(ending tensor: Int, _ state: State) -> [Int]? {
    var pending = (touching[tensor] ?? []).filter { !state.isDone[$0] }
    var group: [Int] = []
    while let launch = pending.popLast() {
      if group.contains(launch) { continue }
      if group.count == LaunchOrder.groupSize { return nil }
      group.append(launch)
      pending += before[launch].filter { !state.isDone[$0] }
    }
    return group
  }

  /// The bytes that are in use more after launches than before them.
  private func net(of group: [Int], _ state: State) -> Int {
    var touches: [Int: Int] = [:]
    for launch in group { for tensor in touched[launch] { touches[tensor, default: 0] += 1 } }
    return touches.reduce(0) { sum, entry in
      let (tensor, count) = entry
      let isLast = state.remaining[tensor] == count
      let size = bytes[tensor] ?? 0
      if state.live.contains(tensor) { return isLast ? sum - size : sum }
      return isLast ? sum : sum + size
    }
  }
}
