import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Compiled kernels on disk, and programs made of them, so that a second start compiles nothing.
///
/// An entry is the file `<environment>/<key>` of the folder, both named by fingerprints. It holds the text of both,
/// and only the code of equal text is taken. Processes share the folder without locks: files appear whole, under
/// their final name, and a file that vanishes while others look for it is a miss. A cache that cannot be read or written
/// costs time, and nothing else.
package final class CodeCache: Sendable {
  /// The cache that the environment of this process asks for.
  package static let standard = CodeCache { name in
    getenv(name).map { String(cString: $0) }
  }

  /// No cache.
  package static let off = CodeCache(.off("nobody asked for one"))

  /// The bytes that entries may take together, unless said otherwise.
  package static let standardByteLimit = 512 << 20

  private enum State {
    case off(String)
    case on(folder: String, CodeEnvironment)
  }

  /// What is on disk, as far as this process knows.
  private struct Account {
    /// The bytes of all entries; nil until they have been counted.
    var bytes: Int?
    /// What went wrong when an entry was to be written.
    var problem: String?
  }

  private let state: State
  /// The bytes that entries may take together.
  package let byteLimit: Int
  private let account = Mutex(Account())

  private init(_ state: State, byteLimit: Int = CodeCache.standardByteLimit) {
    self.state = state
    self.byteLimit = byteLimit
  }

  /// Makes a cache in a folder, which is made when it is needed.
  package convenience init(
    folder: String, environment: CodeEnvironment? = .current,
    byteLimit: Int = CodeCache.standardByteLimit
  ) {
    self.init(
      environment.map { .on(folder: folder, $0) }
        ?? .off("the file of this program or of LLVM is not there anymore"),
      byteLimit: byteLimit)
  }

  /// Makes the cache that variables of the environment ask for.
  ///
  /// `MARTLET_CACHE` is a folder or `off`; without it the folder is `martlet` in `XDG_CACHE_HOME`, or else in `.cache` of
  /// `HOME`.
  package convenience init(variables: (String) -> String?) {
    func value(_ name: String) -> String? { variables(name).flatMap { $0.isEmpty ? nil : $0 } }
    if let folder = value("MARTLET_CACHE") {
      if folder == "off" {
        self.init(.off("MARTLET_CACHE is off"))
      } else {
        self.init(folder: folder)
      }
    } else if let caches = value("XDG_CACHE_HOME"), caches.hasPrefix("/") {
      // The specification of the variable says that a relative path is to be ignored.
      self.init(folder: caches + "/martlet")
    } else if let home = value("HOME") {
      self.init(folder: home + "/.cache/martlet")
    } else {
      self.init(.off("neither MARTLET_CACHE nor HOME is set"))
    }
  }

  /// The folder; nil when there is no cache.
  package var folder: String? {
    if case .on(let folder, _) = state { folder } else { nil }
  }

  /// Why there is no cache; nil when there is one.
  package var reasonOff: String? {
    if case .off(let reason) = state { reason } else { nil }
  }

  /// What last went wrong when an entry was to be written; nil when nothing has.
  package var problem: String? { account.withLock { $0.problem } }

  // MARK: Entries

  /// The entry of a key.
  ///
  /// - Throws: why there is none.
  func entry(of key: CacheKey) throws(CacheMiss) -> CacheEntry {
    guard case .on(let folder, let environment) = state else {
      throw .off(reasonOff ?? "")
    }
    guard let entry = try entry(named: key.name, environment, in: folder) else {
      throw reasonForAbsence(of: key, environment, in: folder)
    }
    guard entry.key.elementsEqual(key.bytes) else { throw .otherKernel }
    return entry
  }

  /// The data of a key that is no kernel.
  ///
  /// - Throws: why there are none.
  package func data(of key: CacheKey) throws(CacheMiss) -> ArraySlice<UInt8> {
    try entry(of: key).object
  }

  /// The objects of kernels, by the names of their entries.
  ///
  /// - Throws: why one of them is not there, or is another one.
  package func objects(
    _ references: [CacheReference]
  ) throws(CacheMiss) -> [String: ArraySlice<UInt8>] {
    guard case .on(let folder, let environment) = state else {
      throw .off(reasonOff ?? "")
    }
    var objects: [String: ArraySlice<UInt8>] = [:]
    for reference in references where objects[reference.name] == nil {
      guard let entry = try entry(named: reference.name, environment, in: folder) else {
        throw .new
      }
      guard hexadecimal(entry.checksum) == reference.checksum else { throw .otherKernel }
      objects[reference.name] = entry.object
    }
    return objects
  }

  /// The entry of a name, for this environment; nil when there is none.
  private func entry(
    named name: String, _ environment: CodeEnvironment, in folder: String
  ) throws(CacheMiss) -> CacheEntry? {
    let file: [UInt8]
    do {
      // No entry is larger than all may be together.
      file = try CacheFile.loadOwn(
        path(of: name, environment, in: folder), atMost: byteLimit, marksUse: true)
    } catch {
      guard error.code == ENOENT || error.code == ENOTDIR else { throw .unreadable(error.message) }
      return nil
    }
    let entry: CacheEntry
    do { entry = try CacheEntry(file: file) } catch { throw .damaged(error.reason) }
    guard entry.environment.elementsEqual(environment.text.utf8) else { throw .otherKernel }
    return entry
  }

  /// Keeps what was made from a key, if the folder takes it.
  ///
  /// - Returns: the entry; nil when it is not kept.
  @discardableResult
  package func store(_ object: [UInt8], of key: CacheKey) -> CacheReference? {
    guard case .on(let folder, let environment) = state else { return nil }
    let entry = CacheEntry(
      environment: Array(environment.text.utf8), key: key.bytes, object: object)
    let file = entry.file
    do {
      try CacheFile.createFolder("\(folder)/\(environment.name)")
      try CacheFile.save(file, to: path(of: key.name, environment, in: folder))
      account.withLock { account in account.bytes = account.bytes.map { $0 + file.count } }
      return CacheReference(name: key.name, checksum: hexadecimal(entry.checksum))
    } catch {
      account.withLock { $0.problem = error.message }
      return nil
    }
  }

  private func path(
    of name: String, _ environment: CodeEnvironment, in folder: String
  ) -> String {
    "\(folder)/\(environment.name)/\(name)"
  }

  /// Why a kernel has no entry: for others there may be one.
  private func reasonForAbsence(
    of key: CacheKey, _ environment: CodeEnvironment, in folder: String
  ) -> CacheMiss {
    for other in CacheFile.names(in: folder) {
      guard
        let file = try? CacheFile.loadOwn("\(folder)/\(other)/\(key.name)", atMost: byteLimit),
        let entry = try? CacheEntry(file: file), entry.key.elementsEqual(key.bytes)
      else { continue }
      return environment.difference(
        from: CodeEnvironment(text: String(decoding: entry.environment, as: UTF8.self)))
    }
    return .new
  }

  // MARK: Size

  /// Removes the least recently used entries while there are too many bytes.
  ///
  /// Counts all entries the first time; what other processes add meanwhile is seen by the next process.
  func trim() {
    guard case .on(let folder, _) = state else { return }
    let known = account.withLock { $0.bytes }
    if let known, known <= byteLimit { return }
    let left = CacheContents(folder: folder).trimmed(to: byteLimit)
    account.withLock { $0.bytes = left }
  }

  /// The number of entries and their bytes.
  package func measure() -> (entries: Int, bytes: Int) {
    guard let folder else { return (0, 0) }
    let contents = CacheContents(folder: folder)
    return (contents.entries.count, contents.bytes)
  }
}

extension CodeEnvironment {
  /// The name of the folder for its entries.
  var name: String { hexadecimal(fingerprint(text.utf8)) }
}
