import GraphIR

/// A picture, grey or of colours: numbers from 0 (black) to 1, row by row.
public struct Picture: Sendable {
  /// The number of rows.
  public let height: Int
  /// The number of columns.
  public let width: Int
  /// The numbers of a pixel: 1 for grey; 3 for red, green and blue.
  public let channels: Int
  /// The brightness of each channel of each pixel, from 0 to 1.
  public let pixels: [Float]

  /// Makes a picture of `height * width * channels` numbers; what is missing is black.
  public init(height: Int, width: Int, channels: Int = 1, pixels: [Float]) {
    self.height = max(height, 0)
    self.width = max(width, 0)
    self.channels = max(channels, 1)
    let count = self.height * self.width * self.channels
    let missing = max(count - pixels.count, 0)
    self.pixels = Array(pixels.prefix(count)) + [Float](repeating: 0, count: missing)
  }

  /// Makes a picture of an image `[height, width, channels]` or `[1, height, width, channels]` of numbers from 0 to 1.
  ///
  /// There are 1 or 3 channels.
  ///
  /// - Returns: nil for another shape.
  public init?(_ image: Literal) {
    var extents = image.type.shape.extents
    if extents.count == 4, extents[0] == 1 { extents.removeFirst() }
    guard extents.count == 3, [1, 3].contains(extents[2]) else { return nil }
    self.init(
      height: extents[0], width: extents[1], channels: extents[2],
      pixels: image.doubles().map { Float($0) })
  }

  /// The picture as text for a terminal: two characters a pixel, denser where it is brighter.
  public var drawing: String {
    let shades = ["  ", "░░", "▒▒", "▓▓", "██"]
    let grey = grey.pixels
    return (0..<height).map { row in
      grey[row * width..<(row + 1) * width].map { pixel in
        shades[min(max(Int(saturating: Double(pixel) * 5), 0), shades.count - 1)]
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
    let picture = grey.isBorderBright ? grey.inverted : grey
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

  /// The picture as a tensor `[height, width, channels]`, f32.
  public var literal: Literal { Literal([height, width, channels], pixels) }

  /// The picture without colours: of red, green and blue the shares that the eye sees (luma of ITU-R BT.709).
  public var grey: Picture {
    guard channels == 3 else { return self }
    return Picture(
      height: height, width: width,
      pixels: (0..<height * width).map {
        0.2126 * pixels[3 * $0] + 0.7152 * pixels[3 * $0 + 1] + 0.0722 * pixels[3 * $0 + 2]
      })
  }

  /// The picture with three channels; those of a grey one are alike.
  public var coloured: Picture {
    guard channels == 1 else { return self }
    return Picture(
      height: height, width: width, channels: 3, pixels: pixels.flatMap { [$0, $0, $0] })
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
