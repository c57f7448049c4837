import GraphIR
import Runtime

/// What lives from step to step: parameters, untrained state, the optimizer's state and the random state, by name.
///
/// Every program of a trainer is bound to these buffers; a training step overwrites them in place.
struct ModelState {
  /// What a tensor is for.
  enum Role: Hashable {
    case parameter
    case untrained
    case optimizer
    case random
  }

  struct Entry {
    let name: String
    let role: Role
    let buffer: Buffer
  }

  private(set) var entries: [Entry] = []
  private var indices: [String: Int] = [:]
  let seed: UInt64

  init(seed: UInt64) { self.seed = seed }

  /// The buffer of a name.
  subscript(name: String) -> Buffer? { indices[name].map { entries[$0].buffer } }

  /// Adds what a graph needs and what is not there yet, with its first value.
  ///
  /// - Throws: when a tensor has another type in this graph than before, as when a shape depends on the batch.
  mutating func add(_ step: StepGraph) throws(Diagnostics) {
    var diagnostics: [Diagnostic] = []
    for variable in step.variables {
      if let known = self[variable.name], known.type != variable.type {
        diagnostics.append(
          Diagnostic(
            .shapeMismatch,
            "'\(variable.name)' is \(known.type), and this graph needs \(variable.type)",
            at: variable.location, hint: "a parameter's shape must not depend on the batch"))
      }
    }
    guard diagnostics.isEmpty else { throw Diagnostics(diagnostics) }
    for (name, role, first) in firstValues(step) where indices[name] == nil {
      indices[name] = entries.count
      entries.append(Entry(name: name, role: role, buffer: first()))
    }
  }

  /// The memory that is taken.
  var bytes: Int { entries.reduce(0) { $0 + Buffer.allocatedBytes($1.buffer.type) } }

  /// The first values of a graph's variables and state, each in a new buffer.
  func firstValues(_ step: StepGraph) -> [(name: String, role: Role, first: () -> Buffer)] {
    let seed = seed
    var values = step.variables.map { variable in
      (
        variable.name, variable.isTrained ? Role.parameter : .untrained,
        { Buffer(variable.initializer.literal(variable.type, path: variable.name, seed: seed)) }
      )
    }
    values += step.optimizerState.map { kept in
      let first = kept.begins.flatMap { parameter in values.first { $0.0 == parameter.name } }
      return (kept.name, .optimizer, first?.2 ?? { Buffer(kept.type) })
    }
    if step.graph.inputs.contains(where: { $0.name == TraceContext.randomStateName }) {
      values.append((TraceContext.randomStateName, .random, { Buffer(Literal([2], [seed, 0])) }))
    }
    return values.map { (name: $0.0, role: $0.1, first: $0.2) }
  }
}
