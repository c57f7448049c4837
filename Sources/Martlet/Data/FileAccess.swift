import GraphIR

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Whole files as bytes, with diagnostics that name the path.
package enum FileAccess {
  /// The content of a file.
  package static func read(_ path: String) throws(Diagnostic) -> [UInt8] {
    guard let file = fopen(path, "rb") else { throw failure("cannot be opened", path) }
    defer { fclose(file) }
    var information = stat()
    guard fstat(fileno(file), &information) == 0 else { throw failure("cannot be read", path) }
    guard information.st_mode & S_IFMT != S_IFDIR else {
      throw Diagnostic(.file, "'\(path)' is a folder, not a file")
    }
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      content += chunk[..<count]
      if count < chunk.count { break }
    }
    guard ferror(file) == 0 else { throw failure("cannot be read", path) }
    return content
  }

  /// Replaces a file's content as a whole: after a failure the old file is still there.
  package static func write(_ bytes: [UInt8], to path: String) throws(Diagnostic) {
    let temporary = "\(path).\(getpid()).part"
    guard let file = fopen(temporary, "wb") else { throw failure("cannot be written", path) }
    var isWritten = fwrite(bytes, 1, bytes.count, file) == bytes.count
    isWritten = fflush(file) == 0 && fsync(fileno(file)) == 0 && isWritten
    isWritten = fclose(file) == 0 && isWritten
    guard isWritten, rename(temporary, path) == 0 else {
      let diagnostic = failure("cannot be written", path)
      unlink(temporary)
      throw diagnostic
    }
  }

  /// Writes text at once; what cannot be written is lost, as nobody reads it.
  static func writeToStandardError(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      var start = 0
      while start < bytes.count {
        let count = writeBytes(STDERR_FILENO, bytes.baseAddress! + start, bytes.count - start)
        guard count > 0 else { return }
        start += count
      }
    }
  }

  private static func failure(_ what: String, _ path: String) -> Diagnostic {
    Diagnostic(.file, "'\(path)' \(what): \(String(cString: strerror(errno)))")
  }
}

/// The system call, whose name `FileAccess.write` hides.
private func writeBytes(_ file: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
  write(file, bytes, count)
}
