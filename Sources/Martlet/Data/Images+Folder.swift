import FoundationEssentials
import GraphIR

extension Images {
  /// A set of the pictures (.png, .ppm, .pgm, .pnm) in a folder that has a subfolder for each class, in the order of their
  /// names.
  ///
  /// - Parameters:
  ///   - channels: 1 for grey, 3 for colours, whatever the files hold.
  ///   - size: What pictures are scaled to; without, all must be as large as the first.
  ///   - isStreamed: Whether a picture is read each time that it is needed, so that more can be had than fit in memory;
  ///     otherwise all are read now.
  /// - Throws: what is wrong with the folder or a picture, with its path. A picture that is streamed may also be found wrong
  ///   when it is read.
  public static func folder(
    _ path: String, channels: Int = 3, size: (height: Int, width: Int)? = nil,
    isStreamed: Bool = false
  ) throws(Diagnostic) -> Dataset {
    let classNames = try entries(of: path).filter { isFolder("\(path)/\($0)") }
    var files: [String] = []
    var labels: [Int32] = []
    for (number, name) in classNames.enumerated() {
      let pictures = try entries(of: "\(path)/\(name)").filter { file in
        suffixes.contains { file.lowercased().hasSuffix($0) }
      }
      guard !pictures.isEmpty else {
        throw Diagnostic(
          .file, "'\(path)/\(name)' holds no pictures",
          hint: "pictures are named \(suffixes.map { "*" + $0 }.joined(separator: ", "))")
      }
      files += pictures.map { "\(path)/\(name)/\($0)" }
      labels += pictures.map { _ in Int32(clamping: number) }
    }
    guard let first = files.first else {
      throw Diagnostic(
        .file, "'\(path)' has no folders of pictures", hint: "it should have one for each class")
    }
    var extents = size
    if extents == nil {
      let picture = try Picture(contentsOf: first, channels: channels)
      extents = (picture.height, picture.width)
    }
    guard let (height, width) = extents, height >= 1, width >= 1,
      let shape = Shape.checked([height, width, channels])
    else {
      throw Diagnostic(
        .argument, "pictures of \(extents?.width ?? 0)x\(extents?.height ?? 0) pixels",
        hint: "at least 1 in each direction")
    }
    let read: @Sendable (Int) throws(Diagnostic) -> Literal = { [files] index throws(Diagnostic) in
      var picture = try Picture(contentsOf: files[index], channels: channels)
      if size != nil { picture = picture.resized(height: height, width: width) }
      guard (picture.height, picture.width) == (height, width) else {
        throw Diagnostic(
          .shapeMismatch,
          "'\(files[index])' is \(picture.width)x\(picture.height) pixels, and should be "
            + "\(width)x\(height) as '\(first)' is",
          hint: "give a size to scale all pictures to")
      }
      return picture.literal
    }
    let pictures = Column(count: files.count, of: TensorType(.f32, shape), read: read)
    return try Dataset(
      inputs: isStreamed ? pictures : Column(pictures.all()),
      labels: Column(Literal([files.count], labels)), inputName: "image", classNames: classNames)
  }

  private static let suffixes = [".png", ".ppm", ".pgm", ".pnm"]

  /// The names in a folder, but for hidden ones, in order.
  private static func entries(of path: String) throws(Diagnostic) -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: path).filter {
        !$0.hasPrefix(".")
      }.sorted()
    } catch {
      throw Diagnostic(.file, "the folder '\(path)' cannot be read")
    }
  }

  private static func isFolder(_ path: String) -> Bool {
    var isFolder = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder
  }
}
