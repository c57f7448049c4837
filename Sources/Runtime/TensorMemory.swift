#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Where tensors lie: large ones on large pages.
///
/// A step through a large tensor needs a translation for each page that it touches, and the processor keeps few of
/// them: columns, and several tensors at once, run out of those for pages of 4 KiB.
package enum TensorMemory {
  /// A large page.
  private static let pageBytes = 2 << 20
  /// Below this, what a large page leaves unused would count.
  private static let smallestLarge = 2 * pageBytes

  /// Allocates memory, aligned as a buffer; it is freed by `deallocate`.
  package static func allocate(_ bytes: Int) -> UnsafeMutableRawPointer {
    guard bytes >= smallestLarge else {
      return .allocate(byteCount: bytes, alignment: Buffer.alignment)
    }
    let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: pageBytes)
    #if canImport(Glibc)
      // Whole pages only, so that no more becomes resident than is asked for. Refusal changes nothing but speed.
      _ = madvise(memory, bytes / pageBytes * pageBytes, MADV_HUGEPAGE)
    #endif
    return memory
  }
}
