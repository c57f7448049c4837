import GraphIR
import LLVMBackend
import LoopIR
import Testing

/// Random numbers, bit for bit as the evaluator gives them.
@Suite struct RandomTests {
  @Test(arguments: DType.allCases, [1, 2, 4, 8, 16])
  func streams(_ dtype: DType, _ lanes: Int) throws {
    // From a whole block on, from inside of one, and in another order of the lanes.
    for (start, stride) in [(0, 1), (4 * lanes, 1), (3, 1), (1, 5)] {
      let loops = try buildLoops([
        LoopMemory(name: "y", dtype: dtype, count: 3 * lanes, kind: .output),
        LoopMemory(name: "state", dtype: .u64, count: 40, kind: .input),
      ]) { (builder: LoopsBuilder, _: LoopIndex) throws(Diagnostic) in
        let seed = builder.define(.load(LoopAccess(memory: 1, offset: 38)), LoopType(.u64))
        let step = builder.define(.load(LoopAccess(memory: 1, offset: 39)), LoopType(.u64))
        try builder.loop("i", to: LoopIndex(constant: 3 * lanes), step: lanes) {
          (i: LoopIndex) throws(Diagnostic) in
          let index = builder.define(
            .lanes(i + LoopIndex(constant: start), stride: stride), LoopType(.i64, lanes: lanes))
          let value = builder.define(
            .random(stream: 77, index: index, seed: seed, step: step),
            LoopType(dtype, lanes: lanes))
          builder.store(value, LoopAccess(memory: 0, offset: i))
        }
      }
      try LoopsHarness(loops).check("\(lanes) \(dtype) from \(start) by \(stride)")
    }
  }
}
