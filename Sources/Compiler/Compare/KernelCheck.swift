import GraphIR
import Interpreter
import LoopIR
import Lowering
import Runtime

/// Judges each launch of a program on the native code's own inputs, so that what an early rounding flips is not
/// blamed on what follows.
final class KernelCheck: LaunchObserver {
  private let compilation: Compilation
  /// Whether the evaluator of loops runs beside the native code.
  private let checksLoops: Bool
  /// The graph whose values the program's buffers hold.
  private var graph: Graph { compilation.optimized }
  private var program: Program { compilation.program }
  /// What each graph value in memory was right after it had been written.
  private var written: [Value: Literal] = [:]
  private var before: [Literal?] = []

  private(set) var judgedResults = 0
  private(set) var failure: Comparison.Failure?
  private(set) var problem: Diagnostic?

  init(_ compilation: Compilation, inputs: [Literal], checkingLoops: Bool) {
    self.compilation = compilation
    checksLoops = checkingLoops
    for (index, literal) in inputs.enumerated() { written[Value(index)] = literal }
  }

  func willRun(_ launch: Int, in workspace: ProgramWorkspace) {
    guard failure == nil, problem == nil else { return }
    let launch = program.launches[launch]
    before = launch.arguments.map { workspace.literal(of: $0) }
    let parameters = program.kernels[launch.kernel].parameters
    for (index, parameter) in parameters.enumerated() where parameter.role == .input {
      guard let value = launch.values[index], let now = before[index],
        let then = written[value], now.bytes != then.bytes
      else { continue }
      failure = failure(
        "memory plan", at: value,
        "the value was overwritten before its last use, by \(kernel(launch).name)")
      return
    }
  }

  func didRun(_ launch: Int, in workspace: ProgramWorkspace) {
    guard failure == nil, problem == nil else { return }
    do {
      try judge(program.launches[launch], in: workspace)
    } catch {
      problem = error
    }
  }

  /// Judges what the outputs hold when all launches have run.
  func finish(_ outputs: [Literal]) {
    guard failure == nil, problem == nil else { return }
    do {
      for (output, actual) in zip(graph.outputs, outputs) {
        try judge(output, actual)
        if failure != nil { return }
      }
    } catch {
      problem = error
    }
  }

  private func judge(_ output: Output, _ actual: Literal) throws(Diagnostic) {
    if let then = written[output.value] {
      guard then.bytes != actual.bytes else { return }
      failure = failure(
        "memory plan", at: output.value,
        "the output '\(output.name)' was overwritten after it had been computed")
      return
    }
    // No launch gave it: it must follow from what is in memory.
    var cone = Cone(graph)
    cone.written = written
    let reference = try cone.value(output.value)
    guard let wrong = WrongElement.first(in: actual, reference: reference) else { return }
    failure = failure("fusion", at: output.value, "output '\(output.name)': \(wrong.message)")
  }

  private func kernel(_ launch: Launch) -> Kernel { program.kernels[launch.kernel] }

  private func judge(_ launch: Launch, in workspace: ProgramWorkspace) throws(Diagnostic) {
    var cone = Cone(graph)
    for (index, parameter) in kernel(launch).parameters.enumerated() {
      // What is updated in place is known by the value that was copied there.
      guard parameter.role == .input, let value = launch.values[index], let content = before[index]
      else { continue }
      cone.known[value] = BoundedValue(exact: content.widened)
    }
    // What an unnamed buffer holds (a padded copy, say) follows from values in memory.
    cone.written = written
    for (index, parameter) in kernel(launch).parameters.enumerated() where parameter.role != .input
    {
      guard let actual = workspace.literal(of: launch.arguments[index]) else { continue }
      guard let value = launch.values[index] else {
        try judgeUnnamed(launch, parameter: index, actual, in: workspace)
        continue
      }
      // A copy of a value that is an input of the launch, too, is judged by its bits.
      let reference = try cone.value(value)
      written[value] = actual
      judgedResults += 1
      if let wrong = WrongElement.first(in: actual, reference: reference) {
        let stage = try blame(launch, parameter: index, reference: reference, in: workspace)
        failure = failure(stage, at: value, wrong.message)
        return
      }
      if checksLoops { try checkLoops(launch, parameter: index, value: value, reference) }
    }
  }

  /// A buffer that holds no value of the graph is judged by the kernel's definition on the same inputs.
  private func judgeUnnamed(
    _ launch: Launch, parameter: Int, _ actual: Literal, in workspace: ProgramWorkspace
  ) throws(Diagnostic) {
    let expected = try kernel(launch).evaluate(on: contents(of: launch))[parameter]
    // Sums may cancel: what they may be off by goes with the largest of them.
    let values = expected.doubles()
    let sums = kernel(launch).stages.contains { $0.kind != .map }
    let largest = values.lazy.filter(\.isFinite).map(abs).max() ?? 0
    let bounds = values.map {
      16 * (expected.type.dtype.epsilon ?? 0) * (sums ? max(abs($0), 4 * largest) : abs($0))
    }
    let reference = BoundedValue(reference: expected.widened, bounds: bounds)
    guard let wrong = WrongElement.first(in: actual, reference: reference) else { return }
    failure = Comparison.Failure(
      stage: try blame(launch, parameter: parameter, reference: reference, in: workspace),
      operation: kernel(launch).name,
      location: launch.location, message: "\(actual.type): \(wrong.message)")
  }

  /// The evaluator of loops must be right on the same inputs, too.
  private func checkLoops(
    _ launch: Launch, parameter: Int, value: Value, _ reference: BoundedValue
  ) throws(Diagnostic) {
    let evaluated = try compilation.loops[launch.kernel].evaluate(on: contents(of: launch))
    if let wrong = WrongElement.first(in: evaluated[parameter], reference: reference) {
      failure = failure("schedule (its evaluator; native code is right)", at: value, wrong.message)
    }
  }

  /// What the kernel's parameters held before it ran.
  private func contents(of launch: Launch) -> [Literal] {
    zip(before, kernel(launch).parameters).map { $0 ?? Literal(zeros: $1.type) }
  }

  /// The stage that broke a launch's result: the first whose evaluation on the same inputs is wrong.
  private func blame(
    _ launch: Launch, parameter: Int, reference: BoundedValue, in workspace: ProgramWorkspace
  ) throws(Diagnostic) -> String {
    let contents = contents(of: launch)
    func isWrong(_ results: [Literal]) -> Bool {
      WrongElement.first(in: results[parameter], reference: reference) != nil
    }
    if isWrong(try kernel(launch).evaluate(on: contents)) { return "fusion" }
    if isWrong(try compilation.loops[launch.kernel].evaluate(on: contents)) { return "schedule" }
    // The same code is right when each of its tensors has memory of its own.
    return isWrong(workspace.run(kernel: launch.kernel, on: contents)) ? "llvm" : "memory plan"
  }

  private func failure(
    _ stage: String, at value: Value, _ message: String
  ) -> Comparison.Failure {
    let node = graph.definition(of: value)
    return Comparison.Failure(
      stage: stage, operation: node?.operation.mnemonic ?? "input",
      location: node?.location ?? graph.input(of: value)?.location ?? .unknown,
      message: "value %\(value.index) \(graph.type(of: value)): \(message)")
  }
}

/// The part of a graph between known values and a wanted one, evaluated with error bounds.
private struct Cone {
  let graph: Graph
  var known: [Value: BoundedValue] = [:]
  /// What earlier launches and the caller left in memory.
  var written: [Value: Literal] = [:]

  init(_ graph: Graph) { self.graph = graph }

  mutating func value(_ wanted: Value) throws(Diagnostic) -> BoundedValue {
    // A result of the launch may be read by another of its results: look behind known inputs only.
    if let value = known[wanted] { return value }
    var pending = [wanted]
    while let next = pending.last {
      guard known[next] == nil else {
        pending.removeLast()
        continue
      }
      if next != wanted, let literal = written[next] {
        known[next] = BoundedValue(exact: literal.widened)
        pending.removeLast()
        continue
      }
      guard let node = graph.definition(of: next) else {
        throw Diagnostic(
          .internalError, "a kernel reads input '\(graph.input(of: next)?.name ?? "?")' unlisted")
      }
      let missing = node.operands.filter { known[$0] == nil }
      if missing.isEmpty {
        let operands = node.operands.compactMap { known[$0] }
        for (result, value) in zip(
          node.results, try ErrorBounds.evaluate(node, in: graph, operands))
        { known[result] = value }
        pending.removeLast()
      } else {
        pending += missing
      }
    }
    guard let value = known[wanted] else {
      throw Diagnostic(.internalError, "value %\(wanted.index) has no reference")
    }
    return value
  }
}

extension Literal {
  /// The same values with floats as f64.
  package var widened: Literal {
    type.dtype.isFloat && type.dtype != .f64
      ? Literal(TensorType(.f64, type.shape), doubles: doubles()) : self
  }
}
