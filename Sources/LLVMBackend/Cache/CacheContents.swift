#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What lies in the folder of a cache.
struct CacheContents {
  /// A file of the cache.
  struct Entry {
    var path: String
    var bytes: Int
    /// When it was last used, in nanoseconds.
    var used: Int
  }

  private let folder: String
  /// All entries.
  private(set) var entries: [Entry] = []
  /// Files that are being written, or were when a process ended.
  private var unfinished: [Entry] = []

  /// Lists a folder; what cannot be read is left out.
  init(folder: String) {
    self.folder = folder
    for environment in CacheFile.names(in: folder) {
      for name in CacheFile.names(in: "\(folder)/\(environment)") {
        guard let entry = Entry(path: "\(folder)/\(environment)/\(name)") else { continue }
        if name.hasSuffix(CacheFile.temporarySuffix) {
          unfinished.append(entry)
        } else if CacheContents.isFingerprint(name) {
          entries.append(entry)
        }
      }
    }
  }

  /// What the cache did not name is not the cache's.
  private static func isFingerprint(_ name: String) -> Bool {
    name.utf8.count == 32 && name.allSatisfy { $0.isHexDigit }
  }

  /// The bytes of all entries.
  var bytes: Int { entries.reduce(0) { $0 + $1.bytes } }

  /// Removes entries, the least recently used first, when they have more bytes than the limit.
  ///
  /// Three quarters of the limit stay, so that not every new entry makes others go.
  ///
  /// - Returns: the bytes that are left.
  func trimmed(to limit: Int) -> Int {
    // Nobody writes for an hour.
    for entry in unfinished where entry.used < (time(nil) - 3600) * 1_000_000_000 {
      unlink(entry.path)
    }
    var left = bytes
    guard left > limit else { return left }
    for entry in entries.sorted(by: { $0.used < $1.used }) where left > limit / 4 * 3 {
      unlink(entry.path)
      left -= entry.bytes
    }
    // Those that are empty now; the others stay.
    for environment in CacheFile.names(in: folder) { rmdir("\(folder)/\(environment)") }
    return left
  }
}

extension CacheContents.Entry {
  fileprivate init?(path: String) {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    #if canImport(Darwin)
      let changed = status.st_mtimespec
    #else
      let changed = status.st_mtim
    #endif
    self.init(
      path: path, bytes: Int(status.st_size), used: changed.tv_sec * 1_000_000_000 + changed.tv_nsec
    )
  }
}
