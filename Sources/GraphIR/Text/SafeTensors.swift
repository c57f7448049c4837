import FoundationEssentials

/// Named tensors in a file, in the format of https://huggingface.co/docs/safetensors: the length of
/// the header (u64), the header (JSON), and the tensors' bytes one behind the other, all
/// little-endian.
public struct SafeTensors: Sendable {
  /// The tensors in the order of their data.
  public var tensors: [(name: String, literal: Literal)]
  /// Free text beside the tensors (`__metadata__`).
  public var metadata: [String: String]

  /// The most bytes that a header may have, as in the format's own implementation.
  public static let maximumHeaderByteCount = 100_000_000

  /// Makes the content of a file.
  public init(_ tensors: [(name: String, literal: Literal)], metadata: [String: String] = [:]) {
    self.tensors = tensors
    self.metadata = metadata
  }

  /// Reads a file.
  ///
  /// - Throws: `file` when it cannot be read, `format` when its content is not what the format
  ///   says.
  public init(path: String) throws(Diagnostic) {
    try self.init(bytes: try Files.read(path), path: path)
  }

  /// Writes a file, as a whole or not at all.
  public func write(to path: String) throws(Diagnostic) {
    try Files.write(try chunks(), to: path)
  }

  /// The tensors' literals by name.
  public var literals: [String: Literal] {
    Dictionary(tensors.map { ($0.name, $0.literal) }) { first, _ in first }
  }
}

/// A tensor's entry in the header.
private struct Entry: Codable {
  var dtype: String
  var shape: [Int]
  var offsets: [Int]

  enum CodingKeys: String, CodingKey {
    case dtype, shape
    case offsets = "data_offsets"
  }
}

/// The header: entries by name, and the metadata.
private struct Header: Codable {
  struct Name: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
  static let metadataName = Name(stringValue: "__metadata__")

  var entries: [String: Entry] = [:]
  var metadata: [String: String]?

  init(_ entries: [String: Entry], metadata: [String: String]?) {
    self.entries = entries
    self.metadata = metadata
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Name.self)
    for name in container.allKeys {
      if name.stringValue == Self.metadataName.stringValue {
        metadata = try container.decode([String: String].self, forKey: name)
      } else {
        entries[name.stringValue] = try container.decode(Entry.self, forKey: name)
      }
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Name.self)
    try container.encodeIfPresent(metadata, forKey: Self.metadataName)
    for (name, entry) in entries {
      try container.encode(entry, forKey: Name(stringValue: name))
    }
  }
}

extension SafeTensors {
  /// Reads the content of a file.
  ///
  /// - Parameter path: the name by which diagnostics call the content.
  public init(bytes: [UInt8], path: String) throws(Diagnostic) {
    func refused(_ message: String) -> Diagnostic {
      Diagnostic(
        .format, "\(path) is not a safetensors file: \(message)",
        hint: "the file may be truncated or of another format")
    }
    guard bytes.count >= 8 else { throw refused("it has \(bytes.count) bytes") }
    let length = bytes[..<8].reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(min(bytes.count - 8, Self.maximumHeaderByteCount)) else {
      throw refused("its header would have \(length) bytes of \(bytes.count - 8)")
    }
    let dataStart = 8 + Int(length)
    guard length > 0, bytes[8] == UInt8(ascii: "{") else {
      throw refused("its header is no JSON object")
    }
    let header: Header
    do {
      header = try JSONDecoder().decode(Header.self, from: Data(bytes[8..<dataStart]))
    } catch {
      throw refused("its header cannot be understood (\(Self.reason(error)))")
    }
    metadata = header.metadata ?? [:]
    tensors = []
    var end = 0
    let ordered = header.entries.sorted { a, b in
      (a.value.offsets.first ?? 0, a.value.offsets.last ?? 0, a.key)
        < (b.value.offsets.first ?? 0, b.value.offsets.last ?? 0, b.key)
    }
    for (name, entry) in ordered {
      guard let dtype = DType(safeTensorsName: entry.dtype) else {
        throw refused("\(name) has the unknown dtype \(entry.dtype)")
      }
      guard let shape = Shape.checked(entry.shape) else {
        throw refused("\(name) has the shape \(Shape(entry.shape))")
      }
      let type = TensorType(dtype, shape)
      guard entry.offsets.count == 2, entry.offsets[0] == end,
        entry.offsets[1] >= end, entry.offsets[1] <= bytes.count - dataStart,
        entry.offsets[1] - end == type.byteCount
      else {
        throw refused(
          "\(name) of \(type) lies at \(entry.offsets), but needs \(type.byteCount) bytes "
            + "from \(end) on, within \(bytes.count - dataStart)")
      }
      let data = bytes[(dataStart + end)..<(dataStart + entry.offsets[1])]
      guard let literal = Literal(type, bytes: Array(data)) else {
        throw refused("\(name) of \(type) holds a byte that is neither 0 nor 1")
      }
      tensors.append((name, literal))
      end = entry.offsets[1]
    }
    guard end == bytes.count - dataStart else {
      throw refused("\(bytes.count - dataStart - end) bytes belong to no tensor")
    }
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case DecodingError.dataCorrupted(let context), DecodingError.keyNotFound(_, let context),
      DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      context.debugDescription
    default:  // text
      "\(error)"
    }
  }

  /// The content of the file, in pieces.
  private func chunks() throws(Diagnostic) -> [[UInt8]] {
    var entries: [String: Entry] = [:]
    var end = 0
    for (name, literal) in tensors {
      let entry = Entry(
        dtype: literal.type.dtype.safeTensorsName, shape: literal.type.shape.extents,
        offsets: [end, end + literal.bytes.count])
      guard entries.updateValue(entry, forKey: name) == nil,
        name != Header.metadataName.stringValue
      else {
        throw Diagnostic(
          .name, "\"\(name)\" cannot name a tensor of a safetensors file a second time",
          hint: "names are unique, and __metadata__ is none")
      }
      end += literal.bytes.count
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let header: Data
    do {
      header = try encoder.encode(Header(entries, metadata: metadata.isEmpty ? nil : metadata))
    } catch {
      throw Diagnostic(.internalError, "the header cannot be encoded: \(error)")
    }
    // Spaces behind the header align the data, as the format recommends.
    let padding = [UInt8](repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
    let length = UInt64(header.count + padding.count)
    let lengthBytes = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * UInt64($0))) }
    return [lengthBytes + header + padding] + tensors.map(\.literal.bytes)
  }
}

extension DType {
  /// The name in safetensors files.
  package var safeTensorsName: String { rawValue.uppercased() }

  /// The dtype with a name in safetensors files.
  package init?(safeTensorsName name: String) {
    guard let dtype = DType.allCases.first(where: { $0.safeTensorsName == name }) else {
      return nil
    }
    self = dtype
  }
}
