import GraphIR

/// Pictures in files.
extension Picture {
  /// The largest height or width that is read.
  static let maximumExtent = 1 << 14

  /// Reads a file: PNG, or PPM and PGM (Netpbm's P2, P3, P5 and P6), whatever its name is.
  ///
  /// What is transparent shows white. 16 bits of a PNG become 8.
  ///
  /// - Parameter channels: 1 makes colours grey, 3 gives grey pictures colours; without, they are as in the file.
  /// - Throws: what is wrong with the file.
  public init(contentsOf path: String, channels: Int? = nil) throws(Diagnostic) {
    guard channels == nil || channels == 1 || channels == 3 else {
      throw Diagnostic(
        .argument, "a picture of \(channels ?? 0) channels", hint: "1 for grey, 3 for colours")
    }
    let content = try PictureContent(contentsOf: path)
    let picture = Picture(
      height: content.height, width: content.width, channels: content.channels,
      pixels: content.values.map { Float($0) / Float(content.greatest) })
    switch channels {
    case 1: self = picture.grey
    case 3: self = picture.coloured
    default: self = picture
    }
  }

  static func tooLarge(_ name: String, _ height: Int, _ width: Int) -> Diagnostic {
    Diagnostic(
      .unsupported, "'\(name)' is \(width)x\(height) pixels",
      hint: "at most \(maximumExtent) in each direction")
  }

  /// The picture scaled to another size, whatever its proportions become.
  ///
  /// A pixel is a mean of those around its place, weighted by a triangle: linear interpolation where the picture grows, and
  /// as wide as what falls together where it shrinks.
  public func resized(height newHeight: Int, width newWidth: Int) -> Picture {
    guard (newHeight, newWidth) != (height, width), height > 0, width > 0 else { return self }
    let rows = Picture.weights(from: height, to: newHeight)
    let columns = Picture.weights(from: width, to: newWidth)
    // Down the columns first, then along the rows of what this gave.
    var tall = [Float](repeating: 0, count: rows.count * width * channels)
    let line = width * channels
    for (row, terms) in rows.enumerated() {
      for (source, weight) in terms {
        for place in 0..<line {
          tall[row * line + place] += weight * pixels[source * line + place]
        }
      }
    }
    var result = [Float](repeating: 0, count: rows.count * columns.count * channels)
    for row in rows.indices {
      for (column, terms) in columns.enumerated() {
        for (source, weight) in terms {
          for channel in 0..<channels {
            result[(row * columns.count + column) * channels + channel] +=
              weight * tall[row * line + source * channels + channel]
          }
        }
      }
    }
    return Picture(
      height: rows.count, width: columns.count, channels: channels, pixels: result)
  }

  /// The places, and their weights of sum 1, that make each place of a line of another length.
  private static func weights(from count: Int, to newCount: Int) -> [[(Int, Float)]] {
    let scale = Double(count) / Double(max(newCount, 1))
    let reach = max(scale, 1)
    return (0..<max(newCount, 0)).map { place in
      let middle = (Double(place) + 0.5) * scale - 0.5
      let near = max(Int((middle - reach).rounded(.up)), 0)
      let far = min(Int((middle + reach).rounded(.down)), count - 1)
      let terms = (near...max(far, near)).map { ($0, 1 - abs(Double($0) - middle) / reach) }
      let total = terms.reduce(0) { $0 + $1.1 }
      return terms.map { ($0.0, Float($0.1 / total)) }
    }
  }
}
