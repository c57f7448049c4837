import GraphIR
import Runtime
import Synchronization

/// Computes independent elements on at most so many threads, of which the calling one is the first.
///
/// - Returns: the elements in order.
/// - Throws: the first problem, by place.
func mapOnThreads<Element: Sendable>(
  _ threads: Int, _ count: Int, _ element: @Sendable (Int) throws(Diagnostic) -> Element
) throws(Diagnostic) -> [Element] {
  // A thread costs as much as a few elements.
  let threads = min(threads, count / 8)
  if threads <= 1 {
    var elements: [Element] = []
    for index in 0..<count { elements.append(try element(index)) }
    return elements
  }
  let results = withoutActuallyEscaping(element) { element in
    let work = ParallelWork(count, element)
    defer { withExtendedLifetime(work) {} }
    let pool = ThreadPool(threads: threads)
    pool.run(
      taskCount: threads,
      { context, _, _ in Unmanaged<AnyParallelWork>.fromOpaque(context).takeUnretainedValue().run()
      }, UnsafeRawPointer(Unmanaged<AnyParallelWork>.passUnretained(work).toOpaque()))
    return work.taken()
  }
  var elements: [Element] = []
  for result in results { elements.append(try result.get()) }
  return elements
}

/// What a thread runs, whatever the elements are.
private class AnyParallelWork {
  func run() {}
}

/// Elements that threads take one after the other.
private final class ParallelWork<Element: Sendable>: AnyParallelWork, @unchecked Sendable {
  private let count: Int
  private let element: @Sendable (Int) throws(Diagnostic) -> Element
  private let next = Atomic(0)
  /// One place for each element, written by the thread that computes it and read when all have ended.
  private let results: UnsafeMutablePointer<Result<Element, Diagnostic>>

  init(_ count: Int, _ element: @escaping @Sendable (Int) throws(Diagnostic) -> Element) {
    self.count = count
    self.element = element
    results = .allocate(capacity: count)
  }

  deinit { results.deallocate() }

  override func run() {
    defer { withExtendedLifetime(self) {} }
    while true {
      let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard index < count else { return }
      do throws(Diagnostic) {
        (results + index).initialize(to: .success(try element(index)))
      } catch {
        (results + index).initialize(to: .failure(error))
      }
    }
  }

  /// The results, which are all there.
  func taken() -> [Result<Element, Diagnostic>] {
    defer { withExtendedLifetime(self) {} }
    return (0..<count).map { (results + $0).move() }
  }
}
