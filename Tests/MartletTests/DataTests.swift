import CZlib
import Foundation
import GraphIR
import Martlet
import Testing

/// Files of data: what is well-formed is read, what is not is told.
@Suite struct DataTests {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "martlet-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  /// The path of a new file with the given content.
  func file(_ bytes: [UInt8]) throws -> String {
    let path = path(UUID().uuidString)
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  func file(_ text: String) throws -> String { try file(Array(text.utf8)) }

  /// Bytes compressed by zlib with a gzip header.
  func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    var (input, output) = (bytes, [UInt8](repeating: 0, count: bytes.count + 1000))
    deflateInit2_(
      &stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    defer { deflateEnd(&stream) }
    return input.withUnsafeMutableBufferPointer { source in
      let count = output.withUnsafeMutableBufferPointer { target in
        stream.next_in = source.baseAddress
        stream.avail_in = UInt32(source.count)
        stream.next_out = target.baseAddress
        stream.avail_out = UInt32(target.count)
        deflate(&stream, Z_FINISH)
        return target.count - Int(stream.avail_out)
      }
      return Array(output[..<count])
    }
  }

  @Test func idxIsBigEndian() throws {
    let bytes: [UInt8] = [0, 0, 0x0B, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0x01, 0x02, 0xFF, 0xFE]
    let expected = Literal([1, 2], [Int16(0x0102), -2])
    #expect(try IDX.read(try file(bytes)) == expected)
    #expect(try IDX.read(try file(gzip(bytes))) == expected)
    #expect(try IDX.read(try file(gzip(Array(bytes[..<9])) + gzip(Array(bytes[9...])))) == expected)
  }

  @Test func malformedIDXIsTold() throws {
    let good: [UInt8] = [0, 0, 0x08, 1, 0, 0, 0, 2, 7, 8]
    #expect(try IDX.read(try file(good)).bytes == [7, 8])
    var cases = (0..<good.count).map { Array(good[..<$0]) }
    cases += [good + [9], [1] + good.dropFirst(), [0, 0, 0x0A] + good.dropFirst(3)]
    cases += [[0, 0, 0x08, 3] + [UInt8](repeating: 0xFF, count: 12)]
    cases += [Array(gzip(good).dropLast(4)), Array(gzip(good)[..<12])]
    var damaged = gzip([UInt8](repeating: 3, count: 500) + (0..<200).map { UInt8($0) })
    for index in 20..<60 { damaged[index] ^= 0x5A }
    cases.append(damaged)
    for bytes in cases {
      #expect(throws: Diagnostic.self, "\(bytes.prefix(16))") { try IDX.read(try file(bytes)) }
    }
    #expect(throws: Diagnostic.self) { try IDX.read(path("none")) }
    #expect(throws: Diagnostic.self) { try IDX.read(folder.path) }
  }

  @Test func csvIsReadRowByRow() throws {
    let table = try CSV.read(try file("1, 2.5,-3e2\r\n4,5,6\n\n"))
    #expect(table == Literal([2, 3], [1, 2.5, -300, 4, 5, 6]))
    let examples = try CSV.examples(try file("1,2,3\n4,5,6\n"), inputName: "x")
    #expect(examples.signature.input == TensorType(.f32, [2]) && examples.count == 2)
    #expect(try examples.example(1).input.doubles() == [4, 5])
    #expect(try examples.example(1).label == f32([1], [6]))
    #expect(throws: Diagnostic.self) { try CSV.examples(try file("1\n2\n")) }
    let classes = try CSV.examples(
      try file("a,b,class\n1,2,0\n4,5,2\n"), hasHeader: true, hasClasses: true)
    #expect(classes.signature.label == TensorType(.i32, []) && classes.count == 2)
    #expect(try classes.classes() == [0, 2])
    for label in ["0.5", "-1", "1e10", "nan"] {
      #expect(throws: Diagnostic.self) {
        try CSV.examples(try file("1,2,\(label)\n"), hasClasses: true)
      }
    }
    #expect(try CSV.read(try file("")).type.shape == [0, 0])
    let wrong = try file("1,2\n3\n")
    do {
      _ = try CSV.read(wrong)
      Issue.record("nothing was thrown")
    } catch {
      #expect(error.location == Location(file: wrong, line: 2))
    }
    for text in ["1,x", "1,,2", ",", "1;2", "\u{0}"] {
      #expect(throws: Diagnostic.self, "\(text)") { try CSV.read(try file(text)) }
    }
  }

  @Test func digitsAreImagesWithLabels() throws {
    let data = try Digits.csv(try file("0,8,16,4,7\n1,2,3,4,9"), height: 2, width: 2, maximum: 16)
    let (image, label) = try data.example(0)
    #expect(image == f32([2, 2, 1], [0, 0.5, 1, 0.25]) && label == Literal([], [Int32(7)]))
    #expect(data.count == 2 && data.signature.inputName == "image")
    for text in ["0,8,16,4,10", "0,8,16,4,-1", "0,8,16,7", ""] {
      #expect(throws: Diagnostic.self, "\(text)") {
        try Digits.csv(try file(text), height: 2, width: 2, maximum: 16)
      }
    }
    let images = try file([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255])
    let labels = try file([0, 0, 8, 1, 0, 0, 0, 1, 3])
    #expect(
      try Digits.idx(images: images, labels: labels).example(0).input == f32([1, 2, 1], [0, 1]))
    let twoLabels = try file([0, 0, 8, 1, 0, 0, 0, 2, 3, 4])
    #expect(throws: Diagnostic.self) { try Digits.idx(images: images, labels: twoLabels) }
    #expect(throws: Diagnostic.self) { try Digits.idx(images: labels, labels: images) }
  }

  static let arrays: [Literal] = [
    f32([2, 3], [1, 2, 3, 4, 5, 6]), f32([], [7]), f32([0, 4], []),
    f32([3], [.nan, -0.0, .infinity]),
    Literal([2], [1.5, -2.5]), Literal([1], [Float16(0.5)]), Literal([2], [Int8(-1), 5]),
    Literal([2], [Int16(-1), 500]), Literal([2], [Int32(-1), 5]), Literal([2], [Int64.min, 5]),
    Literal([2], [UInt8(255), 5]), Literal([2], [UInt16(65535), 5]),
    Literal([1, 1, 2], [UInt32.max, 5]),
    Literal([2], [UInt64.max, 5]), Literal(TensorType(.bool, [3]), doubles: [0, 1, 1]),
  ]

  @Test(arguments: arrays.indices)
  func npyLoadsBackExactly(index: Int) throws {
    let array = DataTests.arrays[index]
    try NPY.write(array, to: path("a.npy"))
    #expect(try NPY.read(path("a.npy")) == array)
  }

  /// The content of a file with the given header.
  func npy(_ header: String, _ elements: [UInt8], version: UInt8 = 1) -> [UInt8] {
    let size = UInt16(header.utf8.count)
    return [0x93] + Array("NUMPY".utf8) + [version, 0, UInt8(size & 255), UInt8(size >> 8)]
      + (version == 1 ? [] : [0, 0]) + Array(header.utf8) + elements
  }

  @Test func npyFromNumPyIsRead() throws {
    let columns = npy(
      "{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3), }\n",
      [1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6, 0])
    #expect(try NPY.read(try file(columns)) == Literal([2, 3], [Int16(1), 2, 3, 4, 5, 6]))
    let big = npy(
      "{\"shape\": (1,), \"descr\": \">u4\", \"fortran_order\": False}", [0, 0, 1, 2], version: 2)
    #expect(try NPY.read(try file(big)) == Literal([1], [UInt32(258)]))
    let scalar = npy("{'descr': '|u1', 'fortran_order': False, 'shape': ()}", [9], version: 3)
    #expect(try NPY.read(try file(scalar)) == Literal([], [UInt8(9)]))
  }

  @Test func malformedNPYIsTold() throws {
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"
    let good = npy(header, [0, 0, 0, 0, 0, 0, 128, 63])
    #expect(try NPY.read(try file(good)) == f32([2], [0, 1]))
    var cases = stride(from: 0, to: good.count, by: 3).map { Array(good[..<$0]) } + [good + [0]]
    let headers = [
      "", "{", "{}", "[]", header + "x", header.replacing("'<f4'", with: "'<c8'"),
      header.replacing("'<f4'", with: "'f4'"), header.replacing("'<f4'", with: "''"),
      header.replacing("False", with: "0"), header.replacing("(2,)", with: "2"),
      header.replacing("(2,)", with: "(-2,)"), header.replacing("(2,)", with: "(2"),
      header.replacing("(2,)", with: "(99999999999999999999,)"),
      header.replacing("(2,)", with: "(4611686018427387904, 4)"),
      header.replacing("'shape'", with: "'descr'"),
      header.replacing("'shape'", with: "'other'"), header.replacing("(2,)", with: "(3,)"),
    ]
    cases += headers.map { npy($0, [0, 0, 0, 0, 0, 0, 128, 63]) }
    cases.append(npy(header, [0, 0, 0, 0, 0, 0, 128, 63], version: 9))
    cases.append(npy("{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }", [1, 2]))
    for bytes in cases {
      #expect(throws: Diagnostic.self, "\(String(decoding: bytes, as: UTF8.self))") {
        try NPY.read(try file(bytes))
      }
    }
    let bfloat = Literal(zeros: TensorType(.bf16, [1]))
    #expect(throws: Diagnostic.self) { try NPY.write(bfloat, to: path("b")) }
  }

  @Test func npzLoadsBackExactly() throws {
    let arrays = ["x": f32([2, 2], [1, 2, 3, 4]), "label": Literal([2], [Int64(5), -6])]
    try NPZ.write(arrays, to: path("a.npz"))
    #expect(try NPZ.read(path("a.npz")) == arrays)
    try NPZ.write([:], to: path("empty.npz"))
    #expect(try NPZ.read(path("empty.npz")).isEmpty)
    let good = try Array(Data(contentsOf: URL(fileURLWithPath: path("a.npz"))))
    for place in stride(from: 0, to: good.count, by: 7) {
      #expect(throws: Diagnostic.self) { try NPZ.read(try file(Array(good[..<place]))) }
      // A damaged byte may stand where it does not matter, as the date; it must not give other numbers.
      var damaged = good
      damaged[place] ^= 0x55
      if let read = try? NPZ.read(try file(damaged)) {
        #expect(read.values.allSatisfy { arrays.values.contains($0) })
      }
    }
  }

  /// What `numpy.savez_compressed("a.npz", a=numpy.array([7, 9], "u1"))` wrote.
  @Test func npzFromNumPyIsRead() throws {
    let archive = try #require(Data(base64Encoded: DataTests.compressed))
    #expect(try NPZ.read(try file(Array(archive))) == ["a": Literal([2], [UInt8(7), 9])])
  }

  static let compressed = """
    UEsDBC0AAAAIAAAAIQBsfO2e//////////8FABQAYS5ucHkBABAAggAAAAAAAABGAAAAAAAAAJvsF+obEMnIUMZQrZ\
    6SWpxcpG6loF5Taqiuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6mjoKtQoUAC52TgBQSwECLQMtAAAA\
    CAAAACEAbHztnkYAAACCAAAABQAAAAAAAAAAAAAAgAEAAAAAYS5ucHlQSwUGAAAAAAEAAQAzAAAAfQAAAAAA
    """
}
