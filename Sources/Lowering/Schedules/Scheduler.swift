import GraphIR
import LoopIR

/// What a schedule takes beside the kernel and the target.
package struct ScheduleOptions: Hashable, Sendable {
  /// A fault to plant.
  package var fault: PlantedFault?
  /// Makes options.
  package init(fault: PlantedFault? = nil) { self.fault = fault }
}

/// Chooses how a kernel is computed and writes it as loops.
///
/// Total: every well-formed kernel gets loops. What is computed in which order depends on the kernel and the
/// target alone, never on the number of threads.
///
/// - Throws: what is wrong with a malformed kernel.
package func schedule(
  _ kernel: Kernel, for target: Target, options: ScheduleOptions = ScheduleOptions()
) throws(Diagnostic) -> Loops {
  let choices = candidates(normalize(kernel), target, atMost: 1)
  return try loops(kernel, choices[0].pieces, target, options)
}

/// A way to compute a kernel.
package struct ScheduleCandidate: Sendable {
  /// How it is computed, in words.
  package let summary: String
  /// About how long it takes, in multiples of the first candidate's time.
  package let cost: Double
  private let kernel: Kernel
  private let pieces: [Piece]
  private let target: Target
  private let options: ScheduleOptions

  fileprivate init(
    _ kernel: Kernel, _ choice: Candidate, cost: Double, _ target: Target,
    _ options: ScheduleOptions
  ) {
    summary = choice.summary
    self.cost = cost
    self.kernel = kernel
    pieces = choice.pieces
    self.target = target
    self.options = options
  }

  /// Writes it as loops.
  ///
  /// - Throws: what is wrong with a malformed kernel.
  package func loops() throws(Diagnostic) -> Loops {
    try Lowering.loops(kernel, pieces, target, options)
  }
}

/// The ways to compute a kernel that promise most, the one that `schedule` takes first.
///
/// All add up in the same order, so that they give the same bits.
package func scheduleCandidates(
  _ kernel: Kernel, for target: Target, atMost most: Int,
  options: ScheduleOptions = ScheduleOptions()
) -> [ScheduleCandidate] {
  let choices = candidates(normalize(kernel), target, atMost: most)
  return choices.map {
    ScheduleCandidate(kernel, $0, cost: $0.cost / choices[0].cost, target, options)
  }
}

/// Writes the phases of a kernel as loops.
func loops(
  _ kernel: Kernel, _ pieces: [Piece], _ target: Target, _ options: ScheduleOptions
) throws(Diagnostic) -> Loops {
  let memories = kernel.parameters.map { parameter in
    LoopMemory(
      name: parameter.name, dtype: parameter.type.dtype,
      count: max(parameter.type.shape.elementCount, 1),
      kind: parameter.role == .input ? .input : .output)
  }
  let builder = LoopsBuilder(name: kernel.name, memories: memories)
  for piece in pieces {
    for parameter in piece.kernel.parameters.dropFirst(builder.loops.memories.count) {
      _ = builder.addMemory(
        LoopMemory(
          name: parameter.name, dtype: parameter.type.dtype,
          count: parameter.type.shape.elementCount,
          kind: piece.copies.isEmpty ? .shared : .worker))
    }
  }
  for piece in pieces {
    builder.readOnly = piece.kernel.readOnlyParameters
    switch piece.work {
    case .nest(let plan):
      let copies = piece.copies.compactMap { copy -> NestEmitter? in
        guard case .nest(let plan) = copy.work else { return nil }
        return NestEmitter(builder, copy.kernel, plan, fault: options.fault)
      }
      try NestEmitter(builder, piece.kernel, plan, fault: options.fault).emit(after: copies)
    case .blocks(let contraction, let blocking):
      try BlockedEmitter(builder, contraction, blocking, fault: options.fault).emit()
    case .attention(let attention):
      try AttentionEmitter(builder, attention, target, fault: options.fault).emit()
    }
  }
  if let problem = builder.loops.verify().first { throw problem }
  return builder.loops
}

extension Kernel {
  /// The parameters that no stage writes.
  fileprivate var readOnlyParameters: Set<Int> {
    var places = Set(parameters.indices)
    for stage in stages {
      if case .parameter(let place) = stage.target { places.remove(place) }
    }
    return places
  }
}
