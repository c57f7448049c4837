import CLLVM
import GraphIR
import LoopIR
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Kernels that become objects on as many threads as there are cores.
final class CompileJobs: @unchecked Sendable {
  private typealias Outcome = Result<ObjectCode, Diagnostic>?

  private let kernels: [Loops]
  private let options: CodeOptions
  private let next = Atomic(0)
  /// One place for each kernel, written by the thread that compiles it and read when all have ended.
  private let outcomes: UnsafeMutablePointer<Outcome>

  private init(_ kernels: [Loops], _ options: CodeOptions) {
    self.kernels = kernels
    self.options = options
    outcomes = .allocate(capacity: max(kernels.count, 1))
    for index in kernels.indices { (outcomes + index).initialize(to: nil) }
  }

  deinit {
    outcomes.deinitialize(count: kernels.count)
    outcomes.deallocate()
  }

  /// Compiles kernels and hands the objects, in order, to a function.
  ///
  /// - Throws: the first kernel's problem, or what the function throws.
  static func run(
    _ kernels: [Loops], options: CodeOptions,
    receive: (Int, consuming ObjectCode) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let jobs = CompileJobs(kernels, options)
    defer { withExtendedLifetime(jobs) {} }
    let cores = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    let threads = jobs.start(min(kernels.count, cores) - 1)
    jobs.work()
    for thread in threads { pthread_join(thread, nil) }
    for index in kernels.indices {
      switch jobs.take(index) {
      case .success(let object): try receive(index, object)
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
        let prefix = JITLibrary.prefix(ofKernel: index)
        let module = try CodeModule(kernels[index], symbolPrefix: prefix, options: options)
        outcomes[index] = .success(try module.object())
      } catch {
        outcomes[index] = .failure(error)
      }
    }
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
