#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The files that this process was loaded from.
struct LoadedImages {
  #if os(Linux)
    /// A line for each mapping: start-end permissions offset device inode path.
    private let mappings: [Substring]

    init() {
      let text = (try? CacheFile.load("/proc/self/maps")) ?? []
      mappings = String(decoding: text, as: UTF8.self).split(separator: "\n")
    }
  #endif

  /// What changes whenever the file that an address was loaded from is built anew.
  ///
  /// - Returns: nil when the file cannot be found, or has been replaced since.
  func fileIdentity(of address: UnsafeRawPointer) -> String? {
    guard let path = path(of: UInt(bitPattern: address)) else { return nil }
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    #if canImport(Darwin)
      let changed = status.st_mtimespec
    #else
      let changed = status.st_mtim
    #endif
    return
      "\(status.st_dev):\(status.st_ino):\(status.st_size):\(changed.tv_sec).\(changed.tv_nsec)"
  }

  #if os(Linux)
    /// The file that is mapped at an address.
    ///
    /// The linker's own answer would be the name that the program was started by, which may be anything.
    private func path(of address: UInt) -> String? {
      for line in mappings {
        let bounds = line.prefix { $0 != " " }.split(separator: "-")
        guard bounds.count == 2, let start = UInt(bounds[0], radix: 16), start <= address,
          let end = UInt(bounds[1], radix: 16), address < end
        else { continue }
        let fields = line.split(separator: " ", maxSplits: 5)
        guard fields.count == 6 else { return nil }
        let path = String(fields[5].drop { $0 == " " })
        var status = stat()
        // A file that has been replaced is listed with "(deleted)" behind its name.
        guard stat(path, &status) == 0, UInt(fields[4]) == UInt(status.st_ino) else { return nil }
        return path
      }
      return nil
    }
  #else
    /// The file that is mapped at an address.
    private func path(of address: UInt) -> String? {
      var information = Dl_info()
      guard dladdr(UnsafeRawPointer(bitPattern: address), &information) != 0 else { return nil }
      return information.dli_fname.map { String(cString: $0) }
    }
  #endif
}
