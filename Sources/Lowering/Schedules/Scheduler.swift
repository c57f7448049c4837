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
  let memories = kernel.parameters.map { parameter in
    LoopMemory(
      name: parameter.name, dtype: parameter.type.dtype,
      count: max(parameter.type.shape.elementCount, 1),
      kind: parameter.role == .input ? .input : .output)
  }
  let flat = normalize(kernel)
  let pieces = pieces(flat, target)
  let builder = LoopsBuilder(name: kernel.name, memories: memories)
  for piece in pieces {
    for parameter in piece.kernel.parameters.dropFirst(builder.loops.memories.count) {
      _ = builder.addMemory(
        LoopMemory(
          name: parameter.name, dtype: parameter.type.dtype,
          count: parameter.type.shape.elementCount, kind: .shared))
    }
  }
  for piece in pieces {
    builder.readOnly = piece.kernel.readOnlyParameters
    switch piece.work {
    case .nest(let plan):
      try NestEmitter(builder, piece.kernel, plan, fault: options.fault).emit()
    case .blocks(let contraction, let blocking):
      try BlockedEmitter(builder, contraction, blocking, fault: options.fault).emit()
    case .attention(let attention):
      try AttentionEmitter(builder, attention, target, fault: options.fault).emit()
    }
  }
  if let problem = builder.loops.verify().first { throw problem }
  return builder.loops
}

/// The phases of a kernel.
///
/// Scratch that they share is appended to the kernels' parameters, in one order.
private func pieces(_ kernel: Kernel, _ target: Target) -> [Piece] {
  if kernel.stages.contains(where: \.isScatter) {
    return [Piece(kernel: kernel, work: .nest(.scalar(kernel)))]
  }
  if let attention = Attention.find(in: kernel) {
    return [Piece(kernel: attention.kernel, work: .attention(attention))]
  }
  // Tiles of many results need no parts to keep all cores busy.
  if let split = SplitReduction(kernel),
    kernel.points(kernel.outer) < 1024
      || tiledFold(kernel, target, Contraction.find(in: kernel, target)?.cost) == nil
  {
    return pieces(whole: split.parts, target) + pieces(whole: split.rest, target)
  }
  return pieces(whole: kernel, target)
}

/// The plan of a kernel whose folds are best computed in tiles, with vectors along what they fold; nil for others.
///
/// - Parameter cost: that of the kernel as a contraction, where it is one.
private func tiledFold(_ kernel: Kernel, _ target: Target, _ cost: Double?) -> NestPlan? {
  let choice = VectorChoice(kernel: kernel, target: target)
  guard let tile = choice.foldTile, cost.map({ tile.cost < $0 }) ?? (choice.outerVector == nil)
  else { return nil }
  return choice.plan(tile)
}

private func pieces(whole kernel: Kernel, _ target: Target) -> [Piece] {
  let found = Contraction.find(in: kernel, target)
  if let plan = tiledFold(kernel, target, found?.cost) {
    return [Piece(kernel: kernel, work: .nest(plan))]
  }
  if let merged = MergedGroups(kernel, target), let (plan, cost) = merged.plan(target),
    found.map({ cost * $0.contraction.rowDistance(target) < $0.cost }) ?? true
  {
    return [Piece(kernel: merged.kernel, work: .nest(plan))]
  }
  if let found { return found.contraction.pieces(target) }
  return [Piece(kernel: kernel, work: .nest(VectorChoice(kernel: kernel, target: target).plan()))]
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
