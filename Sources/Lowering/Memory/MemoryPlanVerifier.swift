import GraphIR
import LoopIR

extension Program {
  /// Checks where buffers lie, from the launches alone, and gives what is wrong.
  ///
  /// 1. arena buffers are aligned and inside of the arena;
  /// 2. two that share bytes are not alive at one launch, but for an output that takes over an input's place at the
  ///    input's last launch, where the kernel reads and writes equal places;
  /// 3. a donated input's old value is not read by or after the launch that writes the new one, but in place.
  package func verifyMemory() -> [Diagnostic] {
    var problems: [Diagnostic] = []
    func report(_ message: String, at location: Location = .unknown) {
      problems.append(Diagnostic(.malformedGraph, "memory of @\(name): \(message)", at: location))
    }
    let arena = arenaBuffers()
    for buffer in arena {
      if buffer.bytes.lowerBound % ArenaPlan.alignment != 0 || buffer.bytes.upperBound > arenaBytes
      {
        report("b\(buffer.id.index) lies at \(buffer.bytes) of \(arenaBytes) bytes")
      }
    }
    for (place, a) in arena.enumerated() {
      for b in arena[(place + 1)...] where a.bytes.overlaps(b.bytes) && a.life.overlaps(b.life) {
        if !takesOver(b, from: a) && !takesOver(a, from: b) {
          report("b\(a.id.index) and b\(b.id.index) overlap and are alive together")
        }
      }
    }
    for (input, id) in inputs.enumerated() where outputs.contains(id) {
      if let message = problem(ofDonated: Value(input), id) { report(message) }
    }
    return problems
  }

  private struct ArenaBuffer {
    var id: BufferID
    var bytes: Range<Int>
    var life: ClosedRange<Int>
  }

  private func arenaBuffers() -> [ArenaBuffer] {
    let lives = lives()
    return buffers.enumerated().compactMap { place, buffer in
      guard case .arena(let offset) = buffer.placement, let life = lives[BufferID(place)],
        buffer.type.byteCount > 0
      else { return nil }
      return ArenaBuffer(
        id: BufferID(place), bytes: offset..<offset + buffer.type.byteCount, life: life)
    }
  }

  /// Whether `b` may lie where `a` ends.
  private func takesOver(_ b: ArenaBuffer, from a: ArenaBuffer) -> Bool {
    guard a.life.upperBound == b.life.lowerBound, a.bytes == b.bytes else { return false }
    return isWrittenInPlace(launches[b.life.lowerBound], reads: a.id, writes: b.id)
  }

  private func isWrittenInPlace(_ launch: Launch, reads: BufferID, writes: BufferID) -> Bool {
    let kernel = kernels[launch.kernel]
    let places = launch.arguments.indices
    let inputs = places.filter {
      launch.arguments[$0] == reads && kernel.parameters[$0].role == .input
    }
    let outputs = places.filter {
      launch.arguments[$0] == writes && kernel.parameters[$0].role != .input
    }
    return outputs.count == 1
      && inputs.allSatisfy { kernel.canShareMemory(input: $0, output: outputs[0]) }
  }

  private func problem(ofDonated value: Value, _ id: BufferID) -> String? {
    var isReplaced = false
    for launch in launches {
      let kernel = kernels[launch.kernel]
      for (place, argument) in launch.arguments.enumerated() where argument == id {
        if isReplaced && kernel.parameters[place].role == .input && launch.values[place] == value {
          return "@\(kernel.name) reads input \(value.index) after its new value was written"
        }
      }
      let writes = zip(kernel.parameters, launch.arguments).contains {
        $0.role != .input && $1 == id
      }
      if writes && !isReplaced {
        isReplaced = true
        if !isWrittenInPlace(launch, reads: id, writes: id) {
          return "@\(kernel.name) reads input \(value.index) elsewhere than it writes its new value"
        }
      }
    }
    return nil
  }
}
