import GraphIR

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Memory for one dense tensor, aligned to 64 bytes; freed with its last reference.
///
/// A buffer is shared by reference: whoever binds it to a session must not touch it while the session runs.
public final class Buffer: @unchecked Sendable {
  /// The type of the tensor.
  public let type: TensorType
  /// The memory; `type.byteCount` bytes, zeroed when made.
  public let bytes: UnsafeMutableRawBufferPointer

  /// Every buffer starts at a multiple of this, and reading a full vector past its end stays in its memory.
  public static let alignment = 64

  /// The bytes that a buffer for a tensor of the type allocates.
  package static func allocatedBytes(_ type: TensorType) -> Int { type.byteCount + alignment }

  /// Allocates zeroed memory for a tensor.
  public init(_ type: TensorType) {
    self.type = type
    let count = Buffer.allocatedBytes(type)
    let memory = TensorMemory.allocate(count)
    memset(memory, 0, count)
    bytes = UnsafeMutableRawBufferPointer(start: memory, count: count)
  }

  /// Allocates memory and copies a literal into it.
  public convenience init(_ literal: Literal) {
    self.init(literal.type)
    write(literal)
  }

  deinit { bytes.deallocate() }

  /// Replaces the tensor by a literal of the same type.
  public func write(_ literal: Literal) {
    precondition(literal.type == type, "literal does not have the buffer's type")
    defer { withExtendedLifetime(self) {} }
    literal.bytes.withUnsafeBytes { bytes.copyMemory(from: $0) }
  }

  /// The tensor as a literal.
  public func literal() -> Literal {
    defer { withExtendedLifetime(self) {} }
    let content = UnsafeRawBufferPointer(rebasing: bytes[..<type.byteCount])
    // A bool byte other than 0 or 1 would be a bug of ours; zeros keep it visible without trapping.
    return Literal(type, bytes: Array(content)) ?? Literal(zeros: type)
  }
}
