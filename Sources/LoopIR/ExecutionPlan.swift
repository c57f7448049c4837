import GraphIR

/// What runs of a program: its launches in order and where their tensors lie, without what the kernels compute.
package struct ExecutionPlan: Hashable, Sendable {
  /// What is known of a kernel beside its code.
  package struct PlannedKernel: Hashable, Sendable {
    /// The name, unique in the program.
    package var name: String
    /// The floating-point operations of its contractions.
    package var flops: Int
    /// The bytes of the tensors that it reads and writes, each once.
    package var bytes: Int
    /// The places of the parameters that it writes.
    package var results: [Int]

    /// Describes a kernel.
    package init(name: String, flops: Int, bytes: Int, results: [Int]) {
      self.name = name
      self.flops = flops
      self.bytes = bytes
      self.results = results
    }
  }

  /// The tensors in memory.
  package var buffers: [ProgramBuffer]
  /// The kernels, each once however often it is launched.
  package var kernels: [PlannedKernel]
  /// What runs once before the first run.
  package var prologue: [Launch]
  /// What runs, in order.
  package var launches: [Launch]
  /// The buffer of each of the graph's inputs.
  package var inputs: [BufferID]
  /// The buffer of each of the graph's outputs; a donated input's output has the input's buffer.
  package var outputs: [BufferID]
  /// The size of the arena, in bytes.
  package var arenaBytes: Int
  /// The largest sum of the bytes of arena buffers live at one launch: no plan needs less.
  package var lowerBoundBytes: Int

  /// Puts a plan together.
  package init(
    buffers: [ProgramBuffer], kernels: [PlannedKernel], prologue: [Launch], launches: [Launch],
    inputs: [BufferID], outputs: [BufferID], arenaBytes: Int, lowerBoundBytes: Int
  ) {
    self.buffers = buffers
    self.kernels = kernels
    self.prologue = prologue
    self.launches = launches
    self.inputs = inputs
    self.outputs = outputs
    self.arenaBytes = arenaBytes
    self.lowerBoundBytes = lowerBoundBytes
  }

  /// The plan of a program.
  package init(_ program: Program) {
    self.init(
      buffers: program.buffers,
      kernels: program.kernels.map { kernel in
        PlannedKernel(
          name: kernel.name, flops: kernel.contractionFlops,
          bytes: kernel.parameterBytes,
          results: kernel.parameters.indices.filter { kernel.parameters[$0].role != .input })
      },
      prologue: program.prologue, launches: program.launches, inputs: program.inputs,
      outputs: program.outputs, arenaBytes: program.arenaBytes,
      lowerBoundBytes: program.lowerBoundBytes)
  }
}

extension ExecutionPlan {
  /// The buffers that a launch writes.
  package func results(of launch: Launch) -> [BufferID] {
    kernels[launch.kernel].results.map { launch.arguments[$0] }
  }

  /// The buffers of the executable that runs read; the others are needed by the prologue alone.
  package var keptBuffers: [BufferID] {
    let used = Set(launches.flatMap(\.arguments))
    return used.filter { buffers[$0.index].placement.isConstant }.sorted()
  }
}

extension Kernel {
  /// The floating-point operations of folds of products: two for each multiply-add.
  package var contractionFlops: Int {
    let points = outer.reduce(1) { $0 * dimensions[$1.index].extent }
    return stages.reduce(0) { total, stage in
      guard case .fold(.sum, let over) = stage.kind,
        case .binary(.multiply)? = stage.body.instructions.last?.operation
      else { return total }
      let inner = (stage.dimensions + over).reduce(1) { $0 * dimensions[$1.index].extent }
      return total + 2 * points * inner
    }
  }
}
