import GraphIR

/// A way to run graphs: native code or the interpreter.
public protocol Backend: Sendable {
  /// The name on the command line: `jit` or `interpreter`.
  var name: String { get }

  /// Compiles a verified graph.
  ///
  /// - Throws: what is wrong with the graph, or what this machine cannot do.
  func prepare(_ graph: Graph) throws(Diagnostic) -> any Executable
}

/// A compiled graph: immutable, and shared by any number of sessions that may run at the same time.
public protocol Executable: AnyObject, Sendable {
  /// The graph's inputs.
  var inputs: [Input] { get }
  /// The names and types of the graph's outputs.
  var outputs: [(name: String, type: TensorType)] { get }
  /// What compiling took and what running needs.
  var statistics: ExecutableStatistics { get }

  /// Allocates what one running instance needs beside its inputs and outputs: arena and scratch.
  func makeWorkspace() throws(Diagnostic) -> any Workspace
}

/// The memory of one running instance.
public protocol Workspace: AnyObject {
  /// Runs once. Inputs and outputs are in the graph's order and of its types; where an input is donated, the
  /// output's buffer is the same object. Allocates nothing.
  func run(inputs: [Buffer], outputs: [Buffer]) throws(Diagnostic)
}

/// What is known of an executable before it runs.
public struct ExecutableStatistics: Hashable, Sendable {
  /// The time from graph to executable, in seconds.
  public var compileSeconds = 0.0
  /// The peak of the memory that a run needs: inputs, outputs, constants, arena and scratch, in bytes.
  public var peakBytes = 0
  /// The largest set of bytes live at once: no plan needs less.
  public var lowerBoundBytes = 0
  /// The floating-point operations of the contractions in a run (a multiply and an add count as two).
  public var flops = 0
  /// The number of kernels that a run executes.
  public var kernels = 0

  /// Makes empty statistics.
  public init() {}
}

/// Runs an executable on buffers that stay bound, so that a step allocates nothing.
///
/// A donated input and its output are one buffer: after a run the input holds the new value, ready for the next run.
public struct Session: ~Copyable {
  /// What is run.
  public let executable: any Executable
  /// The buffers of the inputs, in the graph's order.
  public private(set) var inputs: [Buffer]
  /// The buffers of the outputs, in the graph's order.
  public private(set) var outputs: [Buffer]
  private let workspace: any Workspace

  /// Makes a session with zeroed buffers of its own, but for the inputs whose buffers are given by their positions.
  ///
  /// - Throws: what the machine cannot do, or as `bind(input:to:)`.
  public init(
    _ executable: any Executable, inputs given: [Int: Buffer] = [:]
  ) throws(Diagnostic) {
    for (index, buffer) in given.sorted(by: { $0.key < $1.key }) {
      try Session.check(buffer, for: index, of: executable, beside: given)
    }
    let workspace = try executable.makeWorkspace()
    let inputs = executable.inputs.enumerated().map { given[$0] ?? Buffer($1.type) }
    let donors = Session.donors(executable)
    self.executable = executable
    self.workspace = workspace
    self.inputs = inputs
    outputs = executable.outputs.indices.map { index in
      donors[index].map { inputs[$0] } ?? Buffer(executable.outputs[index].type)
    }
  }

  /// Binds an input to another buffer of its type; a donated input's output follows.
  ///
  /// - Throws: when the type differs, or the buffer is bound to another input of which either is donated.
  public mutating func bind(input index: Int, to buffer: Buffer) throws(Diagnostic) {
    let bound = Dictionary(uniqueKeysWithValues: inputs.enumerated().map { ($0, $1) })
    try Session.check(buffer, for: index, of: executable, beside: bound)
    inputs[index] = buffer
    if let output = executable.inputs[index].donatedTo { outputs[output] = buffer }
  }

  private static func check(
    _ buffer: Buffer, for index: Int, of executable: any Executable, beside bound: [Int: Buffer]
  ) throws(Diagnostic) {
    let input = executable.inputs[index]
    guard buffer.type == input.type else {
      throw Diagnostic(
        .typeMismatch, "input '\(input.name)' is \(input.type), the buffer is \(buffer.type)",
        at: input.location)
    }
    for (other, another) in bound where other != index && another === buffer {
      guard input.donatedTo == nil, executable.inputs[other].donatedTo == nil else {
        throw Diagnostic(
          .argument,
          "one buffer is bound to the inputs '\(executable.inputs[other].name)' and "
            + "'\(input.name)', and a donated one is overwritten",
          at: input.location, hint: "bind a copy")
      }
    }
  }

  /// Runs once on the bound buffers.
  public mutating func run() throws(Diagnostic) {
    try workspace.run(inputs: inputs, outputs: outputs)
  }

  /// For each output the input whose buffer it takes over.
  private static func donors(_ executable: any Executable) -> [Int?] {
    var donors = [Int?](repeating: nil, count: executable.outputs.count)
    for (index, input) in executable.inputs.enumerated() {
      if let output = input.donatedTo { donors[output] = index }
    }
    return donors
  }
}
