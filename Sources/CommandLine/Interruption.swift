import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The signal that asked the program to end; 0 before.
private let received = Atomic<Int32>(0)

/// Lets a first interruption (ctrl-C, or a request to terminate) end training in order; the second ends the program.
enum Interruption {
  /// The signal that came; nil before.
  static var signal: Int32? {
    let signal = received.load(ordering: .relaxed)
    return signal == 0 ? nil : signal
  }

  /// Begins to listen.
  static func listen() {
    // Touched here, for a handler must not be the first to make it.
    received.store(0, ordering: .relaxed)
    // Who starts programs from a thread that takes no signals, as Dispatch's, hands that on to them.
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGINT, SIGTERM] { sigaddset(&signals, number) }
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    for number in [SIGINT, SIGTERM] {
      _ = systemSignal(number) { number in
        received.store(number, ordering: .relaxed)
        _ = systemSignal(number, SIG_DFL)
      }
    }
  }
}

/// The C function, which the property above hides.
private func systemSignal(
  _ number: Int32, _ handler: (@convention(c) (Int32) -> Void)?
) -> (@convention(c) (Int32) -> Void)? {
  signal(number, handler)
}
