import GraphIR

/// Pictures whose pixels have classes, as files: a folder of pictures, and one of masks.
extension Images {
  /// A set for segmentation: the pictures (.png, .ppm, .pgm, .pnm) in a folder, each with the mask of the same name, but for
  /// its ending, in another; in the order of their names.
  ///
  /// ```swift
  /// let nuclei = try Images.masked("pictures", masks: "masks", values: [0, 255], classNames: ["ground", "nucleus"])
  /// ```
  ///
  /// A mask is grey, or has a palette, whose numbers then are its values. What is scaled takes a mask's nearest pixel.
  ///
  /// - Parameters:
  ///   - values: The value of each class in masks: `[0, 255]` for what is black and white, `Array(0..<21)` where values are
  ///     the numbers of classes.
  ///   - ignored: A value that counts as no class; its label is -1, for `maskedSoftmaxCrossEntropy`.
  ///   - channels: 1 for grey, 3 for colours, whatever the files of pictures hold.
  ///   - size: What pictures and masks are scaled to; without, all must be as large as the first picture.
  ///   - isStreamed: Whether files are read each time that they are needed, so that more can be had than fit in memory;
  ///     otherwise all are read now.
  /// - Returns: Inputs `[height, width, channels]` from 0 to 1, and labels `[height, width]`, i32.
  /// - Throws: what is wrong with a folder or a file, with its path: a picture or mask without a partner, sizes that differ,
  ///   or a value that is no class. What is streamed may also be found wrong when it is read.
  public static func masked(
    _ pictures: String, masks: String, values: [Int], ignoring ignored: Int? = nil,
    classNames: [String] = [], channels: Int = 3, size: (height: Int, width: Int)? = nil,
    isStreamed: Bool = false
  ) throws(Diagnostic) -> Dataset {
    let classes = try MaskClasses(values, ignoring: ignored, names: classNames)
    let (paths, maskPaths) = try partners(pictures, masks)
    let files = try PictureFiles(paths, size: size)
    let (height, width) = (files.height, files.width)
    let labels = try files.column(
      TensorType(.i32, [height, width]), isStreamed: isStreamed
    ) { index throws(Diagnostic) in
      let mask = try Mask(contentsOf: maskPaths[index])
      var extents = (height, width)
      if files.isScaled {
        let picture = try Picture(contentsOf: paths[index])
        extents = (picture.height, picture.width)
      }
      guard (mask.height, mask.width) == extents else {
        throw Diagnostic(
          .shapeMismatch,
          "'\(maskPaths[index])' is \(mask.width)x\(mask.height) pixels, and its picture "
            + "'\(paths[index])' is \(extents.1)x\(extents.0)",
          hint: "a mask is as large as its picture")
      }
      // Before it is scaled, so that no pixel is overlooked.
      let labels = try classes.labels(mask, maskPaths[index]).resized(height: height, width: width)
      return Literal([height, width], labels.values)
    }
    return try Dataset(
      inputs: files.pictures(channels: channels, isStreamed: isStreamed), labels: labels,
      inputName: "image", labelName: "mask", classNames: classNames)
  }

  /// The paths of pictures and of their masks, in the order of their names.
  private static func partners(
    _ pictures: String, _ masks: String
  ) throws(Diagnostic) -> (pictures: [String], masks: [String]) {
    let (pictureFiles, maskFiles) = (try filesByName(pictures), try filesByName(masks))
    for (own, others, folder, kind) in [
      (pictureFiles, maskFiles, masks, "mask"), (maskFiles, pictureFiles, pictures, "picture"),
    ] {
      let lonely = own.keys.filter { others[$0] == nil }.sorted()
      guard let name = lonely.first, let path = own[name] else { continue }
      throw Diagnostic(
        .file, "'\(path)' has no \(kind) '\(name)' in '\(folder)'",
        notes: lonely.count > 1 ? ["so do \(lonely.count - 1) others"] : [],
        hint: "a picture and its mask have the same name, but for the ending")
    }
    let names = pictureFiles.keys.sorted()
    return (names.compactMap { pictureFiles[$0] }, names.compactMap { maskFiles[$0] })
  }

  /// The paths of the pictures in a folder by their names without ending.
  private static func filesByName(_ folder: String) throws(Diagnostic) -> [String: String] {
    var paths: [String: String] = [:]
    for file in try PictureFiles.names(in: folder) {
      let name = String(file.prefix(upTo: file.lastIndex(of: ".") ?? file.endIndex))
      if let other = paths.updateValue("\(folder)/\(file)", forKey: name) {
        throw Diagnostic(
          .file, "'\(other)' and '\(folder)/\(file)' have the same name but for the ending",
          hint: "pictures and masks find each other by their names")
      }
    }
    return paths
  }
}

/// Which values of masks are which classes.
private struct MaskClasses: Sendable {
  private let values: [Int]
  /// The label of each value.
  private let labels: [Int: Int32]

  init(_ values: [Int], ignoring ignored: Int?, names: [String]) throws(Diagnostic) {
    self.values = values
    var labels: [Int: Int32] = [:]
    for (number, value) in values.enumerated() { labels[value] = Int32(clamping: number) }
    let isTwice = labels.count < values.count || ignored.map { labels[$0] != nil } ?? false
    guard values.count >= 2, !isTwice, names.isEmpty || names.count == values.count else {
      throw Diagnostic(
        .argument,
        "masks of the values \(MaskClasses.list(values)) and \(names.count) names of classes",
        hint:
          "there is one value for each of at least two classes, each another, and as many names or none"
      )
    }
    if let ignored { labels[ignored] = -1 }
    self.labels = labels
  }

  /// A mask with the label of each number.
  ///
  /// - Throws: when a number is no class.
  func labels(_ mask: Mask, _ path: String) throws(Diagnostic) -> Mask {
    var result = mask
    for (index, value) in mask.values.enumerated() {
      guard let label = labels[Int(value)] else {
        throw Diagnostic(
          .format,
          "'\(path)' has the value \(value) in row \(index / mask.width), column "
            + "\(index % mask.width), which is no class",
          hint: "classes have the values \(MaskClasses.list(values))")
      }
      result.values[index] = label
    }
    return result
  }

  private static func list(_ values: [Int]) -> String {
    values.prefix(12).map(String.init).joined(separator: ", ") + (values.count > 12 ? ", ..." : "")
  }
}
