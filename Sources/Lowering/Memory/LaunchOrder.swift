/// Orders launches so that less memory is in use at once.
///
/// What frees more than it takes runs as soon as it can: the gradient and the update of a layer's weights, say, before
/// the next layer's gradients, so that the layer's activations end there. Otherwise the given order holds.
///
/// Only tensors in the arena count; they are numbered in their own order.
struct LaunchOrder {
  /// For each launch the tensors that it touches.
  private let touched: [[Int]]
  /// For each launch those that must run before it.
  private let before: [[Int]]
  /// The bytes of each tensor.
  private let bytes: [Int]
  /// For each tensor the launches that touch it.
  private let touching: [[Int]]

  /// Looks at launches; `arenaBytes` says how large a tensor is, and 0 when it is not in the arena.
  init(_ launches: [PendingLaunch], before: [[Int]], arenaBytes: (Int) -> Int) {
    self.before = before
    let tensors = Set(launches.lazy.flatMap(\.arguments)).sorted().filter { arenaBytes($0) > 0 }
    bytes = tensors.map(arenaBytes)
    let numbers = Dictionary(uniqueKeysWithValues: zip(tensors, tensors.indices))
    touched = launches.map { launch in
      Set(launch.arguments.compactMap { numbers[$0] }).sorted()
    }
    var touching = tensors.map { _ in [Int]() }
    for (place, tensors) in touched.enumerated() {
      for tensor in tensors { touching[tensor].append(place) }
    }
    self.touching = touching
  }

  /// The better of the given order, which must be possible, and the one that frees early.
  func best(_ given: [Int]) -> [Int] {
    let early = freeingEarly(given)
    return peak(early) < peak(given) ? early : given
  }

  /// The most bytes in use at a launch.
  func peak(_ order: [Int]) -> Int {
    var remaining = touching.map(\.count)
    var (live, most) = (0, 0)
    for launch in order {
      for tensor in touched[launch] where remaining[tensor] == touching[tensor].count {
        live += bytes[tensor]
      }
      most = max(most, live)
      for tensor in touched[launch] {
        remaining[tensor] -= 1
        if remaining[tensor] == 0 { live -= bytes[tensor] }
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
      while let group = bestGroup(&state) {
        for member in group.sorted(by: { place[$0] < place[$1] }) { state.run(member, self) }
      }
      if !state.isDone[launch] { state.run(launch, self) }
    }
    return state.order
  }

  /// What has run so far.
  private struct State {
    var order: [Int] = []
    var isDone: [Bool]
    /// For each tensor the number of launches that have not run and touch it.
    var remaining: [Int]
    /// Whether a tensor is in use, and other launches are still to touch it.
    var isLive: [Bool]
    /// For each tensor the launches of a group that touch it; 0 between groups.
    var touches: [Int]
    /// Launches that are to join a group.
    var pending: [Int] = []

    init(_ plan: LaunchOrder) {
      isDone = plan.touched.map { _ in false }
      remaining = plan.touching.map(\.count)
      isLive = plan.touching.map { _ in false }
      touches = plan.touching.map { _ in 0 }
    }

    mutating func run(_ launch: Int, _ plan: LaunchOrder) {
      isDone[launch] = true
      order.append(launch)
      for tensor in plan.touched[launch] {
        remaining[tensor] -= 1
        isLive[tensor] = remaining[tensor] > 0
      }
    }
  }

  /// The most launches that run out of turn together.
  private static let groupSize = 12

  /// Launches that together end a tensor and free more than they take, with what must run before them.
  ///
  /// Of several such groups it is that which frees most.
  private func bestGroup(_ state: inout State) -> [Int]? {
    var best: (net: Int, group: [Int])?
    var group: [Int] = []
    for tensor in bytes.indices where state.isLive[tensor] {
      guard find(&group, ending: tensor, &state) else { continue }
      let net = net(of: group, &state)
      if net < 0, best.map({ net < $0.net }) ?? true { best = (net, group) }
    }
    return best?.group
  }

  /// Finds the launches that are still to touch a tensor, with what must run before them.
  ///
  /// - Returns: false when these are too many.
  private func find(_ group: inout [Int], ending tensor: Int, _ state: inout State) -> Bool {
    group.removeAll(keepingCapacity: true)
    if state.remaining[tensor] > LaunchOrder.groupSize { return false }
    state.pending.removeAll(keepingCapacity: true)
    for launch in touching[tensor] where !state.isDone[launch] { state.pending.append(launch) }
    while let launch = state.pending.popLast() {
      if group.contains(launch) { continue }
      if group.count == LaunchOrder.groupSize { return false }
      group.append(launch)
      for earlier in before[launch] where !state.isDone[earlier] { state.pending.append(earlier) }
    }
    return true
  }

  /// The bytes that are in use more after launches than before them.
  private func net(of group: [Int], _ state: inout State) -> Int {
    for launch in group { for tensor in touched[launch] { state.touches[tensor] += 1 } }
    var net = 0
    for launch in group {
      for tensor in touched[launch] where state.touches[tensor] > 0 {
        let isLast = state.remaining[tensor] == state.touches[tensor]
        state.touches[tensor] = 0
        if state.isLive[tensor] {
          if isLast { net -= bytes[tensor] }
        } else if !isLast {
          net += bytes[tensor]
        }
      }
    }
    return net
  }
}
