import GraphIR
import Interpreter

extension PassPipeline {
  /// Runs the passes over a graph and checks each: the graph must be well formed after it, and have changed
  /// exactly when the pass says so.
  ///
  /// - Returns: for each pass that ran what it did.
  /// - Throws: what a pass or a check finds; the diagnostic names the pass.
  @discardableResult
  public func run(
    _ graph: inout Graph, _ context: PassContext = PassContext()
  ) throws(Diagnostic) -> [PassRun] {
    var runs: [PassRun] = []
    for (index, pass) in passes.prefix(context.stopAfter ?? passes.count).enumerated() {
      let before = graph
      let start = ContinuousClock.now
      let changed: Bool
      do {
        changed = try pass.run(&graph, context)
      } catch {
        throw error.inPass(pass)
      }
      let duration = ContinuousClock.now - start
      try check(pass, before, graph, claimsChange: changed, isFirst: index == 0, context)
      runs.append(
        PassRun(pass: pass.name, duration: duration, changed: changed, nodes: graph.nodes.count))
      context.didRun?(pass.name, graph, changed)
      if context.dumpAfter.selects(pass), let onDump = context.onDump {
        let text = changed ? graph.text() : "(unchanged)\n"
        onDump(PassDump(number: index + 1, pass: pass.name, text: text))
      }
    }
    return runs
  }

  private func check(
    _ pass: any GraphPass, _ before: Graph, _ after: Graph, claimsChange: Bool, isFirst: Bool,
    _ context: PassContext
  ) throws(Diagnostic) {
    let isChanged = before != after
    // What has not changed was checked after the pass before.
    if isChanged || isFirst {
      do {
        try after.verify()
      } catch {
        throw Diagnostic(
          .malformedGraph, "pass \(pass.name) leaves a malformed graph \(after.name)",
          notes: error.all.map(\.description))
      }
    }
    guard isChanged == claimsChange else {
      throw Diagnostic(
        .internalError,
        "pass \(pass.name) says that it has \(claimsChange ? "" : "not ")changed graph "
          + "\(after.name), but it has\(claimsChange ? " not" : "")")
    }
    let interface = { (graph: Graph) in graph.outputs.map { ($0.name, graph.type(of: $0.value)) } }
    guard before.inputs == after.inputs, interface(before).elementsEqual(interface(after), by: ==)
    else {
      throw Diagnostic(
        .malformedGraph, "pass \(pass.name) changes the inputs or outputs of graph \(after.name)")
    }
    if claimsChange, let inputs = context.checkWithInterpreter {
      try compareValues(pass, before, after, inputs)
    }
  }

  /// Runs both graphs in f64, so that only folded constants, which are rounded to their type, may differ.
  private func compareValues(
    _ pass: any GraphPass, _ before: Graph, _ after: Graph, _ inputs: [Literal]
  ) throws(Diagnostic) {
    let expected = try interpret(before, inputs, precision: .double)
    let found = try interpret(after, inputs, precision: .double)
    for (index, output) in after.outputs.enumerated() {
      let epsilon = after.type(of: output.value).dtype.epsilon ?? 0
      let (old, new) = (expected[index].doubles(), found[index].doubles())
      let scale = old.lazy.filter(\.isFinite).map(abs).max() ?? 0
      let difference = zip(old, new).enumerated().first { _, pair in
        let (a, b) = pair
        return !(a == b || (a.isNaN && b.isNaN) || abs(a - b) <= 64 * epsilon * scale)
      }
      guard let (position, (a, b)) = difference else { continue }
      throw Diagnostic(
        .mismatch,
        "pass \(pass.name) changes element \(position) of output \(output.name) from \(a) to \(b)",
        at: before.definition(of: before.outputs[index].value)?.location ?? .unknown)
    }
  }
}

extension DumpSelection {
  fileprivate func selects(_ pass: any GraphPass) -> Bool {
    switch self {
    case .none: false
    case .pass(let name): name == pass.name
    case .all: true
    }
  }
}

extension Diagnostic {
  fileprivate func inPass(_ pass: any GraphPass) -> Diagnostic {
    var copy = self
    copy.notes.append("found in pass \(pass.name)")
    return copy
  }
}
