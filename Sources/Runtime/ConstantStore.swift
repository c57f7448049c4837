import GraphIR
import Synchronization

/// The constants of all executables of the process, and what is computed once from them: equal ones are one.
///
/// It keeps nothing alive: memory that no executable holds any more is freed.
package final class ConstantStore: Sendable {
  /// The one that executables share.
  package static let process = ConstantStore()

  /// An operand of a kernel: result `slot` of a source.
  struct Operand: Hashable {
    var source: ObjectIdentifier
    var slot: Int
  }

  /// What makes two results equal: the code, and what it was run on; nil for what it writes.
  private struct ResultKey: Hashable {
    var code: String
    var operands: [Operand?]
  }

  private struct WeakSource {
    weak var source: ConstantSource?
  }

  private struct State {
    /// By their digests; of equal digests the bytes are compared.
    var constants: [UInt128: [WeakSource]] = [:]
    var results: [ResultKey: WeakSource] = [:]
    /// Beyond this number of entries, those of what is gone are dropped.
    var mostEntries = 256

    mutating func dropWhatIsGone() {
      guard constants.count + results.count > mostEntries else { return }
      constants = constants.compactMapValues { list in
        let present = list.filter { $0.source != nil }
        return present.isEmpty ? nil : present
      }
      results = results.filter { $0.value.source != nil }
      mostEntries = max(256, 2 * (constants.count + results.count))
    }
  }

  private let state = Mutex(State())

  /// The source of constant data.
  func constant(_ literal: Literal) -> ConstantSource {
    let digest = literal.digest
    return state.withLock { state in
      let known = state.constants[digest, default: []].filter { $0.source != nil }
      if let same = known.lazy.compactMap(\.source).first(where: { $0.literal == literal }) {
        return same
      }
      let source = ConstantSource(literal: literal, sources: [])
      state.constants[digest] = known + [WeakSource(source: source)]
      state.dropWhatIsGone()
      return source
    }
  }

  /// The source of what code makes of constants.
  ///
  /// - Parameter operands: for each argument of the code a source and which of its tensors it is; nil for a result.
  func result(
    of code: String, _ operands: [(source: ConstantSource, slot: Int)?]
  ) -> ConstantSource {
    // The identities stay those of these objects as long as the result holds them.
    let key = ResultKey(
      code: code,
      operands: operands.map { operand in
        operand.map { Operand(source: ObjectIdentifier($0.source), slot: $0.slot) }
      })
    return state.withLock { state in
      if let same = state.results[key]?.source { return same }
      let source = ConstantSource(literal: nil, sources: operands.compactMap { $0?.source })
      state.results[key] = WeakSource(source: source)
      state.dropWhatIsGone()
      return source
    }
  }
}

/// Constant data, or what code makes of such; equal ones are one object.
///
/// The memory is made when it is needed first, and lives as long as someone holds it.
final class ConstantSource: Sendable {
  /// The data; nil for what is computed.
  let literal: Literal?
  /// What a result is computed from.
  private let sources: [ConstantSource]
  private let content = Mutex(Content())

  private struct Content {
    weak var memory: ConstantMemory?
  }

  init(literal: Literal?, sources: [ConstantSource]) {
    self.literal = literal
    self.sources = sources
  }

  /// The memory; who needs it first makes it, and others wait until it is filled.
  func memory(
    _ make: () throws(Diagnostic) -> ConstantMemory
  ) throws(Diagnostic) -> ConstantMemory {
    try content.withLock { (content) throws(Diagnostic) -> ConstantMemory in
      if let memory = content.memory { return memory }
      let memory = try make()
      content.memory = memory
      return memory
    }
  }
}

/// Tensors that never change once they are filled.
///
/// Whoever holds them holds their source, by which others find them.
final class ConstantMemory: Sendable {
  let buffers: [Buffer]
  private let source: ConstantSource

  init(_ buffers: [Buffer], of source: ConstantSource) {
    self.buffers = buffers
    self.source = source
  }
}
