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

  @OptionGroup var options: BackendOptions

  func run() throws {
    let host = Host.current
    let target = Target.host
    let one = try MachineLimits.measure(threads: 1)
    let all = try MachineLimits.measure(threads: options.threadCount)
    let report = DoctorReport(
      version: martletVersion, llvm: host.llvmVersion, cpu: host.cpuName,
      threads: options.threadCount, vector_bytes: target.vectorBytes,
      vector_registers: target.vectorRegisters, l1_bytes: target.firstLevelCacheBytes,
      l2_bytes: target.secondLevelCacheBytes, gflops_one_thread: one.flopsPerSecond * 1e-9,
      gflops_all_threads: all.flopsPerSecond * 1e-9, gbytes_one_thread: one.bytesPerSecond * 1e-9,
      gbytes_all_threads: all.bytesPerSecond * 1e-9)
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

  var text: String {
    """
    martlet   \(version)
    LLVM      \(llvm)
    CPU       \(cpu), \(threads) thread\(threads == 1 ? "" : "s")
    vectors   \(vector_bytes * 8) bits, \(vector_registers) registers
    caches    \(l1_bytes >> 10) KiB first level, \(l2_bytes >> 10) KiB second level, a core
    peak      \(gflops_one_thread.fixed(1)) GFLOP/s f32 on one thread, \
    \(gflops_all_threads.fixed(1)) on all (fused multiply-adds in registers, measured)
    memory    \(gbytes_one_thread.fixed(1)) GB/s read on one thread, \
    \(gbytes_all_threads.fixed(1)) on all (64 MiB, measured)
    cache     none is kept on disk
    """
  }
}
