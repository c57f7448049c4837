import Compiler
import GraphIR
import Runtime

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A traced and compiled computation, ready to run on numbers any number of times.
public final class CompiledFunction {
  /// The graph.
  public let graph: Graph
  /// Its buffers hold what each call writes anew.
  private var session: Session

  init(_ graph: Graph, _ backend: any Backend) throws(Diagnostic) {
    self.graph = graph
    session = try Session(try backend.prepare(graph))
  }

  /// The outputs by name for inputs by name.
  ///
  /// - Throws: each input that is missing, unknown, or of another type.
  public func callAsFunction(_ inputs: [String: Literal]) throws(Diagnostics) -> [String: Literal] {
    var problems: [Diagnostic] = []
    for input in graph.inputs {
      guard let literal = inputs[input.name] else {
        problems.append(
          Diagnostic(.argument, "the input '\(input.name)' (\(input.type)) is missing"))
        continue
      }
      if literal.type != input.type {
        problems.append(
          Diagnostic(
            .shapeMismatch,
            "the input '\(input.name)' is \(input.type), it was given \(literal.type)",
            notes: input.location == .unknown ? [] : ["the input is from \(input.location)"]))
      }
    }
    // Names are unique, so that as many as the graph's are the graph's.
    if !problems.isEmpty || inputs.count != graph.inputs.count {
      let names = Set(graph.inputs.map(\.name))
      for name in inputs.keys.sorted() where !names.contains(name) {
        problems.append(Diagnostic(.name, "there is no input '\(name)'"))
      }
      throw Diagnostics(problems)
    }
    return try Diagnostics.collecting { () throws(Diagnostic) in
      for (buffer, input) in zip(session.inputs, graph.inputs) {
        if let literal = inputs[input.name] { buffer.write(literal) }
      }
      try session.run()
      return Dictionary(
        zip(graph.outputs, session.outputs).map { ($0.name, $1.literal()) }
      ) { first, _ in first }
    }
  }
}

/// Traces a computation and compiles it.
///
/// ```swift
/// let square = try compile(["x": TensorType(.f32, [3])]) { ["y": $0["x"].squared()] }
/// print(try square(["x": Literal([3], [1, 2, 3] as [Float])])["y"]!.doubles())
/// ```
///
/// - Parameters:
///   - inputs: The inputs' names and types, in order.
///   - backend: Where the graph runs.
///   - body: Makes the named outputs from the inputs. Parameters of layers become further inputs.
/// - Throws: everything that went wrong in the body, each with the line of the call that did.
public func compile(
  _ inputs: KeyValuePairs<String, TensorType>, backend: any Backend = defaultBackend(),
  file: String = #fileID, line: Int = #line,
  body: (TracedInputs) -> KeyValuePairs<String, Tensor>
) throws(Diagnostics) -> CompiledFunction {
  let graph = try trace("compiled", inputs, file: file, line: line, body: body)
  return try Diagnostics.collecting { () throws(Diagnostic) in
    try CompiledFunction(graph, backend)
  }
}

/// Where graphs run unless told otherwise: native code on all cores of this machine.
public func defaultBackend() -> any Backend {
  JITBackend(threads: max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))))
}
