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
  let builder = LoopsBuilder(name: kernel.name, memories: memories)
  builder.readOnly = Set(memories.indices.filter { memories[$0].kind == .input })
  let flat = normalize(kernel)
  let plan =
    flat.stages.contains(where: \.isScatter)
    ? NestPlan.scalar(flat) : VectorChoice(kernel: flat, target: target).plan()
  try NestEmitter(builder, flat, plan, fault: options.fault).emit()
  if let problem = builder.loops.verify().first { throw problem }
  return builder.loops
}
