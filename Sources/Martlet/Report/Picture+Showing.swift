import CPNG
import FoundationEssentials
import GraphIR

/// Pictures of numbers, to be looked at.
extension Picture {
  /// Makes a picture of an image `[height, width]` or `[height, width, channels]` of any numbers: the least becomes black,
  /// the greatest white.
  ///
  /// There are 1 or 3 channels.
  ///
  /// - Returns: nil for another shape.
  public init?(stretching image: Literal) {
    guard let (height, width, channels) = Picture.extents(image.type.shape) else { return nil }
    let values = image.doubles()
    let finite = values.filter(\.isFinite)
    let (least, greatest) = (finite.min() ?? 0, finite.max() ?? 0)
    let scale = greatest > least ? 1 / (greatest - least) : 0
    self.init(
      height: height, width: width, channels: channels,
      pixels: values.map { $0.isFinite ? Float(($0 - least) * scale) : 0 })
  }

  /// Makes a picture of numbers of both signs: 0 is white, the positive ones are red, the negative ones blue.
  ///
  /// - Parameters:
  ///   - signed: Numbers `[height, width]` or `[height, width, 1]`.
  ///   - limit: The magnitude that has the full colour; the greatest one by default.
  /// - Returns: nil for another shape.
  public init?(signed: Literal, limit: Double? = nil) {
    guard let (height, width, channels) = Picture.extents(signed.type.shape), channels == 1 else {
      return nil
    }
    let values = signed.doubles()
    let greatest = limit ?? values.filter(\.isFinite).map(\.magnitude).max() ?? 0
    self.init(
      height: height, width: width, channels: 3,
      pixels: values.flatMap { value -> [Float] in
        let part = greatest > 0 && value.isFinite ? min(value.magnitude / greatest, 1) : 0
        return (value < 0 ? Picture.negative : Picture.positive).map { 1 + ($0 - 1) * Float(part) }
      })
  }

  /// Makes a picture of an input: as it is where it lies between 0 and 1, else from its least number to its greatest.
  init?(shown image: Literal) {
    let isPlain = image.doubles().allSatisfy { (-0.001...1.001).contains($0) }
    guard let picture = isPlain ? Picture(image) : Picture(stretching: image) else { return nil }
    self = picture
  }

  private static let positive: [Float] = [0.77, 0.16, 0.16]
  private static let negative: [Float] = [0.125, 0.36, 0.72]

  /// The rows, columns and channels of a shape that is a picture's.
  private static func extents(_ shape: Shape) -> (height: Int, width: Int, channels: Int)? {
    let extents = shape.extents
    guard (2...3).contains(extents.count), !extents.contains(0) else { return nil }
    let channels = extents.count == 3 ? extents[2] : 1
    return channels == 1 || channels == 3 ? (extents[0], extents[1], channels) : nil
  }

  /// The parts of a parameter that look at pixels: filters `[height, width, channels, count]` of one channel or three, or
  /// weights `[inputs, count]` of images of given extents.
  ///
  /// - Returns: a picture for each; none for another parameter.
  public static func filters(_ value: Literal, of image: [Int]) -> [Picture] {
    let extents = value.type.shape.extents
    let window: [Int]
    switch extents.count {
    case 4 where extents[0] > 1 || extents[1] > 1: window = Array(extents.prefix(3))
    case 2 where image.count == 3 && extents[0] == image.reduce(1, *): window = image
    default: return []
    }
    guard window[2] == 1 || window[2] == 3, let count = extents.last else { return [] }
    let values = value.doubles()
    let size = window.reduce(1, *)
    return (0..<count).compactMap { index in
      let part = Literal(
        TensorType(.f64, Shape(window)), doubles: (0..<size).map { values[$0 * count + index] })
      return window[2] == 1 ? Picture(signed: part) : Picture(stretching: part)
    }
  }

  // MARK: Sheets

  /// The picture with each pixel as a square of several.
  public func enlarged(_ factor: Int) -> Picture {
    let factor = max(factor, 1)
    var result: [Float] = []
    result.reserveCapacity(pixels.count * factor * factor)
    for row in 0..<height {
      let line = (0..<width).flatMap { column -> [Float] in
        let start = (row * width + column) * channels
        return (0..<factor).flatMap { _ in pixels[start..<start + channels] }
      }
      for _ in 0..<factor { result += line }
    }
    return Picture(
      height: height * factor, width: width * factor, channels: channels, pixels: result)
  }

  /// Pictures in rows of a number of columns, with a grey gap between.
  public static func sheet(_ pictures: [Picture], columns: Int, gap: Int = 4) -> Picture {
    let columns = max(min(columns, pictures.count), 1)
    let height = (pictures.map(\.height).max() ?? 0) + gap
    let width = (pictures.map(\.width).max() ?? 0) + gap
    let rows = (pictures.count + columns - 1) / columns
    let total = (height: rows * height + gap, width: columns * width + gap)
    var result = [Float](repeating: 0.5, count: total.height * total.width * 3)
    for (index, picture) in pictures.map(\.coloured).enumerated() {
      let (top, left) = (gap + index / columns * height, gap + index % columns * width)
      for row in 0..<picture.height {
        let start = ((top + row) * total.width + left) * 3
        let line = row * picture.width * 3..<(row + 1) * picture.width * 3
        result.replaceSubrange(start..<start + picture.width * 3, with: picture.pixels[line])
      }
    }
    return Picture(height: total.height, width: total.width, channels: 3, pixels: result)
  }

  // MARK: PNG

  /// The picture as a PNG file, of 8 bits a channel.
  ///
  /// - Throws: for a picture without pixels, and what libpng says.
  public func png() throws(Diagnostic) -> [UInt8] {
    let shown = channels == 1 ? self : coloured
    let bytes = shown.pixels.map { UInt8(saturating: (Double($0) * 255).rounded()) }
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    image.width = png_uint_32(width)
    image.height = png_uint_32(height)
    image.format = shown.channels == 1 ? png_uint_32(PNG_FORMAT_GRAY) : png_uint_32(PNG_FORMAT_RGB)
    defer { png_image_free(&image) }
    // The greatest that it can become: deflate adds less than a hundredth to what it cannot shorten.
    var size = png_alloc_size_t(bytes.count + bytes.count / 64 + height + 4096)
    var file = [UInt8](repeating: 0, count: Int(size))
    let rowBytes = png_int_32(width * shown.channels)
    guard !bytes.isEmpty,
      png_image_write_to_memory(&image, &file, &size, 0, bytes, rowBytes, nil) != 0
    else {
      let message = withUnsafeBytes(of: image.message) { raw in
        String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
      }
      throw Diagnostic(
        .format, "a picture of \(width)x\(height) pixels cannot be written as PNG",
        notes: message.isEmpty ? [] : [message])
    }
    return Array(file.prefix(Int(size)))
  }

  /// The picture as a URI that a page holds in itself.
  func dataURI() throws(Diagnostic) -> String {
    "data:image/png;base64," + Data(try png()).base64EncodedString()
  }
}
