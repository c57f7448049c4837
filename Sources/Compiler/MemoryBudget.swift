import GraphIR

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Refuses what this machine has no memory for, before it is allocated.
package enum MemoryBudget {
  /// The memory of this machine, in bytes; infinite where the system does not say.
  package static var machineBytes: Double {
    let (pages, size) = (sysconf(Int32(_SC_PHYS_PAGES)), sysconf(Int32(_SC_PAGESIZE)))
    return pages > 0 && size > 0 ? Double(pages) * Double(size) : .infinity
  }

  /// The memory that this process may have, in bytes: this machine's, or what its container may use.
  package static func bytes(groups: ControlGroups = ControlGroups()) -> Double {
    min(machineBytes, groups.memoryLimit)
  }

  /// Checks that a number of bytes fits in this machine's memory, and in what its container may use of it.
  ///
  /// - Throws: a diagnostic that names both sizes.
  package static func require(
    _ bytes: Double, for what: String, groups: ControlGroups = ControlGroups()
  ) throws(Diagnostic) {
    let (machine, container) = (machineBytes, groups.memoryLimit)
    guard bytes > min(machine, container) else { return }
    let available =
      container < machine
      ? "this container may use \(gigabytes(container))"
      : "this machine has \(gigabytes(machine))"
    throw Diagnostic(
      .sizeOverflow, "\(what) needs \(gigabytes(bytes)) of memory at once, and \(available)",
      hint: "fewer examples in a batch, or smaller tensors, need less")
  }

  /// Checks that the bytes of all values, and the steps that compute them, can be added up, so that plans, costs and
  /// statistics cannot overflow.
  ///
  /// - Throws: a diagnostic when they cannot.
  package static func requireCountable(_ graph: Graph) throws(Diagnostic) {
    guard graph.totalBytes < 0x1p60 else {
      throw Diagnostic(
        .sizeOverflow, "the tensors of '\(graph.name)' have more than 2^60 bytes together")
    }
    var steps = 0.0
    for node in graph.nodes {
      steps += graph.steps(of: node)
      guard steps < 0x1p60 else {
        throw Diagnostic(
          .sizeOverflow, "computing '\(graph.name)' takes more than 2^60 steps", at: node.location,
          hint: "smaller tensors or windows take fewer")
      }
    }
  }

  /// `1.5 GB`.
  static func gigabytes(_ bytes: Double) -> String {
    "\((bytes / 1e8).rounded() / 10) GB"
  }
}

extension Graph {
  /// The bytes of the inputs and outputs.
  package var interfaceBytes: Double {
    let types = inputs.map(\.type) + outputs.map { type(of: $0.value) }
    return types.reduce(0) { $0 + Double($1.byteCount) }
  }

  /// The bytes of all inputs, outputs and results, those of bodies included.
  fileprivate var totalBytes: Double {
    nodes.reduce(interfaceBytes) { sum, node in
      node.types.reduce(sum) { $0 + Double($1.byteCount) }
        + node.bodies.reduce(0) { $0 + $1.totalBytes }
    }
  }

  /// The most bytes that the interpreter holds at once: each value, in f64 or i64, from its node to its last use.
  package var interpreterBytes: Double { interpreterBytes(countingInputs: true) }

  private func interpreterBytes(countingInputs: Bool) -> Double {
    func bytes(_ value: Value) -> Double {
      if !countingInputs, inputIndex(of: value) != nil { return 0 }
      return 8 * Double(type(of: value).shape.elementCount)
    }
    var uses = useCounts()
    var live = inputs.indices.reduce(0) { $0 + bytes(Value($1)) }
    var peak = live
    for node in nodes {
      let results = node.results.reduce(0) { $0 + bytes($1) }
      for body in node.bodies {
        // A body reads the operands where they are, and its results are rounded into others.
        let inside = body.interpreterBytes(countingInputs: false)
        peak = max(peak, live + inside, live + 2 * results)
      }
      live += results
      // What moves data lists where each element comes from, dimension by dimension.
      peak = max(peak, node.movesData ? live + 2 * results : live)
      for operand in node.operands {
        uses[Int(operand.index)] -= 1
        if uses[Int(operand.index)] == 0 { live -= bytes(operand) }
      }
      for result in node.results where uses[Int(result.index)] == 0 { live -= bytes(result) }
    }
    return peak
  }
}

extension Node {
  /// Whether the interpreter finds a place for each element of the result.
  fileprivate var movesData: Bool {
    switch operation {
    case .iota, .broadcast, .transpose, .slice, .pad, .concatenate, .reverse, .gather: true
    case .unary, .binary, .compare, .select, .clamp, .convert, .constant, .reshape, .dot,
      .convolution, .reduce, .argReduce, .reduceWindow, .reduceWindowGradient, .scatter, .random,
      .composite:
      false
    }
  }
}
