import GraphIR

/// NumPy's format for several arrays: a ZIP archive of NPY files, stored or deflated (numpy.savez, savez_compressed).
///
/// Of ZIP (PKWARE's APPNOTE 6.3) this reads what NumPy writes: one disk, no encryption, and 64-bit sizes where they are
/// needed. zlib decompresses and checks.
public enum NPZ {
  /// Reads all arrays by their names.
  ///
  /// - Throws: what is wrong with the file, or which of its features no tensor has.
  public static func read(_ path: String) throws(Diagnostic) -> [String: Literal] {
    try parse(try Files.read(path), name: path)
  }

  /// Writes arrays as NumPy's `savez` does, replacing a file as a whole.
  ///
  /// - Throws: when the file cannot be written, or a tensor is bf16, which NumPy does not have.
  public static func write(_ arrays: [String: Literal], to path: String) throws(Diagnostic) {
    var chunks: [[UInt8]] = []
    var directory: [UInt8] = []
    var offset = 0
    for (name, literal) in arrays.sorted(by: { $0.key < $1.key }) {
      let (file, content) = (Array("\(name).npy".utf8), try NPY.serialized(literal))
      guard file.count <= 0xFFFF, offset + content.count < 0xFFFF_FFFF - 0xFFFF,
        arrays.count < 0xFFFF
      else {
        throw Diagnostic(
          .unsupported, "the arrays are too many or too large for '\(path)'",
          hint: "below 4 GiB in all; write single arrays as NPY")
      }
      // Version 2.0, the name in UTF-8, stored, on the first day of 1980.
      let common =
        word(20) + word(0x800) + word(0) + word(0) + word(0x21) + long(checksum(content))
        + long(content.count) + long(content.count) + word(file.count) + word(0)
      chunks += [long(Signature.file) + common + file, content]
      directory +=
        long(Signature.entry) + word(20) + common + word(0) + word(0) + word(0) + long(0)
        + long(offset) + file
      offset += 30 + file.count + content.count
    }
    chunks.append(directory)
    chunks.append(
      long(Signature.end) + word(0) + word(0) + word(arrays.count) + word(arrays.count)
        + long(directory.count) + long(offset) + word(0))
    try Files.write(chunks, to: path)
  }

  private enum Signature {
    static let file = 0x0403_4B50
    static let entry = 0x0201_4B50
    static let end = 0x0605_4B50
  }

  static func parse(_ bytes: [UInt8], name: String) throws(Diagnostic) -> [String: Literal] {
    func bad(_ what: String) -> Diagnostic {
      Diagnostic(.format, "'\(name)' is no NPZ file: \(what)")
    }
    let fields = Fields(bytes: bytes)
    // The end record is the last, before a comment of at most 65,535 bytes.
    let starts = (max(bytes.count - 22 - 0xFFFF, 0)...max(bytes.count - 22, 0)).reversed()
    guard let end = starts.first(where: { fields.long($0) == Signature.end }),
      let count = fields.word(end + 10), var place = fields.long(end + 16)
    else { throw bad("it has no directory of a ZIP archive") }
    var arrays: [String: Literal] = [:]
    for _ in 0..<count {
      guard let entry = Entry(fields, &place) else { throw bad("its directory is damaged") }
      guard entry.name.hasSuffix(".npy") else { throw bad("it holds '\(entry.name)'") }
      guard let packed = entry.packed(fields) else {
        throw bad("'\(entry.name)' is cut off or encrypted")
      }
      guard entry.size <= Gzip.maximumSize else { throw bad("'\(entry.name)' is too large") }
      let content: [UInt8]
      switch entry.method {
      case 0: content = Array(packed)
      case 8:
        do {
          content = try Gzip.decompress(Array(packed), isBare: true)
        } catch { throw bad("'\(entry.name)': \(error.message)") }
      default: throw bad("'\(entry.name)' is compressed by method \(entry.method)")
      }
      guard content.count == entry.size, checksum(content) == entry.checksum else {
        throw bad("'\(entry.name)' is damaged")
      }
      let array = try NPY.parse(content, name: "\(name)/\(entry.name)")
      guard arrays.updateValue(array, forKey: String(entry.name.dropLast(4))) == nil else {
        throw bad("it holds '\(entry.name)' twice")
      }
    }
    return arrays
  }

  private static func checksum(_ bytes: [UInt8]) -> Int { Int(Checksum(bytes).value) }

  private static func word(_ value: Int) -> [UInt8] { [UInt8(value & 0xFF), UInt8(value >> 8)] }
  private static func long(_ value: Int) -> [UInt8] {
    word(value & 0xFFFF) + word(value >> 16)
  }

  /// Little-endian numbers at places of a file; nil where the file has ended.
  private struct Fields {
    let bytes: [UInt8]
    func word(_ place: Int) -> Int? { number(place, 2) }
    func long(_ place: Int) -> Int? { number(place, 4) }
    func number(_ place: Int, _ size: Int) -> Int? {
      guard place >= 0, size <= bytes.count, place <= bytes.count - size else { return nil }
      let value = bytes[place..<place + size].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      return Int(exactly: value)
    }
  }

  /// A file as the directory describes it.
  private struct Entry {
    let name: String
    let method: Int
    let checksum: Int
    let size: Int
    private let packedSize: Int
    private let offset: Int
    private let isEncrypted: Bool

    /// Reads the entry at a place, and moves the place behind it.
    init?(_ fields: Fields, _ place: inout Int) {
      guard fields.long(place) == Signature.entry, let flags = fields.word(place + 8),
        let method = fields.word(place + 10), let checksum = fields.long(place + 16),
        let nameSize = fields.word(place + 28), let extraSize = fields.word(place + 30),
        let commentSize = fields.word(place + 32), let offset = fields.long(place + 42),
        let packedSize = fields.long(place + 20), let size = fields.long(place + 24),
        place + 46 + nameSize + extraSize <= fields.bytes.count,
        let name = String(
          validating: fields.bytes[place + 46..<place + 46 + nameSize], as: UTF8.self)
      else { return nil }
      // What does not fit in 32 bits stands, in this order, in the extra field of number 1.
      var sizes = [size, packedSize, offset]
      var extra = place + 46 + nameSize
      let end = extra + extraSize
      while extra + 4 <= end, let number = fields.word(extra), let length = fields.word(extra + 2) {
        var field = extra + 4
        if number == 1 {
          for index in sizes.indices where sizes[index] == 0xFFFF_FFFF {
            guard field + 8 <= end, let value = fields.number(field, 8) else { return nil }
            sizes[index] = value
            field += 8
          }
        }
        extra += 4 + length
      }
      (self.size, self.packedSize, self.offset) = (sizes[0], sizes[1], sizes[2])
      (self.name, self.method, self.checksum) = (name, method, checksum)
      isEncrypted = flags & 1 != 0
      place = end + commentSize
    }

    /// The bytes of the file as they lie in the archive; nil when they do not.
    func packed(_ fields: Fields) -> ArraySlice<UInt8>? {
      guard !isEncrypted, offset <= fields.bytes.count, fields.long(offset) == Signature.file,
        let nameSize = fields.word(offset + 26), let extraSize = fields.word(offset + 28)
      else { return nil }
      let start = offset + 30 + nameSize + extraSize
      guard start <= fields.bytes.count, packedSize <= fields.bytes.count - start else {
        return nil
      }
      return fields.bytes[start..<start + packedSize]
    }
  }
}
