import CZlib
import GraphIR

/// Decompression of gzip files (RFC 1952) by zlib.
enum Gzip {
  /// The most that a file may hold: a small file must not fill the memory.
  static let maximumSize = 1 << 32

  /// The content of a file, decompressed when it is a gzip file.
  static func read(_ path: String) throws(Diagnostic) -> [UInt8] {
    let bytes = try Files.read(path)
    guard bytes.starts(with: [0x1F, 0x8B]) else { return bytes }
    do {
      return try decompress(bytes)
    } catch {
      throw Diagnostic(.format, "'\(path)': \(error.message)")
    }
  }

  /// The content of gzip bytes, which may have several members.
  ///
  /// - Parameter isBare: Whether there is no gzip header, as in ZIP archives (RFC 1951).
  static func decompress(_ bytes: [UInt8], isBare: Bool = false) throws(Diagnostic) -> [UInt8] {
    var stream = z_stream()
    // 16: a gzip header is expected; 15: windows of any size; negative: neither header nor check sum.
    guard
      inflateInit2_(
        &stream, isBare ? -15 : 16 + 15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw Diagnostic(.unsupported, "zlib cannot begin to decompress") }
    defer { inflateEnd(&stream) }
    var input = bytes
    var output: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    let status = input.withUnsafeMutableBufferPointer { source in
      stream.next_in = source.baseAddress
      stream.avail_in = UInt32(clamping: source.count)
      while true {
        let (status, count) = chunk.withUnsafeMutableBufferPointer { target in
          stream.next_out = target.baseAddress
          stream.avail_out = UInt32(target.count)
          let status = inflate(&stream, Z_NO_FLUSH)
          return (status, target.count - Int(stream.avail_out))
        }
        output += chunk[..<count]
        if status == Z_STREAM_END, !isBare, stream.avail_in > 0, inflateReset(&stream) == Z_OK {
          continue
        }
        if status != Z_OK || output.count > maximumSize { return status }
      }
    }
    guard status == Z_STREAM_END else {
      throw Diagnostic(
        .format,
        status == Z_BUF_ERROR ? "the compressed data is cut off" : "the compressed data is damaged")
    }
    return output
  }
}
