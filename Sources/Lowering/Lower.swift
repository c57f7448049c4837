import GraphIR
import LoopIR

/// Lowers a verified graph to kernels, their order, and the memory that they work on.
///
/// - Throws: a failure of ours, found by the verifiers of kernels, program and memory plan.
package func lower(
  _ graph: Graph, options: LoweringOptions = LoweringOptions()
) throws(Diagnostic) -> Program {
  let fused = try fuse(graph, fault: options.fault)
  var assembler = ProgramAssembler(graph, fused, options)
  let program = assembler.assemble()
  // A planted fault is found by comparing results, not here.
  if options.fault == nil, var problem = (program.verify() + program.verifyMemory()).first {
    problem.code = .internalError
    throw problem
  }
  return program
}
