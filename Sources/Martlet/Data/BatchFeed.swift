import GraphIR

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Gives programs the batches of a data set, each of which is read ahead on another thread where that is work: while a step
/// runs, the examples that follow are read and augmented.
///
/// What is given does not depend on what was read ahead: a batch that was not expected is read at once.
final class BatchFeed {
  private let examples: Dataset
  private let reader: BatchReader?
  /// What decides the random changes of the present epoch; without, examples are as they are when they are only looked at.
  var draw: AugmentationDraw?

  /// Makes a feed, whose thread ends with it.
  init(_ examples: Dataset) {
    self.examples = examples
    reader = examples.isWork ? BatchReader(examples) : nil
  }

  deinit { reader?.stop() }

  /// Copies the examples at `positions` of `order` into the memory of a batch.
  ///
  /// Allocates nothing for plain examples in memory.
  ///
  /// - Throws: what is wrong with reading them.
  func gather(
    _ positions: Range<Int>, of order: [Int], inputs: UnsafeMutableRawBufferPointer,
    labels: UnsafeMutableRawBufferPointer
  ) throws(Diagnostic) {
    guard let reader else {
      return try examples.gather(positions, of: order, draw, inputs: inputs, labels: labels)
    }
    let batch = BatchReader.Batch(positions: positions, order: order, draw: draw)
    try reader.take(batch, inputs: inputs, labels: labels)
    let end = min(positions.upperBound + positions.count, order.count)
    if positions.upperBound < end {
      reader.begin(
        BatchReader.Batch(positions: positions.upperBound..<end, order: order, draw: draw))
    }
  }
}

/// A thread that reads one batch at a time into memory of its own.
///
/// The caller writes a wish and wakes the thread, which reads the batch and puts down how it went. All that both touch is
/// guarded by the lock, but for the memory, which is the thread's from the wish until it says that it is done.
private final class BatchReader: @unchecked Sendable {
  /// Which examples, in which form.
  struct Batch: Equatable {
    var positions: Range<Int>
    var order: [Int]
    var draw: AugmentationDraw?
  }

  private let examples: Dataset
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var thread: pthread_t?
  private var isStopping = false
  /// The batch that is being read or was read last.
  private var wish: Batch?
  /// How reading it went; nil while it goes on.
  private var result: Result<Void, Diagnostic>?
  private var inputs = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var labels = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  /// Starts the thread.
  ///
  /// Where the system gives none, batches are read when they are taken.
  init(_ examples: Dataset) {
    self.examples = examples
    lock.initialize(to: pthread_mutex_t())
    pthread_mutex_init(lock, nil)
    changed.initialize(to: pthread_cond_t())
    pthread_cond_init(changed, nil)
    var started = pthread_t()
    let retained = Unmanaged.passRetained(self)
    let status = pthread_create(
      &started, nil,
      { argument in
        if let argument {
          Unmanaged<BatchReader>.fromOpaque(argument).takeRetainedValue().work()
        }
        return nil
      }, retained.toOpaque())
    if status == 0 { thread = started } else { retained.release() }
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(lock)
    changed.deallocate()
    lock.deallocate()
    inputs.deallocate()
    labels.deallocate()
  }

  /// Ends the thread, after the batch that it reads.
  func stop() {
    guard let thread else { return }
    pthread_mutex_lock(lock)
    isStopping = true
    pthread_cond_broadcast(changed)
    pthread_mutex_unlock(lock)
    pthread_join(thread, nil)
    self.thread = nil
  }

  /// Begins to read a batch; none is being read.
  func begin(_ batch: Batch) {
    guard thread != nil else { return }
    pthread_mutex_lock(lock)
    wish = batch
    result = nil
    pthread_cond_broadcast(changed)
    pthread_mutex_unlock(lock)
  }

  /// Gives the batch that was begun, or reads another one now.
  func take(
    _ batch: Batch, inputs target: UnsafeMutableRawBufferPointer,
    labels labelTarget: UnsafeMutableRawBufferPointer
  ) throws(Diagnostic) {
    pthread_mutex_lock(lock)
    while wish != nil, result == nil { pthread_cond_wait(changed, lock) }
    let (taken, result) = (wish, result)
    wish = nil
    pthread_mutex_unlock(lock)
    guard let result, taken == batch else {
      return try examples.gather(
        batch.positions, of: batch.order, batch.draw, inputs: target, labels: labelTarget)
    }
    try result.get()
    let count = batch.positions.count
    target.copyMemory(from: part(inputs, count * examples.signature.input.byteCount))
    labelTarget.copyMemory(from: part(labels, count * examples.signature.label.byteCount))
  }

  private func part(
    _ memory: UnsafeMutableRawBufferPointer, _ count: Int
  ) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: memory[..<count])
  }

  /// The life of the thread.
  private func work() {
    pthread_mutex_lock(lock)
    while true {
      while !isStopping, wish == nil || result != nil { pthread_cond_wait(changed, lock) }
      guard !isStopping, let wish else { break }
      pthread_mutex_unlock(lock)
      let outcome = read(wish)
      pthread_mutex_lock(lock)
      result = outcome
      pthread_cond_broadcast(changed)
    }
    pthread_mutex_unlock(lock)
  }

  private func read(_ batch: Batch) -> Result<Void, Diagnostic> {
    grow(&inputs, to: batch.positions.count * examples.signature.input.byteCount)
    grow(&labels, to: batch.positions.count * examples.signature.label.byteCount)
    do throws(Diagnostic) {
      try examples.gather(
        batch.positions, of: batch.order, batch.draw, inputs: inputs, labels: labels)
      return .success(())
    } catch {
      return .failure(error)
    }
  }

  private func grow(_ memory: inout UnsafeMutableRawBufferPointer, to count: Int) {
    guard memory.count < count else { return }
    memory.deallocate()
    memory = .allocate(byteCount: count, alignment: 64)
  }
}
