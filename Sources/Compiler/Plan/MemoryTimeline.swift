import GraphIR
import LoopIR
import Lowering

/// Which intermediates live when: what of the arena is in use at each launch, and what that is where it is most.
package struct MemoryTimeline: Hashable, Sendable {
  /// One launch.
  package struct Step: Hashable, Sendable {
    /// The kernel.
    package var kernel: String
    /// The bytes of the arena in use while it runs.
    package var liveBytes: Int
  }

  /// An intermediate in the arena.
  package struct Resident: Hashable, Sendable {
    /// The type.
    package var type: TensorType
    /// The bytes that are set aside for it.
    package var bytes: Int
    /// The value of the optimized graph that it is; nil when it is a copy that has no name there.
    package var value: Value?
    /// The kernel that writes it first.
    package var kernel: String
    /// The line and the layer that it comes from.
    package var location: Location
    /// The launches, first and last, between which it is needed.
    package var life: ClosedRange<Int>
  }

  /// The launches, in order.
  package let steps: [Step]
  /// The first launch at which most is in use; nil when nothing ever is.
  package let peak: Int?
  /// What is in use at the peak, the largest first.
  package let residents: [Resident]

  /// Follows a program.
  package init(_ program: Program, graph: Graph) {
    let pieces = program.arenaPieces()
    var starting = [[Int]](repeating: [], count: program.launches.count)
    for (place, piece) in pieces.enumerated() { starting[piece.life.lowerBound].append(place) }
    var live: [Int] = []
    var steps: [Step] = []
    var most: (launch: Int, live: [Int])?
    for (launch, started) in starting.enumerated() {
      live = live.filter { pieces[$0].life.upperBound >= launch } + started
      let owners = MemoryTimeline.owners(live, pieces)
      let bytes = owners.reduce(0) { $0 + pieces[$1].bytes.count }
      steps.append(
        Step(kernel: program.kernels[program.launches[launch].kernel].name, liveBytes: bytes))
      if bytes > (most.map { steps[$0.launch].liveBytes } ?? 0) { most = (launch, owners) }
    }
    self.steps = steps
    peak = most?.launch
    residents = (most?.live ?? []).map { place in
      let piece = pieces[place]
      let buffer = program.buffers[piece.buffer]
      let writer = program.launches[piece.life.lowerBound]
      let definition = buffer.value.flatMap { graph.definition(of: $0)?.location }
      return Resident(
        type: buffer.type, bytes: piece.bytes.count, value: buffer.value,
        kernel: program.kernels[writer.kernel].name, location: definition ?? writer.location,
        life: piece.life)
    }
    .sorted { ($0.bytes, $1.life.lowerBound) > ($1.bytes, $0.life.lowerBound) }
  }

  /// Of pieces in the same place, of which one takes over from the other at this launch, the earlier one.
  private static func owners(_ live: [Int], _ pieces: [ArenaPiece]) -> [Int] {
    var taken: [Int: Int] = [:]
    for place in live.sorted(by: { pieces[$0].life.lowerBound < pieces[$1].life.lowerBound })
    where taken[pieces[place].bytes.lowerBound] == nil {
      taken[pieces[place].bytes.lowerBound] = place
    }
    return taken.values.sorted()
  }
}

extension Compilation {
  /// Which intermediates live when.
  package var memoryTimeline: MemoryTimeline { MemoryTimeline(program, graph: optimized) }
}

/// The part of the arena that a buffer has, and when.
private struct ArenaPiece {
  var buffer: Int
  var bytes: Range<Int>
  var life: ClosedRange<Int>
}

extension Program {
  /// The buffers in the arena that are used and not empty.
  fileprivate func arenaPieces() -> [ArenaPiece] {
    let lives = lives()
    return buffers.enumerated().compactMap { place, buffer in
      guard case .arena(let offset) = buffer.placement, let life = lives[BufferID(place)],
        buffer.type.byteCount > 0
      else { return nil }
      let size = ArenaPlan.roundUp(buffer.type.byteCount)
      return ArenaPiece(buffer: place, bytes: offset..<offset + size, life: life)
    }
  }
}
