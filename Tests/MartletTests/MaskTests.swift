import CPNG
import Foundation
import GraphIR
import Martlet
import Testing

/// Pictures with masks, from two folders.
@Suite struct MaskTests {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "martlet-\(UUID().uuidString)")

  init() throws {
    for name in ["p", "m"] {
      try FileManager.default.createDirectory(
        at: folder.appendingPathComponent(name), withIntermediateDirectories: true)
    }
    // A grey picture of two rows, and a coloured one.
    try write("P2 3 2 255 0 51 255 102 0 0", "p/b.pgm")
    try write("P3 3 2 255" + String(repeating: " 255 0 51", count: 6), "p/a.ppm")
    try write("P2 3 2 255 0 7 7 0 0 255", "m/a.pgm")
    try write("P2 3 2 255 7 0 0 255 0 0", "m/b.PGM")
  }

  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  func write(_ text: String, _ name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
  }

  func data(
    _ values: [Int] = [0, 7], ignoring ignored: Int? = 255, classNames: [String] = [],
    channels: Int = 1, size: (height: Int, width: Int)? = nil, isStreamed: Bool = false
  ) throws -> Dataset {
    try Images.masked(
      path("p"), masks: path("m"), values: values, ignoring: ignored, classNames: classNames,
      channels: channels, size: size, isStreamed: isStreamed)
  }

  /// What is said of the files as they are.
  func problem(_ body: () throws -> Dataset) -> String {
    do {
      let data = try body()
      for index in 0..<data.count { _ = try data.example(index) }
      return "nothing"
    } catch {
      return "\(error)"
    }
  }

  @Test(arguments: [false, true])
  func picturesMeetTheirMasks(isStreamed: Bool) throws {
    let data = try data(classNames: ["ground", "cell"], channels: 3, isStreamed: isStreamed)
    #expect(data.count == 2 && data.classNames == ["ground", "cell"])
    #expect(data.signature.input == TensorType(.f32, [2, 3, 3]))
    let (first, second) = (try data.example(0), try data.example(1))
    #expect(first.input.doubles().prefix(3).map { Float($0) } == [1, 0, 0.2])
    #expect(first.label == Literal([2, 3], [Int32(0), 1, 1, 0, 0, -1]))
    #expect(second.label == Literal([2, 3], [Int32(1), 0, 0, -1, 0, 0]))
  }

  @Test func masksAreScaledByTheNearestPixel() throws {
    let data = try data(size: (4, 6))
    #expect(data.signature.input == TensorType(.f32, [4, 6, 1]))
    let rows: [[Int32]] = [[0, 0, 1, 1, 1, 1], [0, 0, 0, 0, -1, -1]]
    #expect(
      try data.example(0).label
        == Literal([4, 6], [rows[0], rows[0], rows[1], rows[1]].flatMap { $0 }))
    let small = try self.data(size: (1, 1))
    #expect(try small.example(0).label == Literal([1, 1], [Int32(0)]))
  }

  /// The numbers of a palette are classes, whatever colours they stand for; those of grey are brightness.
  @Test func palettesHoldClasses() throws {
    func png(_ name: String, _ pixels: [UInt8], _ palette: [UInt8]?) throws {
      var image = png_image()
      image.version = png_uint_32(PNG_IMAGE_VERSION)
      (image.height, image.width) = (2, 3)
      image.format =
        palette == nil
        ? png_uint_32(PNG_FORMAT_GRAY) : PNG_FORMAT_FLAG_COLOR | PNG_FORMAT_FLAG_COLORMAP
      image.colormap_entries = png_uint_32((palette?.count ?? 0) / 3)
      try #require(png_image_write_to_file(&image, path(name), 0, pixels, 0, palette) != 0)
    }
    for name in ["m/a.pgm", "m/b.PGM"] { try FileManager.default.removeItem(atPath: path(name)) }
    try png("m/a.png", [0, 1, 2, 2, 1, 0], [9, 9, 9, 9, 9, 9, 200, 0, 0])
    try png("m/b.png", [0, 1, 2, 2, 2, 2], nil)
    let data = try data([0, 1, 2], ignoring: nil)
    #expect(try data.example(0).label == Literal([2, 3], [Int32(0), 1, 2, 2, 1, 0]))
    #expect(try data.example(1).label == Literal([2, 3], [Int32(0), 1, 2, 2, 2, 2]))
    #expect(
      problem { try self.data([0, 1], ignoring: nil) }.contains("the value 2 in row 0, column 2"))
  }

  @Test(arguments: [false, true])
  func whatDoesNotFitIsTold(isStreamed: Bool) throws {
    func problem(_ values: [Int] = [0, 7], size: (height: Int, width: Int)? = nil) -> String {
      self.problem { try data(values, size: size, isStreamed: isStreamed) }
    }
    #expect(problem([0, 8]).contains("'\(path("m/a.pgm"))' has the value 7 in row 0, column 1"))
    #expect(problem([0]).contains("at least two") && problem([0, 0]).contains("each another"))
    #expect(problem([0, 255]).contains("each another"))
    #expect(problem(size: (0, 4)).contains("4x0") && problem(size: (1 << 40, 4)).contains("pixels"))
    try write("P2 2 3 255 0 7 7 0 0 0", "m/b.PGM")
    for size in [nil, (4, 4)] as [(height: Int, width: Int)?] {
      let text = problem(size: size)
      #expect(text.contains("'\(path("m/b.PGM"))' is 2x3 pixels"), "\(text)")
      #expect(text.contains("'\(path("p/b.pgm"))' is 3x2"), "\(text)")
    }
    try write("P3 3 2 255" + String(repeating: " 7 7 0", count: 6), "m/b.PGM")
    #expect(problem().contains("has colours"))
    try write("P3 3 2 255" + String(repeating: " 7 7 7", count: 6), "m/b.PGM")
    #expect(problem() == "nothing")
    try write("P2 3 2 255 0", "m/b.PGM")
    #expect(problem().contains("too few pixels"))
    try FileManager.default.removeItem(atPath: path("m/b.PGM"))
    #expect(problem().contains("'\(path("p/b.pgm"))' has no mask 'b' in '\(path("m"))'"))
    try FileManager.default.removeItem(atPath: path("p/b.pgm"))
    try write("P2 3 2 255 0 0 0 0 0 0", "m/c.pgm")
    #expect(problem().contains("'\(path("m/c.pgm"))' has no picture 'c'"))
    try write("P2 3 2 255 0 0 0 0 0 0", "m/a.ppm")
    #expect(problem().contains("the same name"))
    try FileManager.default.removeItem(atPath: path("m"))
    #expect(problem().contains("cannot be read"))
  }
}
