import GraphIR
import LoopIR
import Runtime

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
    /// For each candidate the shortest time of a run, in seconds; nil for what was clearly slower at once.
    var best: [Double?]
    /// The fastest one.
    var place = 0
    /// How many times as fast as the first one it was, where only these two took turns.
    var gain = 1.0
  }

  /// Times candidates side by side; nil when the limit allows too few runs.
  func times(_ codes: [KernelCode], seconds limit: Double) -> Times? {
    guard let model = codes.first else { return nil }
    // The first run touches memory and code.
    _ = time(model, repeats: 1)
    let first = time(model, repeats: 1)
    guard first * Double(codes.count) * 4 < limit else { return nil }
    var best: [Double?] = codes.map { code in
      _ = time(code, repeats: 1)
      return time(code, repeats: 1)
    }
    for place in codes.indices.dropFirst() {
      if let own = best[place], own > 2 * first + 1e-6 { best[place] = nil }
    }
    func fastest() -> Int {
      codes.indices.min { best[$0] ?? .infinity < best[$1] ?? .infinity } ?? 0
    }
    let started = ContinuousClock.now
    var rounds = 0
    func goesOn(_ share: Double) -> Bool {
      let passed = ContinuousClock.now.seconds(since: started)
      return passed < limit * share && (rounds < 3 || rounds < 100 && passed < 0.3 * share)
    }
    while goesOn(0.6) {
      for place in codes.indices {
        guard let own = best[place] else { continue }
        best[place] = min(own, time(codes[place], repeats: repeats(own)))
      }
      rounds += 1
    }
    let place = fastest()
    guard place != 0 else { return Times(best: best) }
    // Of several, one is always the fastest by chance: it has to be so again.
    var (own, other) = (Double.infinity, Double.infinity)
    let repeats = repeats(first)
    rounds = 0
    repeat {
      own = min(own, time(model, repeats: repeats))
      other = min(other, time(codes[place], repeats: repeats))
      rounds += 1
    } while goesOn(1)
    return Times(best: best, place: place, gain: own / other)
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
      let started = ContinuousClock.now
      for _ in 0..<repeats { code.run(on: start, workerScratch: worker, stride: stride, pool) }
      return ContinuousClock.now.seconds(since: started) / Double(repeats)
    }
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
