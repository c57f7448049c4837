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
  private func startedThreads(threads: Int) throws -> Int64 {
    let sample = try #require(Samples.named("lenet"))
    let graph = try sample.graph(training: true, batch: 16, withGradients: false)
    let before = threadsStartedByThisThread()
    var session = try Session(try JITBackend(threads: threads).prepare(graph))
    for _ in 0..<3 { try session.run() }
    return threadsStartedByThisThread() - before
  }

  @Test func oneThreadStartsNoOther() throws {
    try #require(threadsAreCounted() == 1)
    #expect(try startedThreads(threads: 1) == 0)
  }

  @Test func twoThreadsAreSeen() throws {
    try #require(threadsAreCounted() == 1)
    #expect(try startedThreads(threads: 2) > 0)
  }
}
