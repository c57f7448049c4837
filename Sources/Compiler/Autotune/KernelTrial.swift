import GraphIR
import LoopIR
import Runtime

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Runs a kernel's candidates on memory of the kernel's sizes.
struct KernelTrial {
  private let kernel: Kernel
  private let pool: ThreadPool
  private let parameters: [Buffer]
  private let sharedScratch: Buffer
  private let workerScratch: Buffer

  /// What a kernel's candidates need beside each other's memory, in bytes.
  static func bytes(_ kernel: Kernel, _ codes: [WorkspaceSize.Scratch], threads: Int) -> Double {
    let parameters = kernel.parameters.reduce(0.0) { $0 + Double($1.type.byteCount) }
    let shared = codes.map(\.shared).max() ?? 0
    let worker = codes.map(\.worker).max() ?? 0
    return parameters + Double(shared) + Double(worker) * Double(threads)
  }

  init(_ kernel: Kernel, _ scratch: [WorkspaceSize.Scratch], _ pool: ThreadPool) {
    self.kernel = kernel
    self.pool = pool
    parameters = kernel.parameters.map { Buffer($0.type) }
    sharedScratch = Buffer(TensorType(.u8, [scratch.map(\.shared).max() ?? 0]))
    let worker = WorkspaceSize.allocated(scratch.map(\.worker).max() ?? 0)
    workerScratch = Buffer(TensorType(.u8, [worker * pool.threads]))
    for (parameter, buffer) in zip(kernel.parameters, parameters)
    where parameter.role != .output {
      buffer.fillWithOrdinaryNumbers()
    }
  }

  /// What `times` found.
  struct Times {
    /// For each candidate the shortest time of a run, in seconds.
    var best: [Double]
    /// The fastest one.
    var place = 0
    /// How many times as fast as the first one it was, where only these two took turns.
    var gain = 1.0
  }

  /// The two shortest times of a candidate: where they agree, more of them would tell no more.
  private struct Shortest {
    var first = Double.infinity
    var second = Double.infinity
    var isSettled: Bool { second <= first * 1.02 }

    mutating func add(_ time: Double) {
      if time < first { (first, second) = (time, first) } else { second = min(second, time) }
    }
  }

  /// For how long, in seconds, is waited at least, and at most for times that agree.
  private static let patience = 0.05...1.5
  /// What takes so many times as long as the fastest is not timed further.
  private static let hopeless = 1.3

  /// Times candidates side by side; nil when the limit allows too few runs.
  func times(_ codes: [KernelCode], seconds limit: Double) -> Times? {
    guard let model = codes.first else { return nil }
    // The first run touches memory and code.
    _ = time(model, repeats: 1)
    guard time(model, repeats: 1) * Double(codes.count) * 6 < limit else { return nil }
    let all = takingTurns(codes, seconds: limit / 2)
    let best = all.map(\.first)
    let place = best.indices.min { best[$0] < best[$1] } ?? 0
    guard place != 0 else { return Times(best: best) }
    // Of several, one is always the fastest by chance: it has to be so again.
    let two = takingTurns([model, codes[place]], seconds: limit / 2)
    guard two.allSatisfy(\.isSettled) else { return Times(best: best) }
    return Times(best: best, place: place, gain: two[0].first / two[1].first)
  }

  /// The shortest times of candidates of which one runs after the other.
  private func takingTurns(_ codes: [KernelCode], seconds limit: Double) -> [Shortest] {
    var times = codes.map { code in
      _ = time(code, repeats: 1)
      return Shortest()
    }
    var repeats = [Int](repeating: 1, count: codes.count)
    let started = ContinuousClock.now
    var rounds = 0
    while true {
      let fastest = times.map(\.first).min() ?? 0
      let rest = codes.indices.filter {
        rounds < 2 || $0 == 0 || times[$0].first < KernelTrial.hopeless * fastest
      }
      let passed = ContinuousClock.now.seconds(since: started)
      let isSettled = rest.allSatisfy { times[$0].isSettled }
      let (least, most) = (KernelTrial.patience.lowerBound, KernelTrial.patience.upperBound)
      if rounds >= 3, passed > (isSettled ? least : most) { break }
      if rounds >= 2, passed > limit { break }
      for place in rest {
        times[place].add(time(codes[place], repeats: repeats[place]))
        repeats[place] = self.repeats(times[place].first)
      }
      rounds += 1
    }
    return times
  }

  /// How many runs are timed at once: the clock and a wake-up take their time.
  private func repeats(_ seconds: Double) -> Int { max(1, Int(1e-4 / max(seconds, 1e-7))) }

  /// The mean time of some runs, in seconds.
  private func time(_ code: KernelCode, repeats: Int) -> Double {
    defer { withExtendedLifetime((parameters, sharedScratch, workerScratch)) {} }
    for (parameter, buffer) in zip(kernel.parameters, parameters)
    where parameter.role == .update {
      buffer.fillWithOrdinaryNumbers()
    }
    guard let shared = sharedScratch.bytes.baseAddress,
      let worker = workerScratch.bytes.baseAddress
    else { return .infinity }
    var pointers = parameters.map(\.bytes.baseAddress)
    pointers += code.sharedOffsets.map { offset in offset.map { shared + $0 } }
    let stride = WorkspaceSize.allocated(code.workerScratchBytes)
    return pointers.withUnsafeMutableBufferPointer { pointers in
      guard let start = pointers.baseAddress else { return .infinity }
      let started = now
      for _ in 0..<repeats { code.run(on: start, workerScratch: worker, stride: stride, pool) }
      return (now - started) / Double(repeats)
    }
  }

  /// The present time, in seconds: of one thread what it has computed, so that others on the machine disturb less.
  private var now: Double {
    var time = timespec()
    clock_gettime(pool.threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

extension Buffer {
  /// Fills the tensor with floats from 0.5 to 1, integers from 0 to 63, and both truth values, in no order that a
  /// processor could foresee.
  fileprivate func fillWithOrdinaryNumbers() {
    defer { withExtendedLifetime(self) {} }
    func fill<Element>(_: Element.Type, _ element: (UInt64) -> Element) {
      let elements = bytes.bindMemory(to: Element.self)
      var state: UInt64 = 0x9E37_79B9_7F4A_7C15
      for place in 0..<type.shape.elementCount {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        elements[place] = element(state >> 11)
      }
    }
    switch type.dtype {
    case .f64: fill(UInt64.self) { 0x3FE0_0000_0000_0000 | $0 & 0xF_FFFF_FFFF_FFFF }
    case .f32: fill(UInt32.self) { 0x3F00_0000 | UInt32(truncatingIfNeeded: $0) & 0x7F_FFFF }
    case .f16: fill(UInt16.self) { 0x3800 | UInt16(truncatingIfNeeded: $0) & 0x3FF }
    case .bf16: fill(UInt16.self) { 0x3F00 | UInt16(truncatingIfNeeded: $0) & 0x7F }
    case .i8, .u8: fill(UInt8.self) { UInt8(truncatingIfNeeded: $0) & 63 }
    case .i16, .u16: fill(UInt16.self) { UInt16(truncatingIfNeeded: $0) & 63 }
    case .i32, .u32: fill(UInt32.self) { UInt32(truncatingIfNeeded: $0) & 63 }
    case .i64, .u64: fill(UInt64.self) { $0 & 63 }
    case .bool: fill(UInt8.self) { UInt8(truncatingIfNeeded: $0) & 1 }
    }
  }
}
