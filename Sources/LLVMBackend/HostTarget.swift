import CLLVM
import LoopIR

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The processor that this program runs on, as LLVM sees it.
package struct Host: Hashable, Sendable {
  /// LLVM's name of the processor: `znver3`.
  package let cpuName: String
  /// LLVM's features of the processor: `+avx2,+fma,...`; `-` before those that are left out.
  package let features: String
  private let enabled: Set<Substring>
  /// LLVM's target triple.
  package let triple: String
  /// The version of the LLVM library in use.
  package let llvmVersion: String

  /// The present machine.
  package static let current = Host()

  private init() {
    func take(_ message: UnsafeMutablePointer<CChar>?) -> String {
      guard let message else { return "" }
      defer { LLVMDisposeMessage(message) }
      return String(cString: message)
    }
    cpuName = take(LLVMGetHostCPUName())
    features = Host.features(
      take(LLVMGetHostCPUFeatures()), without: getenv("MARTLET_WITHOUT").map { String(cString: $0) }
    )
    enabled = Set(features.split(separator: ","))
    triple = take(LLVMGetDefaultTargetTriple())
    var (major, minor, patch): (UInt32, UInt32, UInt32) = (0, 0, 0)
    LLVMGetVersion(&major, &minor, &patch)
    llvmVersion = "\(major).\(minor).\(patch)"
  }

  /// The features without those whose names begin with one of some words: with `avx512`, code is what machines without it
  /// get, to look at and to test here.
  package static func features(_ features: String, without words: String?) -> String {
    let left = words?.split { ", ".contains($0) } ?? []
    return features.split(separator: ",").map { feature in
      let isLeftOut = left.contains { feature.dropFirst().hasPrefix($0) }
      return isLeftOut ? "-" + feature.dropFirst() : String(feature)
    }.joined(separator: ",")
  }

  /// Whether the processor loads a part of a vector as fast as a whole one.
  func masksLoads(ofBytes elementBytes: Int) -> Bool {
    hasMasks || (has("avx2") && elementBytes >= 4)
  }

  /// AVX-512 with masks for elements and vectors of all sizes: parts are stored as fast, too.
  var hasMasks: Bool { has("avx512f") && has("avx512vl") && has("avx512bw") }

  /// Whether the processor's larger and smaller of two floats are the second one where they are not ordered.
  var hasOneSidedExtremes: Bool { triple.hasPrefix("x86_64") && !hasMasks }

  /// What exact results need and this processor lacks.
  ///
  /// Without fused multiply-adds and conversions of f16, LLVM would call library functions.
  var missingFeatures: [String] {
    triple.hasPrefix("x86_64") ? ["fma", "f16c"].filter { !has($0) } : []
  }

  func has(_ feature: String) -> Bool {
    enabled.contains("+\(feature)")
  }
}

extension Target {
  /// The present machine: vectors as wide as its registers, caches as the system reports them.
  package static let host: Target = {
    let host = Host.current
    func cache(_ name: Int, _ otherwise: Int) -> Int {
      let size = sysconf(Int32(name))
      return size > 0 ? size : otherwise
    }
    #if os(Linux)
      let first = cache(Int(_SC_LEVEL1_DCACHE_SIZE), 32 << 10)
      let second = cache(Int(_SC_LEVEL2_CACHE_SIZE), 512 << 10)
      let last = max(lastLevelCache() ?? 32 << 20, second)
    #else
      let (first, second, last) = (64 << 10, 4 << 20, 32 << 20)
    #endif
    let wide = host.hasMasks
    let isX86 = host.triple.hasPrefix("x86_64")
    return Target(
      vectorBytes: wide ? 64 : host.has("avx2") ? 32 : 16,
      vectorRegisters: wide || !isX86 ? 32 : 16,
      firstLevelCacheBytes: first, secondLevelCacheBytes: second, lastLevelCacheBytes: last)
  }()
}

#if os(Linux)
  /// The size of the third-level cache that the first processor uses; what `sysconf` says may be that of all of them.
  private func lastLevelCache() -> Int? {
    let path = "/sys/devices/system/cpu/cpu0/cache/index3/size"
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var text = [UInt8](repeating: 0, count: 32)
    let count = fread(&text, 1, text.count, file)
    let digits = text.prefix(count).prefix { (48...57).contains($0) }
    guard let number = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
    return text.dropFirst(digits.count).first == UInt8(ascii: "M") ? number << 20 : number << 10
  }
#endif
