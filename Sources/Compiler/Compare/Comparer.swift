import GraphIR
import GraphPasses
import Interpreter
import Runtime

/// Compares the native code of a graph with the interpreter, pass by pass and kernel by kernel.
public struct Comparer: Sendable {
  /// How the native code is compiled.
  public var options: CompileOptions

  /// Makes a comparer.
  public init(options: CompileOptions) { self.options = options }

  /// Runs a graph on both backends.
  ///
  /// - Parameters:
  ///   - inputs: one literal for each input, of its type.
  ///   - checkingLoops: whether each kernel also runs in the evaluator of loops, which is slow.
  /// - Throws: what is wrong with the graph or the inputs; a difference is a result, not an error.
  public func compare(
    _ graph: Graph, _ inputs: [Literal], checkingLoops: Bool = false
  ) throws(Diagnostic) -> Comparison {
    try MemoryBudget.requireCountable(graph)
    try MemoryBudget.require(
      graph.interpreterBytes + graph.interfaceBytes, for: "interpreting '\(graph.name)'")
    var comparison = Comparison()
    let reference = try interpret(graph, inputs, precision: .double)
    if let failure = try PassCheck(graph, inputs, reference, options: options).firstFailure() {
      comparison.failure = failure
      return comparison
    }
    let compilation = try Compilation(graph, options: options)
    let executable = try compilation.makeExecutable(
      pool: ThreadPool(threads: options.threads), started: .now)
    let session = try BoundBuffers(executable, inputs)
    let check = KernelCheck(compilation, inputs: inputs, checkingLoops: checkingLoops)
    try executable.makeProgramWorkspace().run(
      inputs: session.inputs, outputs: session.outputs, observer: check)
    check.finish(session.outputs.map { $0.literal() })
    if let problem = check.problem { throw problem }
    comparison.judgedResults = check.judgedResults
    comparison.failure = check.failure
    let typed = try interpret(graph, inputs)
    for (index, output) in graph.outputs.enumerated() {
      let actual = session.outputs[index].literal()
      comparison.outputs.append(
        Comparison.OutputReport(
          name: output.name, type: graph.type(of: output.value),
          jit: ErrorStatistics(actual, reference: reference[index]),
          interpreter: ErrorStatistics(typed[index], reference: reference[index])))
    }
    return comparison
  }
}

/// The buffers of one run, with each donated input's output in the input's buffer.
struct BoundBuffers {
  var inputs: [Buffer]
  var outputs: [Buffer]

  init(_ executable: any Executable, _ literals: [Literal]) throws(Diagnostic) {
    inputs = literals.map { Buffer($0) }
    outputs = executable.outputs.map { Buffer($0.type) }
    for (index, input) in executable.inputs.enumerated() {
      if let output = input.donatedTo { outputs[output] = inputs[index] }
    }
  }
}

/// Finds the first pass application that changes what a graph computes.
struct PassCheck {
  let graph: Graph
  let inputs: [Literal]
  let reference: [Literal]
  let options: CompileOptions

  init(_ graph: Graph, _ inputs: [Literal], _ reference: [Literal], options: CompileOptions) {
    self.graph = graph
    self.inputs = inputs
    self.reference = reference
    self.options = options
  }

  func firstFailure() throws(Diagnostic) -> Comparison.Failure? {
    var snapshots: [(pass: String, graph: Graph)] = []
    var optimized = graph
    var context = PassContext()
    context.fault = options.fault
    context.didRun = { pass, graph, changed in if changed { snapshots.append((pass, graph)) } }
    try options.passes.run(&optimized, context)
    var earlier = graph
    for (pass, later) in snapshots {
      let outputs = try interpret(later, inputs, precision: .double)
      if let index = outputs.indices.first(where: { !close(outputs[$0], reference[$0]) }) {
        // Folding rounds to the graph's dtypes, which f64 does not: then the typed results must agree.
        let typed = try interpret(later, inputs)[index]
        if close(typed, try interpret(earlier, inputs)[index]) {
          earlier = later
          continue
        }
        return try locate(pass: pass, earlier: earlier, later: later, output: index)
      }
      earlier = later
    }
    return nil
  }

  /// Passes keep f64 values but for the order of a few operations.
  private static let tolerance = 1e-6

  private func close(_ actual: Literal, _ expected: Literal) -> Bool {
    let values = expected.doubles()
    let scale = values.lazy.filter(\.isFinite).map(abs).max() ?? 0
    return zip(actual.doubles(), values).allSatisfy {
      $0 == $1 || ($0.isNaN && $1.isNaN) || abs($0 - $1) <= Self.tolerance * max(scale, 1e-30)
    }
  }

  /// The first node, in the earlier graph, whose value no longer appears where it should.
  private func locate(
    pass: String, earlier: Graph, later: Graph, output: Int
  ) throws(Diagnostic) -> Comparison.Failure {
    struct Key: Hashable {
      var location: Location
      var mnemonic: String
      var types: [TensorType]
    }
    func key(_ node: Node) -> Key {
      Key(location: node.location, mnemonic: node.operation.mnemonic, types: node.types)
    }
    let values = try interpretEveryValue(later, inputs, precision: .double)
    var found: [Key: [Literal]] = [:]
    for node in later.nodes {
      found[key(node), default: []].append(values[Int(node.firstResult.index)])
    }
    let expected = try interpretEveryValue(earlier, inputs, precision: .double)
    let culprit = earlier.nodes.first { node in
      guard let candidates = found[key(node)] else { return false }
      let wanted = expected[Int(node.firstResult.index)]
      return !candidates.contains { close($0, wanted) }
    }
    let name = earlier.outputs[output].name
    let node = culprit ?? earlier.definition(of: earlier.outputs[output].value)
    let what = culprit == nil ? "output '\(name)'" : "the value (output '\(name)' is wrong)"
    return Comparison.Failure(
      stage: "pass \(pass)", operation: node?.operation.mnemonic ?? "input",
      location: node?.location ?? .unknown, message: "\(what) changes in the f64 interpreter")
  }
}
