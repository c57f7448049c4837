import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The few calls of the system that the cache needs.
enum CacheFile {
  /// A call of the system failed.
  struct Problem: Error {
    /// The system's number of the error.
    var code: Int32
    /// The file, and what the system says of it.
    var message: String

    init(_ path: String) {
      code = errno
      message = "\(path): \(String(cString: strerror(code)))"
    }
  }

  /// Tells temporary names of one process apart.
  private static let written = Atomic(0)

  /// Reads a file that belongs to this user and has at most so many bytes.
  static func loadOwn(
    _ path: String, atMost limit: Int, marksUse: Bool = false
  ) throws(Problem) -> [UInt8] {
    try load(path) { file, status in
      // What is read is run, so nobody else may have written it.
      guard status.st_uid == geteuid() else { return EPERM }
      guard Int(status.st_size) <= limit else { return EFBIG }
      if marksUse { markUse(of: file, status) }
      return 0
    }
  }

  /// Reads a file.
  ///
  /// - Parameter refusal: the system's number of what speaks against it; 0 when nothing does.
  static func load(
    _ path: String, refusal: (Int32, stat) -> Int32 = { _, _ in 0 }
  ) throws(Problem) -> [UInt8] {
    // A pipe would have the opening wait for its writer.
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw Problem(path) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw Problem(path) }
    let isFile = status.st_mode & S_IFMT == S_IFREG
    let code = isFile ? refusal(file, status) : status.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL
    guard code == 0 else {
      errno = code
      throw Problem(path)
    }
    var bytes: [UInt8] = []
    // Files in /proc have no size.
    var capacity = max(Int(status.st_size), 1 << 16)
    while true {
      let start = bytes.count
      var count = 0
      bytes.reserveCapacity(start + capacity)
      let chunk = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, initialized in
        count = read(file, buffer.baseAddress, capacity)
        initialized = max(count, 0)
      }
      guard count >= 0 else { throw Problem(path) }
      guard count > 0 else { return bytes }
      if start == 0 { bytes = chunk } else { bytes += chunk }
      if status.st_size > 0, bytes.count == Int(status.st_size) { return bytes }
      capacity = 1 << 16
    }
  }

  /// The time of the last change says when an entry was last used: an hour more or less does not matter.
  private static func markUse(of file: Int32, _ status: stat) {
    #if canImport(Darwin)
      let changed = status.st_mtimespec.tv_sec
    #else
      let changed = status.st_mtim.tv_sec
    #endif
    if time(nil) - changed > 3600 { futimens(file, nil) }
  }

  /// Writes a file under a temporary name and renames it, so that readers see all of it or nothing.
  static func save(_ bytes: [UInt8], to path: String) throws(Problem) {
    let number = written.add(1, ordering: .relaxed).newValue
    let temporary = "\(path).\(getpid()).\(number)\(temporarySuffix)"
    let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw Problem(temporary) }
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        write(file, buffer.baseAddress.map { $0 + done }, bytes.count - done)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let problem = Problem(temporary)
        close(file)
        unlink(temporary)
        throw problem
      }
      done += count
    }
    guard close(file) == 0, rename(temporary, path) == 0 else {
      let problem = Problem(path)
      unlink(temporary)
      throw problem
    }
  }

  /// How the names of files end that are not complete.
  static let temporarySuffix = ".tmp"

  /// Makes a folder, and those that it lies in, for this user alone.
  static func createFolder(_ path: String) throws(Problem) {
    if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
      throw Problem(path)
    }
    try createFolder(String(path[..<slash]))
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw Problem(path) }
  }

  /// The names in a folder, but for those that begin with a dot; none when it cannot be read.
  static func names(in folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
        name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names
  }
}
