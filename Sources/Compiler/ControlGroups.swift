import GraphIR

/// The memory limits of Linux's control groups, by which containers hold their processes.
///
/// See the kernel's documentation, "Control Group v2" (`memory.max`), and "Memory Resource Controller" for version 1
/// (`memory.limit_in_bytes`).
package struct ControlGroups: Sendable {
  /// Where the groups are mounted.
  package var mount = "/sys/fs/cgroup"
  /// The file that names the groups of this process.
  package var membership = "/proc/self/cgroup"

  /// Looks at the groups of this process.
  package init() {}

  /// The least limit of the process's groups and of those around them, in bytes; infinite without any.
  package var memoryLimit: Double {
    lines(of: membership).reduce(.infinity) { least, line in
      // `0::/path` in version 2, `4:memory:/path` in version 1.
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { return least }
      if fields[1].isEmpty {
        return min(least, limit(below: mount, fields[2], file: "memory.max"))
      }
      guard fields[1].split(separator: ",").contains("memory") else { return least }
      return min(
        least, limit(below: "\(mount)/memory", fields[2], file: "memory.limit_in_bytes"))
    }
  }

  /// The least limit on the way from a group up; inside of a container only the upper end of the way may be there.
  private func limit(below root: String, _ path: Substring, file: String) -> Double {
    var names = path.split(separator: "/")
    var least = Double.infinity
    while true {
      let text = lines(of: ([root] + names.map(String.init) + [file]).joined(separator: "/")).first
      // `max` is no limit.
      if let limit = text.flatMap({ Double($0) }), limit >= 0 { least = min(least, limit) }
      if names.popLast() == nil { return least }
    }
  }

  /// The lines of a file; none when it is not there.
  private func lines(of path: String) -> [Substring] {
    guard let bytes = try? Files.read(path) else { return [] }
    return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
  }
}
