import FoundationEssentials
import GraphIR

/// Pictures in files that become the examples of a data set, all of one size.
struct PictureFiles: Sendable {
  /// The paths, one for each example.
  let paths: [String]
  /// The extents of every example.
  let height: Int
  let width: Int
  /// Whether pictures are scaled to the extents; otherwise they have to be so large.
  let isScaled: Bool

  /// The endings of the names of pictures.
  static let suffixes = [".png", ".ppm", ".pgm", ".pnm"]

  /// Makes the examples of files, of a given size or of that of the first.
  ///
  /// - Throws: when the size makes no sense, or the first cannot be read.
  init(_ paths: [String], size: (height: Int, width: Int)?) throws(Diagnostic) {
    self.paths = paths
    isScaled = size != nil
    if let size {
      (height, width) = size
    } else if let first = paths.first {
      let picture = try Picture(contentsOf: first)
      (height, width) = (picture.height, picture.width)
    } else {
      (height, width) = (0, 0)
    }
    let extents = 1...Picture.maximumExtent
    guard extents.contains(height), extents.contains(width) else {
      throw Diagnostic(
        .argument, "pictures of \(width)x\(height) pixels",
        hint: "from 1 to \(Picture.maximumExtent) in each direction")
    }
  }

  /// The pictures `[height, width, channels]`, read now or each time that one is needed.
  ///
  /// - Throws: what is wrong with one that is read now.
  func pictures(channels: Int, isStreamed: Bool) throws(Diagnostic) -> Column {
    guard channels == 1 || channels == 3 else {
      throw Diagnostic(
        .argument, "pictures of \(channels) channels", hint: "1 for grey, 3 for colours")
    }
    return try column(
      TensorType(.f32, [height, width, channels]), isStreamed: isStreamed
    ) { index throws(Diagnostic) in
      let picture = try Picture(contentsOf: paths[index], channels: channels)
      guard !isScaled else { return picture.resized(height: height, width: width).literal }
      try check(index, picture.height, picture.width)
      return picture.literal
    }
  }

  /// What is read for each file, now or each time that it is needed.
  func column(
    _ type: TensorType, isStreamed: Bool,
    read: @escaping @Sendable (Int) throws(Diagnostic) -> Literal
  ) throws(Diagnostic) -> Column {
    let column = Column(count: paths.count, of: type, read: read)
    return isStreamed ? column : try Column(column.all())
  }

  /// Throws when a picture is not as large as the first.
  private func check(_ index: Int, _ ownHeight: Int, _ ownWidth: Int) throws(Diagnostic) {
    guard (ownHeight, ownWidth) != (height, width) else { return }
    throw Diagnostic(
      .shapeMismatch,
      "'\(paths[index])' is \(ownWidth)x\(ownHeight) pixels, and should be \(width)x\(height) as "
        + "'\(paths[0])' is",
      hint: "give a size to scale all pictures to")
  }

  // MARK: Folders

  /// The names of the pictures in a folder, in order.
  ///
  /// - Throws: when it cannot be read or has none.
  static func names(in folder: String) throws(Diagnostic) -> [String] {
    let names = try entries(of: folder).filter { name in
      suffixes.contains { name.lowercased().hasSuffix($0) }
    }
    guard !names.isEmpty else {
      throw Diagnostic(
        .file, "'\(folder)' holds no pictures",
        hint: "pictures are named \(suffixes.map { "*" + $0 }.joined(separator: ", "))")
    }
    return names
  }

  /// The names in a folder, but for hidden ones, in order.
  static func entries(of folder: String) throws(Diagnostic) -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder).filter {
        !$0.hasPrefix(".")
      }.sorted()
    } catch {
      throw Diagnostic(.file, "the folder '\(folder)' cannot be read")
    }
  }
}
