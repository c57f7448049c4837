import GraphIR

/// A picture whose pixels are whole numbers, as the classes of a segmentation.
struct Mask: Sendable {
  /// The number of rows.
  let height: Int
  /// The number of columns.
  let width: Int
  /// The numbers, row by row.
  var values: [Int32]

  /// Makes a mask of its numbers.
  init(height: Int, width: Int, values: [Int32]) {
    self.height = height
    self.width = width
    self.values = values
  }

  /// Reads a file: a PNG, grey or with a palette, of which it takes the numbers, or a PGM.
  ///
  /// A PNG of fewer than 8 bits without a palette is spread over 0 to 255. What has colours counts as grey where all three
  /// are alike.
  ///
  /// - Throws: what is wrong with the file.
  init(contentsOf path: String) throws(Diagnostic) {
    let content = try PictureContent(contentsOf: path, isMask: true)
    let step = content.channels
    var values: [Int32] = []
    values.reserveCapacity(content.height * content.width)
    for start in stride(from: 0, to: content.values.count, by: step) {
      let pixel = content.values[start..<start + step]
      guard pixel.allSatisfy({ $0 == pixel[start] }) else {
        throw Diagnostic(
          .format, "the mask '\(path)' has colours", hint: "masks are grey or have a palette")
      }
      values.append(Int32(pixel[start]))
    }
    self.init(height: content.height, width: content.width, values: values)
  }

  /// The mask at another size, of which each pixel takes the number at its place.
  func resized(height newHeight: Int, width newWidth: Int) -> Mask {
    guard (newHeight, newWidth) != (height, width) else { return self }
    // The middle of a pixel lies in a pixel of the old size.
    func place(_ index: Int, _ count: Int, _ newCount: Int) -> Int {
      (2 * index + 1) * count / (2 * newCount)
    }
    let columns = (0..<newWidth).map { place($0, width, newWidth) }
    let resized = (0..<newHeight).flatMap { row in
      let start = place(row, height, newHeight) * width
      return columns.map { values[start + $0] }
    }
    return Mask(height: newHeight, width: newWidth, values: resized)
  }
}
