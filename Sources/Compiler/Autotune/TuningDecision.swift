import GraphIR
import LLVMBackend
import LoopIR

/// Which candidate was the fastest for a kernel, as the cache keeps it.
package struct TuningDecision: Hashable {
  /// The candidate's place; 0 for the cost model's choice.
  package var place: Int
  /// The name of its code: another build of a schedule may have another candidate at this place.
  package var code: String
  /// How many times as fast as the cost model's choice it was, in thousandths.
  package var gain: Int

  /// The decision as bytes.
  package var bytes: [UInt8] {
    var writer = ByteWriter()
    writer.add(place)
    writer.add(code)
    writer.add(gain)
    return writer.bytes
  }

  /// Makes a decision.
  package init(place: Int, code: String, gain: Int) {
    self.place = place
    self.code = code
    self.gain = gain
  }

  /// Reads a decision.
  ///
  /// - Throws: when the bytes are none.
  package init(bytes: ArraySlice<UInt8>) throws(ByteReader.Damage) {
    var reader = ByteReader(bytes)
    place = try reader.integer()
    code = try reader.text()
    gain = try reader.integer()
    try reader.end()
    guard place >= 0 else { throw ByteReader.Damage() }
  }
}

extension CacheKey {
  /// The key of the decision for a kernel: its code without tuning, the target and the number of threads.
  package init(decisionFor kernel: CacheKey, _ target: Target, threads: Int) {
    var writer = ByteWriter()
    // A kernel's key begins with the name of a fault, and a program's with "program".
    writer.add("tuning")
    writer.add(target)
    writer.add(threads)
    writer.add(data: kernel.bytes)
    self.init(bytes: writer.bytes)
  }
}

extension ByteWriter {
  /// Writes a target.
  mutating func add(_ target: Target) {
    add(target.vectorBytes)
    add(target.vectorRegisters)
    add(target.firstLevelCacheBytes)
    add(target.secondLevelCacheBytes)
    add(target.lastLevelCacheBytes)
  }
}
