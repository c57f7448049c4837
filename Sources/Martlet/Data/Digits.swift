import GraphIR

/// Handwritten digits as data sets: grey images `[height, width, 1]` from 0 to 1, and labels from 0 to 9 as i32.
///
/// For models that look at larger or coloured images, `padding` surrounds the digit with rows and columns of 0, and
/// `channels` repeats each pixel.
public enum Digits {
  /// The names of the ten classes.
  public static let classNames = (0..<10).map(String.init)

  /// A set from two IDX files: images `[n, height, width]` of bytes, and labels `[n]` of bytes.
  ///
  /// - Throws: what is wrong with the files.
  public static func idx(
    images: String, labels: String, padding: Int = 0, channels: Int = 1
  ) throws(Diagnostic) -> Dataset {
    let (pixels, classes) = (try IDX.read(images), try IDX.read(labels))
    guard pixels.type.dtype == .u8, pixels.type.shape.rank == 3 else {
      throw Diagnostic(.format, "'\(images)' holds \(pixels.type), not images of bytes")
    }
    guard classes.type.dtype == .u8, classes.type.shape.rank == 1 else {
      throw Diagnostic(.format, "'\(labels)' holds \(classes.type), not labels of bytes")
    }
    return try dataset(
      pixels.bytes.map { Float($0) / 255 }, Array(pixels.type.shape.extents.dropFirst()),
      labels: classes.bytes.map { Int($0) }, name: labels, padding: padding, channels: channels)
  }

  /// A set from a table whose rows are the pixels, from 0 to `maximum`, and the label.
  ///
  /// - Throws: what is wrong with the file.
  public static func csv(
    _ path: String, height: Int, width: Int, maximum: Double, padding: Int = 0, channels: Int = 1
  ) throws(Diagnostic) -> Dataset {
    let table = try CSV.read(path)
    let (rows, columns) = (table.type.shape[0], table.type.shape[1])
    guard columns == height * width + 1 else {
      throw Diagnostic(
        .format,
        "'\(path)' has \(columns) columns; \(height)x\(width) pixels and a label are "
          + "\(height * width + 1)")
    }
    let cells = table.doubles()
    let pixels = (0..<rows).flatMap { row in
      cells[row * columns..<(row + 1) * columns - 1].map { Float($0 / maximum) }
    }
    let labels = (0..<rows).map { Int(saturating: cells[($0 + 1) * columns - 1]) }
    return try dataset(
      pixels, [height, width], labels: labels, name: path, padding: padding, channels: channels)
  }

  private static func dataset(
    _ pixels: [Float], _ image: [Int], labels: [Int], name: String, padding: Int, channels: Int
  ) throws(Diagnostic) -> Dataset {
    if let wrong = labels.first(where: { !(0...9).contains($0) }) {
      throw Diagnostic(.format, "'\(name)' has the label \(wrong), which is no digit")
    }
    let count = pixels.count / max(image.reduce(1, *), 1)
    guard count == labels.count else {
      throw Diagnostic(.format, "'\(name)' has \(labels.count) labels for \(count) images")
    }
    guard (0...1024).contains(padding), (1...1024).contains(channels) else {
      throw Diagnostic(
        .argument, "a padding of \(padding) and \(channels) channels for '\(name)'",
        hint: "a padding is from 0 to 1024, channels from 1 to 1024")
    }
    let padded = image.map { $0 + 2 * padding }
    return try Dataset(
      inputs: Literal(
        Shape([count] + padded + [channels]),
        surround(pixels, image, padded, padding: padding, channels: channels)),
      labels: Literal([count], labels.map { Int32($0) }), inputName: "image",
      classNames: classNames)
  }
  /// The rows of the images in the middle of larger ones, each pixel as often as there are channels.
  private static func surround(
    _ pixels: [Float], _ image: [Int], _ padded: [Int], padding: Int, channels: Int
  ) -> [Float] {
    guard padding > 0 || channels > 1 else { return pixels }
    let count = pixels.count / max(image[0] * image[1], 1)
    var result = [Float](repeating: 0, count: count * padded[0] * padded[1] * channels)
    for index in pixels.indices {
      let (row, column) = (index / image[1], index % image[1])
      let (number, line) = (row / image[0], row % image[0])
      let place = (number * padded[0] + line + padding) * padded[1] + column + padding
      for channel in 0..<channels { result[place * channels + channel] = pixels[index] }
    }
    return result
  }
}
