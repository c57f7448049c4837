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
    let classNames = try PictureFiles.entries(of: path).filter { isFolder("\(path)/\($0)") }
    guard !classNames.isEmpty else {
      throw Diagnostic(
        .file, "'\(path)' has no folders of pictures", hint: "it should have one for each class")
    }
    var paths: [String] = []
    var labels: [Int32] = []
    for (number, name) in classNames.enumerated() {
      let pictures = try PictureFiles.names(in: "\(path)/\(name)")
      paths += pictures.map { "\(path)/\(name)/\($0)" }
      labels += pictures.map { _ in Int32(clamping: number) }
    }
    return try Dataset(
      inputs: PictureFiles(paths, size: size).pictures(channels: channels, isStreamed: isStreamed),
      labels: Column(Literal([paths.count], labels)), inputName: "image", classNames: classNames)
  }

  private static func isFolder(_ path: String) -> Bool {
    var isFolder = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder
  }
}
