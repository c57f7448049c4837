import GraphIR

extension Program {
  /// Checks the invariants of a program and gives what breaks them.
  ///
  /// 1. every kernel is well formed, and no two have one name;
  /// 2. a launch has a buffer for each parameter, of its dtype and element count;
  /// 3. inputs' and outputs' buffers exist; constants and inputs that are not donated are never written;
  /// 4. memory is read only after it was written: inputs and constants always are;
  /// 5. the prologue writes only memory of its own; nothing else writes that;
  /// 6. what a kernel takes for constant is a constant, or comes from the prologue.
  ///
  /// That live buffers do not overlap is checked by the verifier of the memory plan.
  package func verify() -> [Diagnostic] {
    var problems = kernels.flatMap { $0.verify() }
    func report(_ message: String, at location: Location = .unknown) {
      problems.append(Diagnostic(.malformedGraph, "program @\(name): \(message)", at: location))
    }
    if Set(kernels.map(\.name)).count != kernels.count { report("two kernels have one name") }
    guard (inputs + outputs).allSatisfy({ buffers.indices.contains($0.index) }) else {
      report("an input or output has no buffer")
      return problems
    }
    var written = Set<BufferID>()
    for (place, buffer) in buffers.enumerated() {
      switch buffer.placement {
      case .input, .constant: written.insert(BufferID(place))
      case .output, .persistent, .packed, .arena: break
      }
    }
    let donated = Set(inputs).intersection(outputs)
    for (isPrologue, list) in [(true, prologue), (false, launches)] {
      for launch in list {
        for message in check(launch, &written, isPrologue: isPrologue, donated: donated) {
          report(message, at: launch.location)
        }
      }
    }
    for (place, output) in outputs.enumerated()
    where !written.contains(output) && buffers[output.index].type.shape.elementCount > 0 {
      report("output \(place) is not written")
    }
    return problems
  }

  /// What is wrong with one launch, given what was written before it.
  private func check(
    _ launch: Launch, _ written: inout Set<BufferID>, isPrologue: Bool, donated: Set<BufferID>
  ) -> [String] {
    guard kernels.indices.contains(launch.kernel) else { return ["a launch has no kernel"] }
    let kernel = kernels[launch.kernel]
    guard launch.arguments.count == kernel.parameters.count,
      launch.values.count == kernel.parameters.count,
      launch.arguments.allSatisfy({ buffers.indices.contains($0.index) })
    else { return ["a launch of @\(kernel.name) has not one buffer for each parameter"] }
    var problems: [String] = []
    for (parameter, id) in zip(kernel.parameters, launch.arguments) {
      let buffer = buffers[id.index]
      let what = "b\(id.index) as '\(parameter.name)' of @\(kernel.name)"
      if buffer.type.dtype != parameter.type.dtype
        || buffer.type.shape.elementCount != parameter.type.shape.elementCount
      {
        problems.append("\(what) is \(buffer.type), not \(parameter.type)")
      }
      if parameter.role != .output && !written.contains(id) {
        problems.append("\(what) is read before it is written")
      }
      guard parameter.role != .input else {
        if parameter.isConstant && !buffer.placement.isConstant {
          problems.append("\(what) is taken for constant and is in \(buffer.placement)")
        }
        continue
      }
      switch buffer.placement {
      case .constant: problems.append("\(what) is constant and written")
      case .input: if !donated.contains(id) { problems.append("\(what) is an input and written") }
      case .persistent, .packed:
        if !isPrologue { problems.append("\(what) is written after the prologue") }
      case .output, .arena: if isPrologue { problems.append("\(what) is written by the prologue") }
      }
    }
    for (parameter, id) in zip(kernel.parameters, launch.arguments) where parameter.role != .input {
      written.insert(id)
    }
    return problems
  }
}

extension ProgramBuffer.Placement {
  /// Whether it holds the same at every run.
  package var isConstant: Bool {
    switch self {
    case .constant, .persistent, .packed: true
    case .input, .output, .arena: false
    }
  }
}
