import GraphIR

extension Program: CustomStringConvertible {
  /// The buffers and where they lie, the launches in order, then the kernels; there is no parser for it.
  public var description: String {
    var lines = [
      "program @\(name): arena \(arenaBytes) bytes, lower bound \(lowerBoundBytes) bytes {"
    ]
    for (place, buffer) in buffers.enumerated() {
      let value = buffer.value.map { "   holds %\($0.index)" } ?? ""
      lines.append("  b\(place): \(buffer.type) in \(buffer.placement)\(value)")
    }
    if !prologue.isEmpty {
      lines.append("  once")
      lines += prologue.map { "    \(text(of: $0))" }
    }
    lines.append("  run")
    lines += launches.map { "    \(text(of: $0))" }
    lines.append("}")
    return (lines + kernels.map { "\n\($0)" }).joined(separator: "\n")
  }

  private func text(of launch: Launch) -> String {
    let kernel = kernels[launch.kernel]
    let arguments = zip(kernel.parameters, launch.arguments).map { parameter, buffer in
      let sign =
        switch parameter.role {
        case .input: ""
        case .output: "out "
        case .update: "inout "
        }
      return "\(sign)b\(buffer.index)"
    }
    let location = launch.location == .unknown ? "" : "   // \(launch.location)"
    let call = "@\(kernel.name)(\(arguments.joined(separator: ", ")))"
    return "\(call)   \(arenaBytes(of: launch)) bytes in the arena\(location)"
  }

  /// The bytes that a launch reads and writes in the arena: nothing where it works on inputs and outputs alone.
  private func arenaBytes(of launch: Launch) -> Int {
    Set(launch.arguments).reduce(0) { sum, buffer in
      guard case .arena = buffers[buffer.index].placement else { return sum }
      return sum + buffers[buffer.index].type.byteCount
    }
  }
}

extension ProgramBuffer.Placement: CustomStringConvertible {
  /// `input 3`, `arena at 4096`.
  public var description: String {
    switch self {
    case .input(let place): "input \(place)"
    case .output(let place): "output \(place)"
    case .constant: "constant data"
    case .persistent: "memory kept from the prologue"
    case .packed: "packed copy kept from the prologue"
    case .arena(let offset): "arena at \(offset)"
    }
  }
}
