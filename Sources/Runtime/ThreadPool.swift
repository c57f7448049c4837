import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A fixed set of threads that share the tasks of one run at a time.
///
/// The calling thread is worker 0 and takes part, so that a pool of one thread starts none. Tasks are
/// split into contiguous blocks that depend on their number and the number of threads alone. Between
/// runs the workers spin for a moment and then sleep. A run allocates nothing.
package final class ThreadPool: Sendable {
  /// What a run calls for each task.
  package typealias Function =
    @convention(c) (
      _ context: UnsafeRawPointer, _ task: Int, _ worker: Int
    ) -> Void

  /// The number of threads that share the work, the caller's included.
  package let threads: Int
  private let shared: SharedState
  private let workers: [pthread_t]
  /// Held during a run, so that several callers take turns.
  private let turn = Mutex<Void>(())

  /// Starts `threads - 1` threads; fewer when the system does not give as many.
  package init(threads: Int) {
    // With fewer processors than threads, who spins keeps another from working.
    let spinTime = threads > sysconf(Int32(_SC_NPROCESSORS_ONLN)) ? 0 : 30_000
    let shared = SharedState(spinTime: spinTime)
    var workers: [pthread_t] = []
    for index in 1..<max(threads, 1) {
      guard let worker = startWorker(WorkerStart(shared: shared, index: index)) else { break }
      workers.append(worker)
    }
    shared.started(workers.count)
    self.threads = workers.count + 1
    self.workers = workers
    self.shared = shared
  }

  deinit {
    shared.stop()
    for worker in workers { pthread_join(worker, nil) }
  }

  /// Calls the function for every task from 0 to `taskCount - 1` and returns when all have returned.
  ///
  /// Worker w of n takes the tasks from `taskCount * w / n` to `taskCount * (w + 1) / n - 1`, in
  /// order. A task must not call `run` on the same pool.
  package func run(taskCount: Int, _ function: Function, _ context: UnsafeRawPointer) {
    if threads == 1 || taskCount <= 1 {
      for task in 0..<taskCount { function(context, task, 0) }
      return
    }
    turn.withLock { _ in
      shared.run(Job(function: function, context: context, taskCount: taskCount), threads: threads)
    }
  }
}

/// What one run does.
private struct Job {
  var function: ThreadPool.Function
  var context: UnsafeRawPointer
  var taskCount: Int

  func runBlock(of worker: Int, threads: Int) {
    let tasks = taskCount * worker / threads..<taskCount * (worker + 1) / threads
    for task in tasks { function(context, task, worker) }
  }
}

/// What a worker is told when it starts.
private final class WorkerStart {
  let shared: SharedState
  let index: Int
  init(shared: SharedState, index: Int) {
    self.shared = shared
    self.index = index
  }
}

private func startWorker(_ start: WorkerStart) -> pthread_t? {
  var thread = pthread_t()
  let retained = Unmanaged.passRetained(start)
  let status = pthread_create(
    &thread, nil,
    { argument in
      if let argument {
        let start = Unmanaged<WorkerStart>.fromOpaque(argument).takeRetainedValue()
        start.shared.work(start.index)
      }
      return nil
    }, retained.toOpaque())
  guard status == 0 else {
    retained.release()
    return nil
  }
  return thread
}

/// What the caller and the workers share.
///
/// The caller writes the job and then advances `generation`; each worker runs its block and then
/// lowers `remaining`. Whoever waits spins on one of the two, then announces that it sleeps, looks
/// once more under the lock, and sleeps; whoever changes one wakes the sleepers that it sees. All
/// these accesses are sequentially consistent: either the sleeper sees the change, or the changer
/// sees the sleeper.
private final class SharedState: @unchecked Sendable {
  /// Counts runs; a new value tells the workers to begin.
  private let generation = Atomic<Int>(0)
  /// The number of workers that have not finished the current run.
  private let remaining = Atomic<Int>(0)
  private let sleepingWorkers = Atomic<Int>(0)
  private let callerSleeps = Atomic<Bool>(false)
  private let stopping = Atomic<Bool>(false)
  /// The number of threads; 0 until all are started.
  private let threads = Atomic<Int>(0)
  /// For how many nanoseconds a thread spins before it sleeps.
  private let spinTime: Int
  private let job: UnsafeMutablePointer<Job?>
  private let lock: UnsafeMutablePointer<pthread_mutex_t>
  private let work: UnsafeMutablePointer<pthread_cond_t>
  private let finished: UnsafeMutablePointer<pthread_cond_t>

  init(spinTime: Int) {
    self.spinTime = spinTime
    job = .allocate(capacity: 1)
    job.initialize(to: nil)
    lock = .allocate(capacity: 1)
    lock.initialize(to: pthread_mutex_t())
    pthread_mutex_init(lock, nil)
    work = .allocate(capacity: 1)
    work.initialize(to: pthread_cond_t())
    pthread_cond_init(work, nil)
    finished = .allocate(capacity: 1)
    finished.initialize(to: pthread_cond_t())
    pthread_cond_init(finished, nil)
  }

  deinit {
    pthread_cond_destroy(work)
    pthread_cond_destroy(finished)
    pthread_mutex_destroy(lock)
    work.deallocate()
    finished.deallocate()
    lock.deallocate()
    job.deallocate()
  }

  func started(_ workers: Int) {
    threads.store(workers + 1, ordering: .sequentiallyConsistent)
  }

  func stop() {
    stopping.store(true, ordering: .sequentiallyConsistent)
    wakeWorkers()
  }

  func run(_ job: Job, threads: Int) {
    self.job.pointee = job
    remaining.store(threads - 1, ordering: .relaxed)
    wakeWorkers()
    job.runBlock(of: 0, threads: threads)
    if spins(for: spinTime, until: { self.remaining.load(ordering: .acquiring) == 0 }) { return }
    pthread_mutex_lock(lock)
    callerSleeps.store(true, ordering: .sequentiallyConsistent)
    while remaining.load(ordering: .sequentiallyConsistent) != 0 {
      pthread_cond_wait(finished, lock)
    }
    callerSleeps.store(false, ordering: .sequentiallyConsistent)
    pthread_mutex_unlock(lock)
  }

  /// Begins a run, or the end.
  private func wakeWorkers() {
    generation.add(1, ordering: .sequentiallyConsistent)
    if sleepingWorkers.load(ordering: .sequentiallyConsistent) > 0 {
      pthread_mutex_lock(lock)
      pthread_cond_broadcast(work)
      pthread_mutex_unlock(lock)
    }
  }

  /// The life of a worker.
  func work(_ worker: Int) {
    var seen = 0
    while true {
      seen = nextGeneration(after: seen)
      if stopping.load(ordering: .sequentiallyConsistent) { return }
      job.pointee?.runBlock(of: worker, threads: threads.load(ordering: .relaxed))
      if remaining.subtract(1, ordering: .sequentiallyConsistent).newValue == 0,
        callerSleeps.load(ordering: .sequentiallyConsistent)
      {
        pthread_mutex_lock(lock)
        pthread_cond_signal(finished)
        pthread_mutex_unlock(lock)
      }
    }
  }

  private func nextGeneration(after seen: Int) -> Int {
    if spins(for: spinTime, until: { self.generation.load(ordering: .acquiring) != seen }) {
      return generation.load(ordering: .acquiring)
    }
    pthread_mutex_lock(lock)
    sleepingWorkers.add(1, ordering: .sequentiallyConsistent)
    while generation.load(ordering: .sequentiallyConsistent) == seen {
      pthread_cond_wait(work, lock)
    }
    sleepingWorkers.subtract(1, ordering: .sequentiallyConsistent)
    pthread_mutex_unlock(lock)
    return generation.load(ordering: .acquiring)
  }
}

/// Waits for a condition for some nanoseconds.
///
/// - Returns: whether the condition came true.
@inline(__always)
private func spins(for time: Int, until condition: () -> Bool) -> Bool {
  let deadline = nanoseconds() + time
  repeat {
    for _ in 0..<64 where condition() { return true }
  } while nanoseconds() < deadline
  return condition()
}

private func nanoseconds() -> Int {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return time.tv_sec * 1_000_000_000 + time.tv_nsec
}
