import CLLVM
import GraphIR
import LoopIR
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Kernels that become objects on several threads, or are taken from a cache.
final class CompileJobs: @unchecked Sendable {
  private typealias Outcome = Result<CodeOfKernel, Diagnostic>?

  /// A kernel's object, and where it came from.
  struct CodeOfKernel: ~Copyable {
    var object: ObjectCode
    var origin: CodeOrigin
    /// The entry of the cache that has it; nil when none has.
    var entry: CacheReference?
  }

  private let kernels: [Loops]
  private let keys: [CacheKey]
  private let options: CodeOptions
  private let cache: CodeCache
  private let next = Atomic(0)
  /// One place for each kernel, written by the thread that compiles it and read when all have ended.
  private let outcomes: UnsafeMutablePointer<Outcome>

  private init(
    _ kernels: [Loops], _ keys: [CacheKey], _ options: CodeOptions, _ cache: CodeCache
  ) {
    self.kernels = kernels
    self.keys = keys
    self.options = options
    self.cache = cache
    outcomes = .allocate(capacity: max(kernels.count, 1))
    for index in kernels.indices { (outcomes + index).initialize(to: nil) }
  }

  deinit {
    outcomes.deinitialize(count: kernels.count)
    outcomes.deallocate()
  }

  /// Compiles kernels and hands the objects, in order, to a function.
  ///
  /// A kernel's symbols begin with the name of its key.
  ///
  /// - Throws: the first kernel's problem, or what the function throws.
  static func run(
    _ kernels: [Loops], keys: [CacheKey], options: CodeOptions, cache: CodeCache, threads: Int,
    receive: (Int, consuming CodeOfKernel) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let jobs = CompileJobs(kernels, keys, options, cache)
    defer { withExtendedLifetime(jobs) {} }
    let helpers = jobs.start(min(kernels.count, threads) - 1)
    jobs.work()
    for helper in helpers { pthread_join(helper, nil) }
    for index in kernels.indices {
      switch jobs.take(index) {
      case .success(let code): try receive(index, code)
      case .failure(let problem): throw problem
      case nil:
        throw Diagnostic(.internalError, "kernel \(kernels[index].name) was not compiled")
      }
    }
  }

  private func take(_ index: Int) -> Outcome {
    defer { withExtendedLifetime(self) {} }
    let outcome = (outcomes + index).move()
    (outcomes + index).initialize(to: nil)
    return outcome
  }

  /// Starts helpers; where the system gives no more threads, there are fewer.
  private func start(_ count: Int) -> [pthread_t] {
    var threads: [pthread_t] = []
    for _ in 0..<max(count, 0) {
      #if canImport(Darwin)
        var thread: pthread_t?
      #else
        var thread = pthread_t()
      #endif
      let context = Unmanaged.passRetained(self).toOpaque()
      let status = pthread_create(&thread, nil, runJobs, context)
      guard status == 0 else {
        Unmanaged<CompileJobs>.fromOpaque(context).release()
        break
      }
      #if canImport(Darwin)
        if let thread { threads.append(thread) }
      #else
        threads.append(thread)
      #endif
    }
    return threads
  }

  /// Compiles kernels until none is left.
  fileprivate func work() {
    defer { withExtendedLifetime(self) {} }
    while true {
      let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard index < kernels.count else { return }
      do throws(Diagnostic) {
        outcomes[index] = .success(try code(of: index))
      } catch {
        outcomes[index] = .failure(error)
      }
    }
  }

  private func code(of index: Int) throws(Diagnostic) -> CodeOfKernel {
    let miss: CacheMiss
    do throws(CacheMiss) {
      let entry = try cache.entry(of: keys[index])
      return CodeOfKernel(
        object: ObjectCode(copying: entry.object), origin: .cache,
        entry: CacheReference(name: keys[index].name, checksum: hexadecimal(entry.checksum)))
    } catch {
      miss = error
    }
    let module = try CodeModule(kernels[index], symbol: keys[index].name, options: options)
    let object = try module.object()
    try object.requireSelfContained(kernels[index].name)
    let entry = cache.store(object.bytes(), of: keys[index])
    return CodeOfKernel(object: object, origin: .compiled(miss), entry: entry)
  }
}

#if canImport(Darwin)
  private func runJobs(_ context: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    Unmanaged<CompileJobs>.fromOpaque(context).takeRetainedValue().work()
    return nil
  }
#else
  private func runJobs(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    Unmanaged<CompileJobs>.fromOpaque(context).takeRetainedValue().work()
    return nil
  }
#endif
