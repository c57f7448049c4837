import FoundationEssentials
import GraphIR
import TestSupport
import Testing

@Suite struct SafeTensorsTests {
  /// A path in a directory of its own, which is removed afterwards.
  private func withPath<Result>(_ body: (String) throws -> Result) throws -> Result {
    let directory = FileManager.default.temporaryDirectory
      .appending(path: "martlet-\(UInt64.random(in: 0 ... .max))")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    return try body(directory.appending(path: "a.safetensors").path)
  }

  /// A file of a header and so many bytes of data.
  private func file(_ header: String, data count: Int) -> [UInt8] {
    let length = UInt64(header.utf8.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * UInt64($0))) }
      + Array(header.utf8) + [UInt8](repeating: 1, count: count)
  }

  private func everyDType() -> SafeTensors {
    var generator = SplitMix64(seed: 5)
    let shapes: [Shape] = [[], [3], [0, 2], [5, 7]]
    let tensors = DType.allCases.flatMap { dtype in
      shapes.enumerated().map { position, shape in
        let type = TensorType(dtype, shape)
        let literal = OperandValues.anything.literal(type, using: &generator)
        return (name: "layer.\(dtype)/\(position) \"é\"", literal: literal)
      }
    }
    return SafeTensors(tensors, metadata: ["format": "martlet", "note": "a\nb\"c\\"])
  }

  @Test func everyDTypeReadsBackExactly() throws {
    try withPath { path in
      let written = everyDType()
      try written.write(to: path)
      let read = try SafeTensors(path: path)
      #expect(read.metadata == written.metadata)
      #expect(Set(read.tensors.map(\.name)) == Set(written.tensors.map(\.name)))
      #expect(read.literals == written.literals)
      // The data begins at a multiple of 8 bytes, so that readers can map it.
      let bytes = try Files.read(path)
      let length = bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
      #expect(length.isMultiple(of: 8))
    }
  }

  @Test func writingReplacesTheWholeFileAndLeavesNothingBehind() throws {
    try withPath { path in
      try everyDType().write(to: path)
      let one = Literal([2], [1, 2] as [Float])
      try SafeTensors([("only", one)]).write(to: path)
      #expect(try SafeTensors(path: path).literals == ["only": one])
      let directory = String(path.dropLast("/a.safetensors".count))
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["a.safetensors"])
    }
  }

  @Test func theFormatIsThatOfOthers() throws {
    let header =
      #"{"b":{"dtype":"I16","shape":[1],"data_offsets":[4,6]},"#
      + #""a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"__metadata__":{"k":"v"}}  "#
    let read = try SafeTensors(bytes: file(header, data: 6), path: "f")
    #expect(read.tensors.map(\.name) == ["a", "b"])
    #expect(read.tensors[1].literal == Literal([1], [0x0101] as [Int16]))
    #expect(read.metadata == ["k": "v"])
  }

  @Test(arguments: [
    ("", 0), ("[]", 0), ("{", 0), ("nonsense", 4), ("{}", 1),
    (#"{"a":{"dtype":"F32","shape":[1]}}"#, 4),
    (#"{"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}"#, 8),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 3),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 5),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#, 4),
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[-9223372036854775808,9223372036854775807]}}"#,
      4
    ),
    (
      #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#,
      3
    ),
    (#"{"a":[1],"b":2}"#, 0), (#"{"__metadata__":{"k":1}}"#, 0),
  ])
  func malformedFilesAreRefused(_ header: String, _ count: Int) {
    let bytes = file(header, data: count)
    let error = #expect(throws: Diagnostic.self) { try SafeTensors(bytes: bytes, path: "f.st") }
    #expect(error?.code == .format)
    #expect(error?.message.contains("f.st is not a safetensors file") == true)
  }

  @Test func boolsAreZeroOrOne() {
    let header = #"{"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}"#
    var bytes = file(header, data: 1)
    #expect(throws: Never.self) { try SafeTensors(bytes: bytes, path: "f") }
    bytes[bytes.count - 1] = 2
    let spoiled = bytes
    #expect(throws: Diagnostic.self) { try SafeTensors(bytes: spoiled, path: "f") }
  }

  @Test func truncatedAndFlippedFilesNeverTrap() throws {
    let bytes = try withPath { path in
      try SafeTensors([("a", Literal([3], [1, 2, 3] as [Float])), ("b", .scalar(1, .bool))])
        .write(to: path)
      return try Files.read(path)
    }
    for length in bytes.indices {
      #expect(throws: Diagnostic.self) {
        try SafeTensors(bytes: Array(bytes[..<length]), path: "f")
      }
    }
    var generator = SplitMix64(seed: 9)
    for _ in 0..<2000 {
      var spoiled = bytes
      for _ in 0..<3 {
        spoiled[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(
          in: 0...255, using: &generator)
      }
      if let read = try? SafeTensors(bytes: spoiled, path: "f") { #expect(read.tensors.count <= 2) }
    }
  }

  @Test func namesAreUnique() throws {
    try withPath { path in
      let x = Literal.scalar(1, .f32)
      #expect(throws: Diagnostic.self) { try SafeTensors([("a", x), ("a", x)]).write(to: path) }
      #expect(throws: Diagnostic.self) { try SafeTensors([("__metadata__", x)]).write(to: path) }
    }
  }

  @Test func missingFilesAreNamed() {
    let error = #expect(throws: Diagnostic.self) { try SafeTensors(path: "/nowhere/x.st") }
    #expect(error?.code == .file && error?.message.contains("/nowhere/x.st") == true)
    let unwritable = #expect(throws: Diagnostic.self) {
      try SafeTensors([]).write(to: "/nowhere/x.st")
    }
    #expect(unwritable?.code == .file)
    let directory = #expect(throws: Diagnostic.self) { try SafeTensors(path: "/tmp") }
    #expect(directory?.message.contains("directory") == true)
  }

  @Test func graphsKeepLargeConstantsBesideTheirText() throws {
    try withPath { path in
      var builder = GraphBuilder(name: "g")
      let large = try builder.constant(Literal([200], (0..<200).map { Float($0) }))
      let small = try builder.constant(Literal([3], [1, 2, 3] as [Int32]))
      let splat = try builder.constant(Literal(zeros: TensorType(.f32, [500])))
      let body = try builder.composite("c", []) { body, _ throws(Diagnostic) in
        [try body.constant(Literal([70], (0..<70).map { Int64($0) }))]
      }
      let graph = try builder.finish([large, small, splat] + body)
      try graph.write(to: path)
      #expect(try Graph.read(path, locatingByLine: false) == graph)
      let text = String(decoding: try Files.read(path), as: UTF8.self)
      #expect(text.contains("constant @constant0 : f32[200]") && text.utf8.count < 600, "\(text)")
      try FileManager.default.removeItem(atPath: Graph.literalsPath(beside: path))
      #expect(throws: Diagnostics.self) { try Graph.read(path) }
    }
  }

  @Test func nodesOfAFileGetItsLines() throws {
    try withPath { path in
      try Files.write(
        [Array("graph @g(%x: f32) -> f32 {\n  // why\n  %0 = exp %x : f32\n  return %0\n}".utf8)],
        to: path)
      #expect(try Graph.read(path).nodes[0].location == Location(file: path, line: 3))
      try Files.write([[0xFF, 0xFE, 0x00]], to: path)
      #expect(throws: Diagnostics.self) { try Graph.read(path) }
    }
  }
}
