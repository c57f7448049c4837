import CPNG
import GraphIR

/// A grey picture: numbers from 0 (black) to 1 (white), row by row.
public struct Picture: Sendable {
  /// The number of rows.
  public let height: Int
  /// The number of columns.
  public let width: Int
  /// The brightness of each pixel, from 0 to 1.
  public let pixels: [Float]

  /// Makes a picture of `height * width` pixels; what is missing is black.
  public init(height: Int, width: Int, pixels: [Float]) {
    self.height = max(height, 0)
    self.width = max(width, 0)
    let missing = max(self.height * self.width - pixels.count, 0)
    self.pixels =
      Array(pixels.prefix(self.height * self.width)) + [Float](repeating: 0, count: missing)
  }

  /// The largest height or width that is read.
  static let maximumExtent = 1 << 14

  /// Reads a PNG file; colours become grey, and what is transparent shows white.
  ///
  /// - Throws: what is wrong with the file.
  public init(png path: String) throws(Diagnostic) {
    let bytes = try Files.read(path)
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    defer { png_image_free(&image) }
    func failure() -> Diagnostic {
      let message = withUnsafeBytes(of: image.message) { raw in
        String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
      }
      return Diagnostic(.format, "'\(path)' is no PNG picture: \(message)")
    }
    let rows = bytes.withUnsafeBytes { raw -> [UInt8]? in
      guard png_image_begin_read_from_memory(&image, raw.baseAddress, raw.count) != 0 else {
        return nil
      }
      image.format = png_uint_32(PNG_FORMAT_GRAY)
      guard image.width <= Picture.maximumExtent, image.height <= Picture.maximumExtent else {
        return []
      }
      var white = png_color(red: 255, green: 255, blue: 255)
      var rows = [UInt8](repeating: 0, count: Int(image.width) * Int(image.height))
      return png_image_finish_read(&image, &white, &rows, png_int_32(image.width), nil) != 0
        ? rows : nil
    }
    guard let rows else { throw failure() }
    guard !rows.isEmpty else {
      throw Diagnostic(
        .unsupported, "'\(path)' is \(image.width)x\(image.height) pixels",
        hint: "at most \(Picture.maximumExtent) in each direction")
    }
    self.init(
      height: Int(image.height), width: Int(image.width), pixels: rows.map { Float($0) / 255 })
  }

  /// Makes a picture of an image `[height, width, 1]` or `[1, height, width, 1]` of numbers from 0 to 1.
  ///
  /// - Returns: nil for another shape.
  public init?(_ image: Literal) {
    var extents = image.type.shape.extents
    if extents.count == 4, extents[0] == 1 { extents.removeFirst() }
    guard extents.count == 3, extents[2] == 1 else { return nil }
    self.init(height: extents[0], width: extents[1], pixels: image.doubles().map { Float($0) })
  }

  /// The picture as text for a terminal: two characters a pixel, denser where it is brighter.
  public var drawing: String {
    let shades = ["  ", "░░", "▒▒", "▓▓", "██"]
    return (0..<height).map { row in
      pixels[row * width..<(row + 1) * width].map { pixel in
        shades[min(max(Int(pixel * Float(shades.count)), 0), shades.count - 1)]
      }.joined()
    }.joined(separator: "\n")
  }

  /// The picture as a digit classifier expects it: bright strokes on black, as large as the model's input.
  ///
  /// A picture whose border is bright is dark on light, as on paper, and is inverted. A picture of another size is cut
  /// to what is drawn, scaled into the middle 5/7 of the image (as MNIST's digits are), and centred.
  ///
  /// - Returns: `[1, height, width, 1]`.
  public func digit(height targetHeight: Int, width targetWidth: Int) -> Literal {
    let shape: Shape = [1, targetHeight, targetWidth, 1]
    let picture = isBorderBright ? inverted : self
    guard (height, width) != (targetHeight, targetWidth), let box = picture.drawn else {
      let fits = (height, width) == (targetHeight, targetWidth)
      return fits ? Literal(shape, picture.pixels) : Literal(zeros: TensorType(.f32, shape))
    }
    let scale =
      Double(max(box.rows.count, box.columns.count))
      / (Double(min(targetHeight, targetWidth)) * 5 / 7)
    let middle = (
      row: Double(box.rows.lowerBound + box.rows.upperBound) / 2,
      column: Double(box.columns.lowerBound + box.columns.upperBound) / 2
    )
    var result: [Float] = []
    for row in 0..<targetHeight {
      for column in 0..<targetWidth {
        let top = middle.row + (Double(row) - Double(targetHeight) / 2) * scale
        let left = middle.column + (Double(column) - Double(targetWidth) / 2) * scale
        result.append(picture.mean(top: top, left: left, side: scale))
      }
    }
    let brightest = max(result.max() ?? 0, 1e-6)
    return Literal(shape, result.map { $0 / brightest })
  }

  private var inverted: Picture {
    Picture(height: height, width: width, pixels: pixels.map { 1 - $0 })
  }

  private var isBorderBright: Bool {
    var border: [Float] = []
    for row in 0..<height {
      for column in 0..<width
      where row == 0 || column == 0 || row == height - 1 || column == width - 1 {
        border.append(pixels[row * width + column])
      }
    }
    return border.reduce(0, +) > 0.5 * Float(border.count)
  }

  /// The rows and columns that hold anything brighter than a fifth of the range above the darkest pixel.
  private var drawn: (rows: Range<Int>, columns: Range<Int>)? {
    let darkest = pixels.min() ?? 0
    let threshold = darkest + 0.2 * ((pixels.max() ?? 0) - darkest)
    let bright = pixels.indices.filter { pixels[$0] > threshold }
    guard let first = bright.first, let last = bright.last else { return nil }
    let columns = bright.map { $0 % width }
    return (first / width..<last / width + 1, (columns.min() ?? 0)..<(columns.max() ?? 0) + 1)
  }

  /// The mean over a square whose corner and side are in pixels; outside of the picture it is black.
  private func mean(top: Double, left: Double, side: Double) -> Float {
    var sum = 0.0
    for row in Int(top.rounded(.down))...Int((top + side).rounded(.down))
    where (0..<height).contains(row) {
      let overlap = min(Double(row + 1), top + side) - max(Double(row), top)
      for column in Int(left.rounded(.down))...Int((left + side).rounded(.down))
      where (0..<width).contains(column) {
        let area = overlap * (min(Double(column + 1), left + side) - max(Double(column), left))
        sum += area * Double(pixels[row * width + column])
      }
    }
    return Float(sum / (side * side))
  }
}
