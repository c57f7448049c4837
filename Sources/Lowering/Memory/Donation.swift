import GraphIR
import LoopIR

/// Lets new values take over the memory of donated inputs.
///
/// A new value is written straight to its input's memory when everything else that reads the old value can run
/// before, and the kernel that writes it reads the old value only in place. Otherwise it is written elsewhere and
/// copied at the end.
struct DonationPlan: Sendable {
  /// The launches in their new order, with copies at the end.
  private(set) var launches: [PendingLaunch]
  /// For each tensor that takes over an input's memory, the input.
  private(set) var inputOf: [Int: Int] = [:]
  /// The launches that must come right before each launch, and those that must come right after.
  private var before: [[Int]]
  private var after: [[Int]]
  /// The launches that write, and those that read, a tensor, in order.
  private var writers: [Int: [Int]] = [:]
  private var readers: [Int: [Int]] = [:]

  /// Plans for `donations`: the tensor of each input that is donated, with the output's tensor.
  ///
  /// `arenaBytes` says how large a tensor in the arena is, and 0 of any other.
  init(
    _ launches: [PendingLaunch], donations: [(input: Int, output: Int)],
    describe: (Int) -> (type: TensorType, origin: NodeOrigin), arenaBytes: (Int) -> Int
  ) {
    self.launches = launches
    before = launches.map { _ in [] }
    after = before
    for (place, launch) in launches.enumerated() {
      for tensor in launch.reads { readers[tensor, default: []].append(place) }
      for tensor in launch.arguments {
        for other in writers[tensor] ?? [] { order(other, before: place) }
      }
      for tensor in launch.writes { writers[tensor, default: []].append(place) }
    }
    var copies: [PendingLaunch] = []
    for (input, output) in donations {
      if takeOver(input, output) { continue }
      let (type, origin) = describe(output)
      copies.append(
        .copy(type, from: output, to: input, value: origin.value, location: origin.location))
    }
    let order = LaunchOrder(self.launches, before: before, arenaBytes: arenaBytes)
    self.launches = order.best(sorted()).map { self.launches[$0] }
    self.launches.removeAll { launch in
      // An output that is its own donated input stays where it is.
      launch.writes.count == 1 && launch.kernel.isCopy
        && launch.writes.allSatisfy { inputOf[$0] == launch.arguments[0] }
    }
    self.launches += copies
  }

  private mutating func takeOver(_ input: Int, _ output: Int) -> Bool {
    guard let place = writers[output]?.first else { return false }
    let launch = launches[place]
    let written = launch.arguments.lastIndex(of: output) ?? 0
    for (parameter, argument) in launch.arguments.enumerated() where argument == input {
      if !launch.kernel.canShareMemory(input: parameter, output: written) { return false }
    }
    let readers = (readers[input] ?? []).filter { $0 != place }
    // A reader that needs the new value, or something after it, would have to run before and after.
    let isAfter = areAfter(place)
    if readers.contains(where: { isAfter[$0] }) { return false }
    for reader in readers { order(reader, before: place) }
    inputOf[output] = input
    return true
  }

  private mutating func order(_ first: Int, before second: Int) {
    if before[second].contains(first) { return }
    before[second].append(first)
    after[first].append(second)
  }

  /// For each launch whether it must come after the given one.
  private func areAfter(_ place: Int) -> [Bool] {
    var isAfter = [Bool](repeating: false, count: launches.count)
    var pending = after[place]
    while let current = pending.popLast() {
      if isAfter[current] { continue }
      isAfter[current] = true
      pending += after[current]
    }
    return isAfter
  }

  /// The launches by what must come before; otherwise as they were.
  private func sorted() -> [Int] {
    var done = Set<Int>()
    var order: [Int] = []
    func visit(_ place: Int) {
      guard done.insert(place).inserted else { return }
      for other in before[place].sorted() { visit(other) }
      order.append(place)
    }
    for place in launches.indices { visit(place) }
    return order
  }
}

extension Kernel {
  /// Whether all that the kernel does is to copy its only input.
  var isCopy: Bool {
    guard parameters.count == 2, stages.count == 1, stages[0].kind == .map,
      stages[0].body.instructions.count == 1,
      case .load(.parameter(0), let index, let guards) = stages[0].body.instructions[0].operation
    else { return false }
    return guards.isEmpty && index == stages[0].index
  }
}
