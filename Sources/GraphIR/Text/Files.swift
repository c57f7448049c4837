#if canImport(Glibc)
  import Glibc
  private let systemRead: @Sendable (Int32, UnsafeMutableRawPointer?, Int) -> Int = Glibc.read
  private let systemWrite: @Sendable (Int32, UnsafeRawPointer?, Int) -> Int = Glibc.write
#elseif canImport(Musl)
  import Musl
  private let systemRead: @Sendable (Int32, UnsafeMutableRawPointer?, Int) -> Int = Musl.read
  private let systemWrite: @Sendable (Int32, UnsafeRawPointer?, Int) -> Int = Musl.write
#elseif canImport(Darwin)
  import Darwin
  private let systemRead: @Sendable (Int32, UnsafeMutableRawPointer?, Int) -> Int = Darwin.read
  private let systemWrite: @Sendable (Int32, UnsafeRawPointer?, Int) -> Int = Darwin.write
#endif

/// Whole files, read and written in one go.
package enum Files {
  /// The bytes of a file.
  ///
  /// - Throws: a diagnostic that names the path and what the system says.
  package static func read(_ path: String) throws(Diagnostic) -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw failure("cannot be read", path) }
    defer { close(file) }
    var bytes: [UInt8] = []
    var status = stat()
    guard fstat(file, &status) == 0 else { throw failure("cannot be read", path) }
    guard status.st_mode & S_IFMT != S_IFDIR else {
      throw Diagnostic(.file, "\(path) is a directory", hint: "name a file")
    }
    // A size is what the system says, which need not be there: /proc/kcore has all addresses.
    bytes.reserveCapacity(min(Int(status.st_size), 1 << 30) + 1)
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = chunk.withUnsafeMutableBytes { systemRead(file, $0.baseAddress, $0.count) }
      if count == 0 { return bytes }
      if count < 0 {
        if errno == EINTR { continue }
        throw failure("cannot be read", path)
      }
      bytes += chunk[..<count]
    }
  }

  /// Replaces a file as a whole: whoever reads it sees the old content or the new, also after a
  /// crash.
  ///
  /// - Throws: a diagnostic that names the path and what the system says; the old file then stays.
  package static func write(
    _ chunks: [[UInt8]], to path: String, isDurable: Bool = true
  ) throws(Diagnostic) {
    // Beside the file, since a rename is atomic only within one file system.
    let temporary = "\(path).\(getpid()).tmp"
    let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw failure("cannot be written", path) }
    for chunk in chunks {
      guard writeAll(chunk, to: file) else {
        let reason = failure("cannot be written", path)
        close(file)
        unlink(temporary)
        throw reason
      }
    }
    let synchronized = !isDurable || fsync(file) == 0
    guard close(file) == 0, synchronized, rename(temporary, path) == 0 else {
      let reason = failure("cannot be written", path)
      unlink(temporary)
      throw reason
    }
    guard isDurable else { return }
    // The new name outlasts a power failure only once the folder is written; some file systems cannot be asked to.
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let parent = parts.count > 1 ? parts.dropLast().joined(separator: "/") + "/" : "."
    let folder = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { return }
    fsync(folder)
    close(folder)
  }

  private static func writeAll(_ bytes: [UInt8], to file: Int32) -> Bool {
    bytes.withUnsafeBytes { raw in
      var written = 0
      while written < raw.count {
        let rest = UnsafeRawBufferPointer(rebasing: raw[written...])
        let count = systemWrite(file, rest.baseAddress, rest.count)
        if count < 0 && errno != EINTR { return false }
        written += max(count, 0)
      }
      return true
    }
  }

  private static func failure(_ what: String, _ path: String) -> Diagnostic {
    Diagnostic(.file, "\(path) \(what): \(String(cString: strerror(errno)))")
  }
}
