import GraphIR

/// One rewriting of a graph that keeps what it computes, its inputs and its outputs.
public protocol GraphPass: Sendable {
  /// The name in pipelines and on the command line: a verb or an abbreviation of the field.
  var name: String { get }
  /// What the pass does, in one line.
  var summary: String { get }

  /// Rewrites the graph.
  ///
  /// - Returns: whether the graph has changed.
  func run(_ graph: inout Graph, _ context: PassContext) throws(Diagnostic) -> Bool
}

/// What a pipeline is asked to do beside running its passes.
public struct PassContext {
  /// Breaks one pass on purpose: a debugging aid that shows the checks at work.
  public var fault: PlantedFault?
  /// Ends the pipeline after this number of passes, so that a bisection can find the one to blame.
  public var stopAfter: Int?
  /// The passes after which `onDump` is called.
  public var dumpAfter = DumpSelection.none
  /// Receives the graph's text after the passes that `dumpAfter` selects.
  public var onDump: ((PassDump) -> Void)?
  /// Called after each pass with its name, the graph it left, and whether it changed anything.
  public var didRun: ((_ pass: String, _ graph: Graph, _ changed: Bool) -> Void)?
  /// Inputs on which the interpreter must find the same outputs before and after each pass; nil does not check.
  public var checkWithInterpreter: [Literal]?

  /// Makes a context that runs every pass and reports nothing.
  public init() {}
}

/// The passes after which a pipeline shows the graph.
public enum DumpSelection: Hashable, Sendable {
  /// No pass.
  case none
  /// The pass of this name, wherever it stands in the pipeline.
  case pass(String)
  /// Every pass.
  case all
}

/// The graph as one pass left it.
public struct PassDump: Hashable, Sendable {
  /// The place of the pass in the pipeline, from 1.
  public let number: Int
  /// The name of the pass.
  public let pass: String
  /// The graph's text, or `(unchanged)` and a line break.
  public let text: String

  /// The name of a file for this dump, which sorts by the place in the pipeline: `03-simplify.mir`.
  public var fileName: String { "\(number < 10 ? "0" : "")\(number)-\(pass).mir" }
}

/// What one pass did to a graph.
public struct PassRun: Hashable, Sendable {
  /// The name of the pass.
  public let pass: String
  /// How long it took.
  public let duration: Duration
  /// Whether it changed the graph.
  public let changed: Bool
  /// The number of nodes that it left.
  public let nodes: Int
}
