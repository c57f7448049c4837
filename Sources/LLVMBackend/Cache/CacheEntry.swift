/// A file of the cache: a kernel's object or a program, and all that it was made from.
///
/// The file is `magic`, the lengths of the three parts (64 bits each), their fingerprint (128 bits), and the parts; numbers
/// begin with the lowest byte.
struct CacheEntry {
  /// What the code is for and what made it; see `CodeEnvironment`.
  var environment: ArraySlice<UInt8>
  /// What it was made from; see `CacheKey`.
  var key: ArraySlice<UInt8>
  /// The object file, or the program.
  var object: ArraySlice<UInt8>
  /// The fingerprint of the parts.
  let checksum: UInt128

  private static let magic = Array("martlet1".utf8)
  private static let headerBytes = 8 + 3 * 8 + 16

  /// Why a file is no entry.
  struct Damage: Error {
    var reason: String
  }

  init(environment: [UInt8], key: [UInt8], object: [UInt8]) {
    self.environment = environment[...]
    self.key = key[...]
    self.object = object[...]
    checksum = fingerprint(Array([environment, key, object].joined()))
  }

  /// Reads a file.
  ///
  /// - Throws: when it is not what was written.
  init(file: [UInt8]) throws(Damage) {
    guard file.count >= Self.headerBytes, file.starts(with: Self.magic) else {
      throw Damage(reason: "it has no header")
    }
    func number<Number: FixedWidthInteger>(at place: Int, _: Number.Type) -> Number {
      var number: Number = 0
      for byte in file[place..<place + Number.bitWidth / 8].reversed() {
        number = number << 8 | Number(byte)
      }
      return number
    }
    var rest = file[Self.headerBytes...]
    var parts: [ArraySlice<UInt8>] = []
    for place in 0..<3 {
      let length = number(at: 8 + 8 * place, UInt64.self)
      guard length <= UInt64(rest.count) else { throw Damage(reason: "its end is missing") }
      parts.append(rest.prefix(Int(length)))
      rest = rest.dropFirst(Int(length))
    }
    guard rest.isEmpty else { throw Damage(reason: "it is too long") }
    checksum = number(at: 32, UInt128.self)
    guard checksum == fingerprint(file[Self.headerBytes...]) else {
      throw Damage(reason: "its checksum is wrong")
    }
    (environment, key, object) = (parts[0], parts[1], parts[2])
  }

  /// The file's bytes.
  var file: [UInt8] {
    let parts = [environment, key, object]
    var file = Self.magic
    func append(_ number: some FixedWidthInteger) {
      withUnsafeBytes(of: number.littleEndian) { file.append(contentsOf: $0) }
    }
    for part in parts { append(UInt64(part.count)) }
    append(checksum)
    for part in parts { file += part }
    return file
  }
}
