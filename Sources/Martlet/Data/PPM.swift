import GraphIR

/// Netpbm's grey and coloured pictures, as text (P2, P3) or binary (P5, P6).
///
/// Read here and not by Netpbm's own library: that ends the program when a file is damaged, unless its caller catches C's
/// `longjmp`, which Swift cannot.
enum PPM {
  /// Reads the one picture of a file.
  static func parse(_ bytes: [UInt8], name: String) throws(Diagnostic) -> PictureContent {
    func bad(_ what: String) -> Diagnostic {
      Diagnostic(.format, "'\(name)' is no PPM or PGM picture: \(what)")
    }
    guard bytes.count >= 2, bytes[0] == UInt8(ascii: "P"),
      let (isText, channels) = kinds[bytes[1]]
    else { throw bad("it begins with none of P2, P3, P5 and P6") }
    var reader = Reader(bytes: bytes, place: 2)
    guard let width = reader.number(), let height = reader.number(), let greatest = reader.number()
    else { throw bad("its header is cut off or holds no numbers") }
    guard width >= 1, height >= 1, (1...65535).contains(greatest) else {
      throw bad("its header says \(width)x\(height) pixels up to \(greatest)")
    }
    guard width <= Picture.maximumExtent, height <= Picture.maximumExtent else {
      throw Picture.tooLarge(name, height, width)
    }
    let count = width * height * channels
    var values: [UInt16] = []
    if isText {
      // Each number takes a space and a digit at least.
      guard bytes.count - reader.place >= 2 * count else { throw bad("it has too few pixels") }
      values.reserveCapacity(count)
      for _ in 0..<count {
        guard let value = reader.number().flatMap({ UInt16(exactly: $0) }) else {
          throw bad("pixel \(values.count) is no number up to 65535")
        }
        values.append(value)
      }
      guard reader.isAtEnd else { throw bad("something follows its pixels") }
    } else {
      let size = greatest > 255 ? 2 : 1
      // One space ends the header, whatever the first pixel is.
      let start = reader.place + 1
      guard bytes.count - start == count * size else {
        throw bad(
          "\(count * size) bytes of pixels are needed, it has \(max(bytes.count - start, 0))")
      }
      values = (0..<count).map { index in
        size == 1
          ? UInt16(bytes[start + index])
          : UInt16(bytes[start + 2 * index]) << 8 | UInt16(bytes[start + 2 * index + 1])
      }
    }
    if let wrong = values.first(where: { $0 > greatest }) {
      throw bad("a pixel is \(wrong), above its greatest, \(greatest)")
    }
    return PictureContent(
      height: height, width: width, channels: channels, values: values,
      greatest: UInt16(greatest))
  }

  private static let kinds: [UInt8: (isText: Bool, channels: Int)] = [
    UInt8(ascii: "2"): (true, 1), UInt8(ascii: "3"): (true, 3), UInt8(ascii: "5"): (false, 1),
    UInt8(ascii: "6"): (false, 3),
  ]

  /// Numbers between spaces and comments.
  private struct Reader {
    let bytes: [UInt8]
    var place: Int

    /// The next number, behind at least one space; nil when there is none, or it is above a million.
    mutating func number() -> Int? {
      guard skipSpace() else { return nil }
      var value = 0
      let start = place
      while place < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[place]) {
        value = value * 10 + Int(bytes[place] - UInt8(ascii: "0"))
        guard value <= 1_000_000 else { return nil }
        place += 1
      }
      return place > start ? value : nil
    }

    var isAtEnd: Bool {
      var rest = self
      _ = rest.skipSpace()
      return rest.place == bytes.count
    }

    /// Skips spaces, and comments from `#` to the end of their line.
    private mutating func skipSpace() -> Bool {
      let start = place
      while place < bytes.count {
        if bytes[place] == UInt8(ascii: "#") {
          while place < bytes.count, bytes[place] != UInt8(ascii: "\n") { place += 1 }
        } else if bytes[place] == UInt8(ascii: " ") || (9...13).contains(bytes[place]) {
          place += 1
        } else {
          break
        }
      }
      return place > start
    }
  }
}
