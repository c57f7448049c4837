import CPNG
import Foundation
import GraphIR
import Martlet
import Testing

/// Pictures: what files hold is read as it is, scaled as it should be, and becomes data.
@Suite struct PictureTests {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "martlet-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  /// The path of a new file with the given content.
  func file(_ bytes: [UInt8], _ name: String = UUID().uuidString) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
    return path(name)
  }

  func file(_ text: String) throws -> String { try file(Array(text.utf8)) }

  /// Writes a picture of the given format as PNG.
  func png(_ pixels: [UInt8], height: Int, width: Int, format: Int32 = PNG_FORMAT_GRAY) throws
    -> String
  {
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    image.height = png_uint_32(height)
    image.width = png_uint_32(width)
    image.format = png_uint_32(format)
    let path = path("\(UUID().uuidString).png")
    try #require(png_image_write_to_file(&image, path, 0, pixels, 0, nil) != 0)
    return path
  }

  @Test func picturesBecomeGrey() throws {
    let grey = try Picture(contentsOf: try png([0, 51, 255, 102, 0, 0], height: 2, width: 3))
    #expect((grey.height, grey.width) == (2, 3) && grey.pixels == [0, 0.2, 1, 0.4, 0, 0])
    let clear = try Picture(
      contentsOf: try png(
        [0, 0, 0, 255], height: 1, width: 2, format: PNG_FORMAT_GRAY | Int32(PNG_FORMAT_FLAG_ALPHA))
    )
    #expect(clear.pixels == [1, 0], "what is transparent shows white")
  }

  @Test func malformedPicturesAreTold() throws {
    let good = try Array(Data(contentsOf: URL(fileURLWithPath: png([0, 51], height: 1, width: 2))))
    for length in [0, 7, 20, 40, good.count - 20] {
      #expect(throws: Diagnostic.self) { try Picture(contentsOf: try file(Array(good[..<length]))) }
    }
    #expect(throws: Diagnostic.self) { try Picture(contentsOf: try file("a text")) }
    #expect(throws: Diagnostic.self) { try Picture(contentsOf: path("none")) }
  }

  @Test func coloursAreReadAndMayBeLeftOut() throws {
    let file = try png([255, 0, 0, 0, 51, 255], height: 1, width: 2, format: Int32(PNG_FORMAT_RGB))
    let picture = try Picture(contentsOf: file)
    #expect(picture.literal == f32([1, 2, 3], [1, 0, 0, 0, 0.2, 1]))
    let grey = try Picture(contentsOf: file, channels: 1)
    #expect(grey.literal.isClose(to: [0.2126, 0.2 * 0.7152 + 0.0722]) && grey.channels == 1)
    let dark = try png([51, 0], height: 2, width: 1)
    #expect(
      try Picture(contentsOf: dark, channels: 3).literal
        == f32([2, 1, 3], [0.2, 0.2, 0.2, 0, 0, 0]))
    #expect(throws: Diagnostic.self) { try Picture(contentsOf: dark, channels: 2) }
  }

  @Test func netpbmIsReadAsTextAndBinary() throws {
    let expected = f32([1, 2, 3], [1, 0, 0.2, 0.4, 0.6, 0.8])
    let text = try file("P3 # colours\n2 1\n#x\n10\n10 0 2\n4 6 8\n")
    #expect(try Picture(contentsOf: text).literal == expected)
    let binary = try file(Array("P6\n2 1 255\n".utf8) + [255, 0, 51, 102, 153, 204])
    #expect(try Picture(contentsOf: binary).literal == expected)
    let wide = try file(Array("P5 1 2 65535\n".utf8) + [255, 255, 51, 51])
    #expect(try Picture(contentsOf: wide).literal == f32([2, 1, 1], [1, 0.2]))
    let space = try file(Array("P5 1 1 255\n".utf8) + [10])
    #expect(try Picture(contentsOf: space).literal == f32([1, 1, 1], [10 / 255]))
    #expect(try Picture(contentsOf: file("P2 2 1 4 0 4")).literal == f32([1, 2, 1], [0, 1]))
    for wrong in [
      "P", "P1 1 1 1", "P2", "P2 2 1", "P2 2 1 4 0", "P2 2 1 4 0 5", "P2 2 1 4 0 1 2", "P2 0 1 4 ",
      "P2 1 1 0 0", "P2 1 1 65536 0", "P2 99999 1 1 0", "P2 9999999999999999999999 1 1 0",
      "P2 1 1 9 -1", "P2 1 1 9 x", "P5 2 1 255 a", "P5 2 1 255 abc", "P6 2 1 255 abcde",
      "P5 16384 16384 255 a", "P5 1 1 255",
    ] {
      #expect(throws: Diagnostic.self, "\(wrong)") { try Picture(contentsOf: file(wrong)) }
    }
  }

  @Test func picturesAreScaled() {
    let picture = Picture(height: 2, width: 2, pixels: [0, 1, 0.5, 0.5])
    // As PyTorch's interpolate(mode="bilinear", antialias=True).
    let larger = picture.resized(height: 2, width: 4).literal
    #expect(larger.isClose(to: [0, 0.25, 0.75, 1, 0.5, 0.5, 0.5, 0.5]))
    #expect(picture.resized(height: 1, width: 1).literal.isClose(to: [0.5]))
    let line = Picture(height: 1, width: 4, pixels: [8, 0, 0, 4]).resized(height: 1, width: 2)
    #expect(line.literal.isClose(to: [24.0 / 7, 12.0 / 7]))
    let colours = Picture(height: 1, width: 1, channels: 3, pixels: [0.1, 0.2, 0.3])
    #expect(
      colours.resized(height: 1, width: 2).literal.isClose(to: [0.1, 0.2, 0.3, 0.1, 0.2, 0.3]))
  }

  @Test func aFolderOfPicturesIsADataSet() throws {
    for (name, pixels) in [("b/2.pgm", "51"), ("b/1.PGM", "255"), ("a/x.ppm", "0 51 255")] {
      let place = folder.appendingPathComponent(name)
      try FileManager.default.createDirectory(
        at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
      let kind = name.hasPrefix("a") ? "P3" : "P2"
      try Data("\(kind) 1 1 255 \(pixels)".utf8).write(to: place)
    }
    _ = try (file([1], "a/notes.txt"), file([1], "readme"))
    for isStreamed in [false, true] {
      let data = try Images.folder(folder.path, isStreamed: isStreamed)
      #expect(data.classNames == ["a", "b"] && data.count == 3)
      #expect(try data.classes() == [0, 1, 1])
      let images = try (0..<3).map { try data.example($0).input }
      #expect(
        images == [f32([1, 1, 3], [0, 0.2, 1]), f32([1, 1, 3], [1, 1, 1])]
          + [f32([1, 1, 3], [0.2, 0.2, 0.2])])
    }
    let wrong = try file(Array("P2 2 1 255 0 0".utf8), "b/3.pgm")
    let message = "'\(wrong)' is 2x1 pixels, and should be 1x1 as '\(path("a/x.ppm"))' is"
    #expect { try Images.folder(folder.path) } throws: { ($0 as? Diagnostic)?.message == message }
    let streamed = try Images.folder(folder.path, isStreamed: true)
    #expect { try streamed.example(3) } throws: { ($0 as? Diagnostic)?.message == message }
    let scaled = try Images.folder(folder.path, channels: 1, size: (2, 3))
    #expect(scaled.count == 4 && scaled.signature.input == TensorType(.f32, [2, 3, 1]))
    try FileManager.default.createDirectory(atPath: path("c"), withIntermediateDirectories: true)
    #expect(throws: Diagnostic.self, "a class without pictures") { try Images.folder(folder.path) }
    #expect(throws: Diagnostic.self) { try Images.folder(path("c")) }
    #expect(throws: Diagnostic.self) { try Images.folder(path("none")) }
    #expect(throws: Diagnostic.self) { try Images.folder(folder.path, size: (0, 1)) }
  }

  @Test func aDigitIsMadeAsTheModelKnowsIt() throws {
    // A dark bar of 4x20 on white paper of 40x60, drawn off the middle.
    var paper = [Float](repeating: 1, count: 40 * 60)
    for row in 5..<25 { for column in 40..<44 { paper[row * 60 + column] = 0 } }
    let digit = Picture(height: 40, width: 60, pixels: paper).digit(height: 28, width: 28)
    #expect(digit.type == TensorType(.f32, [1, 28, 28, 1]))
    let pixels = digit.doubles()
    for (index, pixel) in pixels.enumerated() {
      let (row, column) = (index / 28, index % 28)
      // 20 rows fill 5/7 of 28; the bar is bright and in the middle.
      let isInside = (4..<24).contains(row) && (12..<16).contains(column)
      #expect(abs(pixel - (isInside ? 1 : 0)) < 1e-5, "\(row), \(column): \(pixel)")
    }
    let small = Picture(height: 28, width: 28, pixels: digit.elements() ?? [])
    #expect(
      small.digit(height: 28, width: 28) == digit, "a picture of the right size stays as it is")
    let blank = Picture(height: 9, width: 9, pixels: [Float](repeating: 1, count: 81))
    #expect(blank.digit(height: 8, width: 8) == Literal(zeros: TensorType(.f32, [1, 8, 8, 1])))
    #expect(
      Picture(height: 0, width: 0, pixels: []).digit(height: 2, width: 2).doubles() == [0, 0, 0, 0])
  }
}
