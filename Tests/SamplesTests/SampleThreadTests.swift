import Compiler
import GraphIR
import Martlet
import Runtime
import Samples
import Testing
import ThreadCounter

/// Which threads a sample's compilation and its runs start.
@Suite struct SampleThreadTests {
  /// The threads that are started to compile a training step, without the cache, and to run it.
  private func startedThreads(threads: Int, autotune: Bool = false) throws -> Int64 {
    let sample = try quick("lenet")
    let graph = try sample.graph(training: true, batch: 16, withGradients: false)
    let before = threadsStartedByThisThread()
    var session = try Session(
      try JITBackend(options: CompileOptions(threads: threads, autotune: autotune)).prepare(graph))
    for _ in 0..<3 { try session.run() }
    return threadsStartedByThisThread() - before
  }

  @Test(arguments: [false, true]) func oneThreadStartsNoOther(_ autotune: Bool) throws {
    try #require(threadsAreCounted() == 1)
    #expect(try startedThreads(threads: 1, autotune: autotune) == 0)
  }

  @Test func twoThreadsAreSeen() throws {
    try #require(threadsAreCounted() == 1)
    #expect(try startedThreads(threads: 2) > 0)
  }
}
