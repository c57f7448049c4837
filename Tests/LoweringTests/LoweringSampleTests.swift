import Compiler
import GraphIR
import LoopIR
import Lowering
import TestSupport
import Testing

/// Lowering of every operation's samples and of random graphs, run as kernels, against the interpreter.
@Suite struct LoweringSampleTests {
  @Test(arguments: GraphIR.Operation.Kind.allCases)
  func samplesKeepTheirMeaning(_ kind: GraphIR.Operation.Kind) throws {
    for sample in samples(of: kind) {
      try expectSame(sample.graph(), inputs: sample.inputs())
    }
  }

  @Test(arguments: 0..<150) func randomGraphsKeepTheirMeaning(_ seed: Int) throws {
    try expectSame(RandomGraph(seed: UInt64(seed)).make())
  }
}
