import GraphIR

/// Where examples come from: what one looks like is known before any file is read.
public struct ExampleSource: Sendable {
  /// What one example looks like.
  public let example: ExampleSignature
  /// The names of the classes that labels count; may be empty.
  public let classNames: [String]
  private let read: @Sendable () throws(Diagnostic) -> DataSplit

  /// Makes a source; `read` is called when the examples are needed.
  public init(
    example: ExampleSignature, classNames: [String] = [],
    read: @escaping @Sendable () throws(Diagnostic) -> DataSplit
  ) {
    self.example = example
    self.classNames = classNames
    self.read = read
  }

  /// Reads the examples.
  public func load() throws(Diagnostic) -> DataSplit { try read() }
}
