/// One problem found in a program or file: what is wrong, where, and what would be right.
public struct Diagnostic: Error, Hashable, Sendable {
  /// How bad it is.
  public enum Severity: String, Hashable, Sendable {
    /// The work cannot go on.
    case error
    /// The work goes on; the user should look.
    case warning
  }

  /// The stable identity of a kind of problem, shown in brackets: `error[type-mismatch]`.
  public enum Code: String, CaseIterable, Hashable, Sendable {
    /// Operand types that do not fit the operation or one another.
    case typeMismatch = "type-mismatch"
    /// Shapes that do not fit the operation or one another.
    case shapeMismatch = "shape-mismatch"
    /// An attribute outside of what the operation allows.
    case invalidAttribute = "invalid-attribute"
    /// A wrong number of operands, results or bodies.
    case wrongCount = "wrong-count"
    /// A size that does not fit in memory or in an integer.
    case sizeOverflow = "size-overflow"
    /// Text that is not a well-formed program.
    case syntax = "syntax"
    /// A name that is not defined, or defined twice.
    case name = "name"
    /// A graph, program or loop nest that breaks an invariant of its stage.
    case malformedGraph = "malformed-graph"
    /// A value that is not differentiable was differentiated.
    case notDifferentiable = "not-differentiable"
    /// A file that cannot be read or written.
    case file = "file"
    /// A file whose content is not what its format says.
    case format = "format"
    /// A wrong argument of a call or of the command line.
    case argument = "argument"
    /// The machine or an installed library cannot do what was asked.
    case unsupported = "unsupported"
    /// Results that differ from the reference.
    case mismatch = "mismatch"
    /// A failure inside Martlet: our bug, reported instead of trapping.
    case internalError = "internal"
  }

  /// How bad it is.
  public var severity: Severity
  /// The stable identity of the kind of problem.
  public var code: Code
  /// Where it is.
  public var location: Location
  /// What is wrong: one sentence without a full stop.
  public var message: String
  /// Further facts, such as the places of the operands.
  public var notes: [String]
  /// What would be right, when that is known.
  public var hint: String?

  /// Makes a diagnostic, an error unless said otherwise.
  public init(
    _ code: Code, _ message: String, at location: Location = .unknown, notes: [String] = [],
    hint: String? = nil, severity: Severity = .error
  ) {
    self.severity = severity
    self.code = code
    self.location = location
    self.message = message
    self.notes = notes
    self.hint = hint
  }

  /// The same diagnostic at a location, unless it has one already.
  public func located(at location: Location) -> Diagnostic {
    guard self.location == .unknown else { return self }
    var copy = self
    copy.location = location
    return copy
  }
}

extension Diagnostic: CustomStringConvertible {
  /// `Samples/LeNet.swift:9 (conv1): error[shape-mismatch]: ...`, then notes and the hint on lines
  /// of their own.
  public var description: String {
    let place = location == .unknown ? "" : "\(location): "
    var lines = ["\(place)\(severity.rawValue)[\(code.rawValue)]: \(message)"]
    lines += notes.map { "  note: \($0)" }
    if let hint { lines.append("  hint: \(hint)") }
    return lines.joined(separator: "\n")
  }
}

/// All problems that were found together; never empty.
public struct Diagnostics: Error, Hashable, Sendable {
  /// The problems in the order in which they were found.
  public var all: [Diagnostic]

  /// Collects problems; `all` must not be empty.
  public init(_ all: [Diagnostic]) { self.all = all }
}

extension Diagnostics: CustomStringConvertible {
  /// The problems, one after the other.
  public var description: String { all.map(\.description).joined(separator: "\n") }
}
