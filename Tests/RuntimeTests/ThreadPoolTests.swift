import Glibc
import Runtime
import Synchronization
import Testing

/// What the tasks of a test write: for each task how often it ran, and who ran it.
private final class Record: Sendable {
  let runs: [Atomic<Int>.Box]
  let workers: [Atomic<Int>.Box]
  init(_ count: Int) {
    runs = (0..<count).map { _ in .init(0) }
    workers = (0..<count).map { _ in .init(-1) }
  }

  func run(on pool: ThreadPool) {
    pool.run(
      taskCount: runs.count,
      { context, task, worker in
        let record = Unmanaged<Record>.fromOpaque(context).takeUnretainedValue()
        record.runs[task].value.add(1, ordering: .relaxed)
        record.workers[task].value.store(worker, ordering: .relaxed)
      }, Unmanaged.passUnretained(self).toOpaque())
  }
}

extension Atomic where Value == Int {
  /// An atomic integer in an array.
  fileprivate final class Box: Sendable {
    let value: Atomic<Int>
    init(_ value: Int) { self.value = Atomic<Int>(value) }
  }
}

@Suite struct ThreadPoolTests {
  @Test(arguments: [1, 2, 3, 4, 7]) func everyTaskRunsOnce(_ threads: Int) {
    let pool = ThreadPool(threads: threads)
    #expect(pool.threads == threads)
    for count in [0, 1, 2, 3, 5, 8, 100] {
      let record = Record(count)
      record.run(on: pool)
      #expect(record.runs.allSatisfy { $0.value.load(ordering: .relaxed) == 1 })
      let workers = record.workers.map { $0.value.load(ordering: .relaxed) }
      #expect(workers.allSatisfy { 0..<threads ~= $0 })
      if count == 1 { #expect(workers == [0]) }
    }
  }

  @Test func whoIsDoneTakesOverTheTasksOfOthers() {
    let pool = ThreadPool(threads: 2)
    for _ in 0..<100 {
      let record = Record(8)
      // The first task of the second block lasts until the rest of the block is done by another.
      pool.run(
        taskCount: 8,
        { context, task, worker in
          let record = Unmanaged<Record>.fromOpaque(context).takeUnretainedValue()
          for other in 5..<8 where task == 4 {
            for _ in 0..<50_000 where record.runs[other].value.load(ordering: .relaxed) == 0 {
              usleep(100)
            }
            #expect(record.runs[other].value.load(ordering: .relaxed) == 1)
          }
          record.runs[task].value.add(1, ordering: .relaxed)
          record.workers[task].value.store(worker, ordering: .relaxed)
        }, Unmanaged.passUnretained(record).toOpaque())
      #expect(record.runs.allSatisfy { $0.value.load(ordering: .relaxed) == 1 })
      #expect(record.workers[5].value.load(ordering: .relaxed) == 0)
    }
  }

  @Test func onlyTheCallerWorksInAPoolOfOne() {
    let pool = ThreadPool(threads: 1)
    var caller = pthread_self()
    withUnsafePointer(to: &caller) { caller in
      pool.run(
        taskCount: 5,
        { context, _, worker in
          #expect(pthread_equal(context.load(as: pthread_t.self), pthread_self()) != 0)
          #expect(worker == 0)
        }, caller)
    }
    #expect(ThreadPool(threads: 0).threads == 1)
    #expect(ThreadPool(threads: -3).threads == 1)
  }

  @Test func manyRunsBackToBackSeeEachOthersWrites() {
    let pool = ThreadPool(threads: 3)
    // Plain memory: run r adds to what run r - 1 left there, on another worker each time.
    let cells = UnsafeMutablePointer<Int>.allocate(capacity: 3)
    cells.initialize(repeating: 0, count: 3)
    defer { cells.deallocate() }
    for _ in 0..<20_000 {
      pool.run(
        taskCount: 3,
        { context, task, _ in
          UnsafeMutablePointer(mutating: context.assumingMemoryBound(to: Int.self))[task] += task
        }, cells)
      let last = cells[2]
      cells[2] = cells[0]
      cells[0] = cells[1]
      cells[1] = last
    }
    // Each value moves round the three cells and gains 0, 1 or 2 where it stands.
    #expect(cells[0] + cells[1] + cells[2] == 60_000)
  }

  @Test func sleepersAreWoken() {
    let pool = ThreadPool(threads: 4)
    for pause in [0, 10, 25, 35, 100, 2000] as [UInt32] {
      for _ in 0..<20 {
        usleep(pause)
        let record = Record(9)
        record.run(on: pool)
        #expect(record.runs.allSatisfy { $0.value.load(ordering: .relaxed) == 1 })
      }
    }
  }

  @Test func theCallerSleepsWhileAWorkerIsSlow() {
    let pool = ThreadPool(threads: 2)
    let slow = Record(2)
    for _ in 0..<5 {
      pool.run(
        taskCount: 2,
        { context, task, _ in
          if task == 1 { usleep(3000) }
          let record = Unmanaged<Record>.fromOpaque(context).takeUnretainedValue()
          record.runs[task].value.add(1, ordering: .relaxed)
        }, Unmanaged.passUnretained(slow).toOpaque())
    }
    #expect(slow.runs.map { $0.value.load(ordering: .relaxed) } == [5, 5])
  }

  @Test func callersTakeTurns() async {
    let pool = ThreadPool(threads: 2)
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<4 {
        group.addTask {
          (0..<500).allSatisfy { index in
            let record = Record(index % 7)
            record.run(on: pool)
            return record.runs.allSatisfy { $0.value.load(ordering: .relaxed) == 1 }
          }
        }
      }
      for await isRight in group { #expect(isRight) }
    }
  }

  @Test func poolsComeAndGo() {
    for threads in 1...40 {
      let pool = ThreadPool(threads: threads % 5 + 1)
      if threads % 3 > 0 { Record(threads).run(on: pool) }
    }
  }
}
