import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A fixed set of threads that share the tasks of one run at a time.
///
/// The calling thread is worker 0 and takes part, so that a pool of one thread starts none. Each
/// worker has a contiguous block of tasks, which depends on their number and the number of threads
/// alone; who is done with its block takes over what others have not begun, from the end. A thread
/// that the system holds up, or wakes late, so holds up nobody else for longer than a task. Between
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
    let spinTime = threads > sysconf(Int32(_SC_NPROCESSORS_ONLN)) ? 0 : 100_000
    let shared = SharedState(threads: max(threads, 1), spinTime: spinTime)
    var workers: [pthread_t] = []
    for index in 1..<max(threads, 1) {
      guard let worker = startWorker(WorkerStart(shared: shared, index: index)) else { break }
      workers.append(worker)
    }
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
  /// Worker w of n begins with the tasks from `taskCount * w / n` to `taskCount * (w + 1) / n - 1`,
  /// in order. A task must not call `run` on the same pool.
  ///
  /// - Parameter taskCount: less than 2^32.
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
}

/// The tasks of a worker's block that nobody has begun: it takes the first, others the last.
private struct Block: ~Copyable {
  /// The first task in the low half, and the end of all in the high one.
  private let tasks = Atomic<UInt64>(0)
  /// Fills a line of the caches, so that workers do not wait for each other's.
  private let padding: (Int, Int, Int, Int, Int, Int, Int) = (0, 0, 0, 0, 0, 0, 0)

  func set(_ range: Range<Int>) {
    tasks.store(UInt64(range.upperBound) << 32 | UInt64(range.lowerBound), ordering: .relaxed)
  }

  func takeFirst() -> Int? { take { ($0 & 0xFFFF_FFFF, $0 + 1) } }

  func takeLast() -> Int? { take { ($0 >> 32 - 1, $0 - 1 << 32) } }

  /// Takes a task, given it and what is left.
  @inline(__always)
  private func take(_ split: (UInt64) -> (task: UInt64, rest: UInt64)) -> Int? {
    var range = tasks.load(ordering: .relaxed)
    while range & 0xFFFF_FFFF < range >> 32 {
      let (task, rest) = split(range)
      let (isTaken, now) = tasks.weakCompareExchange(
        expected: range, desired: rest, ordering: .relaxed)
      if isTaken { return Int(task) }
      range = now
    }
    return nil
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
/// The caller writes the job, opens it and advances `generation`. Each worker that comes while it is
/// open enters, takes tasks until there are none, and leaves. The caller closes the job when it finds
/// no more tasks, and waits until all that entered have left; who comes later finds it closed. Whoever
/// waits spins, then announces that it sleeps, looks once more under the lock, and sleeps; whoever
/// changes what it waits for wakes the sleepers that it sees. All these accesses are sequentially
/// consistent: of two that each write one of them and then read the other, one sees the other's.
private final class SharedState: @unchecked Sendable {
  /// Counts runs; a new value tells the workers to begin.
  private let generation = Atomic<Int>(0)
  /// Whether there is a job that workers may enter.
  private let isOpen = Atomic<Bool>(false)
  /// The workers that have come and not left.
  private let present = Atomic<Int>(0)
  private let sleepingWorkers = Atomic<Int>(0)
  private let callerSleeps = Atomic<Bool>(false)
  private let stopping = Atomic<Bool>(false)
  /// For how many nanoseconds a thread spins before it sleeps.
  private let spinTime: Int
  private let job: UnsafeMutablePointer<Job?>
  /// Each worker's tasks.
  private let blocks: UnsafeMutableBufferPointer<Block>
  private let lock: UnsafeMutablePointer<pthread_mutex_t>
  private let work: UnsafeMutablePointer<pthread_cond_t>
  private let finished: UnsafeMutablePointer<pthread_cond_t>

  init(threads: Int, spinTime: Int) {
    self.spinTime = spinTime
    job = .allocate(capacity: 1)
    job.initialize(to: nil)
    blocks = .allocate(capacity: threads)
    for place in blocks.indices { blocks.initializeElement(at: place, to: Block()) }
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
    blocks.deallocate()
  }

  func stop() {
    stopping.store(true, ordering: .sequentiallyConsistent)
    wakeWorkers()
  }

  /// Runs a job on the calling thread and the first workers, as far as these come in time.
  func run(_ job: Job, threads: Int) {
    self.job.pointee = job
    let count = job.taskCount
    for worker in 0..<threads {
      blocks[worker].set(count * worker / threads..<count * (worker + 1) / threads)
    }
    isOpen.store(true, ordering: .sequentiallyConsistent)
    wakeWorkers()
    takeTasks(of: job, as: 0)
    isOpen.store(false, ordering: .sequentiallyConsistent)
    if spins(for: spinTime, until: { isAlone }) { return }
    pthread_mutex_lock(lock)
    callerSleeps.store(true, ordering: .sequentiallyConsistent)
    while !isAlone { pthread_cond_wait(finished, lock) }
    callerSleeps.store(false, ordering: .sequentiallyConsistent)
    pthread_mutex_unlock(lock)
  }

  /// Whether all workers that came have left.
  private var isAlone: Bool { present.load(ordering: .sequentiallyConsistent) == 0 }

  /// Does a worker's own tasks, and then those that others have not begun.
  private func takeTasks(of job: Job, as worker: Int) {
    while let task = blocks[worker].takeFirst() { job.function(job.context, task, worker) }
    for step in 1..<blocks.count {
      let other = (worker + step) % blocks.count
      while let task = blocks[other].takeLast() { job.function(job.context, task, worker) }
    }
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
      present.add(1, ordering: .sequentiallyConsistent)
      if isOpen.load(ordering: .sequentiallyConsistent), let job = job.pointee {
        takeTasks(of: job, as: worker)
      }
      if present.subtract(1, ordering: .sequentiallyConsistent).newValue == 0,
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
