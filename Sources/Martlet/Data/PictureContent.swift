import CPNG
import GraphIR

/// The numbers of a picture, as its file holds them.
struct PictureContent {
  /// The number of rows.
  var height: Int
  /// The number of columns.
  var width: Int
  /// The numbers of a pixel: 1, or 3 for red, green and blue.
  var channels: Int
  /// The numbers, row by row.
  var values: [UInt16]
  /// The number that stands for white.
  var greatest: UInt16

  /// Makes content of what is known.
  init(height: Int, width: Int, channels: Int, values: [UInt16], greatest: UInt16) {
    self.height = height
    self.width = width
    self.channels = channels
    self.values = values
    self.greatest = greatest
  }

  /// Reads a file: PNG, or PPM and PGM (Netpbm's P2, P3, P5 and P6), whatever its name is.
  ///
  /// - Parameter isMask: Whether numbers are meant, and not what they look like: those of a palette are taken as they are,
  ///   and 16 bits of a PNG, of which only 8 can be had, are refused.
  /// - Throws: what is wrong with the file.
  init(contentsOf path: String, isMask: Bool = false) throws(Diagnostic) {
    let bytes = try Files.read(path)
    self =
      try bytes.first == UInt8(ascii: "P")
      ? PPM.parse(bytes, name: path) : PictureContent.png(bytes, name: path, isMask: isMask)
  }

  private static func png(
    _ bytes: [UInt8], name: String, isMask: Bool
  ) throws(Diagnostic) -> PictureContent {
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    defer { png_image_free(&image) }
    var channels = 1
    var isWide = false
    let rows = bytes.withUnsafeBytes { raw -> [UInt8]? in
      guard png_image_begin_read_from_memory(&image, raw.baseAddress, raw.count) != 0 else {
        return nil
      }
      let format = image.format
      let hasPalette = isMask && format & PNG_FORMAT_FLAG_COLORMAP != 0
      isWide = isMask && format & PNG_FORMAT_FLAG_LINEAR != 0
      channels = format & PNG_FORMAT_FLAG_COLOR != 0 && !hasPalette ? 3 : 1
      let palette = PNG_FORMAT_FLAG_COLOR | PNG_FORMAT_FLAG_COLORMAP
      image.format =
        channels == 3 ? PNG_FORMAT_RGB : hasPalette ? palette : png_uint_32(PNG_FORMAT_GRAY)
      guard image.width <= Picture.maximumExtent, image.height <= Picture.maximumExtent, !isWide
      else { return [] }
      var white = png_color(red: 255, green: 255, blue: 255)
      let rowBytes = Int(image.width) * channels
      var rows = [UInt8](repeating: 0, count: rowBytes * Int(image.height))
      var colours = [UInt8](repeating: 0, count: 3 * 256)
      return png_image_finish_read(&image, &white, &rows, png_int_32(rowBytes), &colours) != 0
        ? rows : nil
    }
    guard let rows else {
      let message = withUnsafeBytes(of: image.message) { raw in
        String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
      }
      throw Diagnostic(.format, "'\(name)' is no PNG picture: \(message)")
    }
    let (height, width) = (Int(image.height), Int(image.width))
    guard !isWide else {
      throw Diagnostic(
        .unsupported, "the mask '\(name)' has numbers of 16 bits", hint: "8 bits hold 256 classes")
    }
    guard !rows.isEmpty else { throw Picture.tooLarge(name, height, width) }
    return PictureContent(
      height: height, width: width, channels: channels, values: rows.map { UInt16($0) },
      greatest: 255)
  }
}
