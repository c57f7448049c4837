/// Where a node comes from: the line of the user's program or file, and the module that was being
/// traced.
///
/// Passes keep it, so that profiles, dumps and error messages can name the user's own line.
public struct Location: Hashable, Sendable {
  /// The source file as `#fileID` gives it (`Samples/LeNet.swift`), or the path of a `.mir` file.
  public var file: String?
  /// The line in `file`, from 1; 0 when unknown.
  public var line: Int
  /// The path of the module (`encoder.layer2.attention`), or the name of an imported node; may be
  /// empty.
  public var path: String

  /// Makes a location.
  public init(file: String? = nil, line: Int = 0, path: String = "") {
    self.file = file
    self.line = line
    self.path = path
  }

  /// A location of which nothing is known.
  public static let unknown = Location()
}

extension Location: CustomStringConvertible {
  /// `Samples/LeNet.swift:9 (conv1)`, leaving out what is not known.
  public var description: String {
    let place = file.map { line > 0 ? "\($0):\(line)" : $0 } ?? ""
    if path.isEmpty { return place.isEmpty ? "unknown location" : place }
    return place.isEmpty ? path : "\(place) (\(path))"
  }
}
