import ArgumentParser
import Compiler
import GraphIR
import LLVMBackend
import LoopIR

/// `martlet doctor`: what this machine has.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Say what this machine has and can do, measured.",
    discussion: """
      EXAMPLES:
        martlet doctor
        martlet doctor --json
      """)

  @Flag(help: "Print JSON.")
  var json = false

  @Option(help: "The number of threads (default: one per core).")
  var threads: ThreadCount?

  func run() throws {
    let host = Host.current
    let target = Target.host
    let one = try MachineLimits.measure(threads: 1)
    let threads = threads?.value ?? BackendOptions.processors
    let all = try MachineLimits.measure(threads: threads)
    let memoryOfOne = try MemorySpeed.measure(threads: 1)
    let memoryOfAll = try MemorySpeed.measure(threads: threads)
    let cache = CodeCache.standard
    let kept = cache.measure()
    let report = DoctorReport(
      version: martletVersion, llvm: host.llvmVersion, cpu: host.cpuName,
      threads: threads, vector_bytes: target.vectorBytes,
      vector_registers: target.vectorRegisters, l1_bytes: target.firstLevelCacheBytes,
      l2_bytes: target.secondLevelCacheBytes, gflops_one_thread: one.flopsPerSecond * 1e-9,
      gflops_all_threads: all.flopsPerSecond * 1e-9, gbytes_one_thread: one.bytesPerSecond * 1e-9,
      gbytes_all_threads: all.bytesPerSecond * 1e-9,
      memory_one_thread: memoryOfOne.map(DoctorReport.Memory.init),
      memory_all_threads: memoryOfAll.map(DoctorReport.Memory.init),
      cache_folder: cache.folder, cache_off: cache.reasonOff, cache_entries: kept.entries,
      cache_bytes: kept.bytes, cache_limit_bytes: cache.byteLimit)
    print(json ? try encodeJSON(report) : report.text)
  }
}

/// What `doctor --json` prints; the names are those of the fields.
struct DoctorReport: Encodable {
  var version: String
  var llvm: String
  var cpu: String
  var threads: Int
  var vector_bytes: Int
  var vector_registers: Int
  var l1_bytes: Int
  var l2_bytes: Int
  var gflops_one_thread: Double
  var gflops_all_threads: Double
  var gbytes_one_thread: Double
  var gbytes_all_threads: Double
  var memory_one_thread: [Memory]
  var memory_all_threads: [Memory]
  var cache_folder: String?
  var cache_off: String?
  var cache_entries: Int
  var cache_bytes: Int
  var cache_limit_bytes: Int

  private var cacheText: String {
    guard let cache_folder else { return "off: \(cache_off ?? "")" }
    let size = (Double(cache_bytes) / 0x1p20).fixed(1)
    return
      "\(cache_folder): \(cache_entries) entries, \(size) MiB of at most \(cache_limit_bytes >> 20)"
  }

  /// How fast data of one size is read, and read and written, in 10^9 bytes per second.
  struct Memory: Encodable {
    var bytes: Int
    var read_gbytes: Double
    var copy_gbytes: Double

    init(_ speed: MemorySpeed) {
      bytes = speed.bytes
      read_gbytes = speed.readBytesPerSecond * 1e-9
      copy_gbytes = speed.copyBytesPerSecond * 1e-9
    }
  }

  var text: String {
    let sizes = zip(memory_one_thread, memory_all_threads).map { one, all in
      let size = one.bytes >= 1 << 20 ? "\(one.bytes >> 20) MiB" : "\(one.bytes >> 10) KiB"
      return "  \(size.leftPadded(to: 7))   "
        + [one.read_gbytes, all.read_gbytes, one.copy_gbytes, all.copy_gbytes]
        .map { $0.fixed(1).leftPadded(to: 8) }.joined()
    }
    return """
      martlet   \(version)
      LLVM      \(llvm)
      CPU       \(cpu), \(threads) thread\(threads == 1 ? "" : "s")
      vectors   \(vector_bytes * 8) bits, \(vector_registers) registers
      caches    \(l1_bytes >> 10) KiB first level, \(l2_bytes >> 10) KiB second level, a core
      peak      \(gflops_one_thread.fixed(1)) GFLOP/s f32 on one thread, \
      \(gflops_all_threads.fixed(1)) on all (fused multiply-adds in registers, measured)
      memory    \(gbytes_one_thread.fixed(1)) GB/s read on one thread, \
      \(gbytes_all_threads.fixed(1)) on all (64 MiB, measured)
      cache     \(cacheText)
      GB/s of data by its size: read on one thread, on all; copied (read and written) on one, on all
      \(sizes.joined(separator: "\n"))
      """
  }
}
