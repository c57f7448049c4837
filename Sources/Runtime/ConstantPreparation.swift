import GraphIR
import LoopIR

/// The memory of an executable's constants, and of what its prologue makes of them.
struct OwnMemory: Sendable {
  /// By the place in `plan.buffers`; nil for what is not the executable's, or not needed by its runs.
  var buffers: [Buffer?]
  /// Holds what other executables may share.
  var shared: [ConstantMemory] = []
}

/// Fills the memory of a program's constants: takes what other executables have, and runs the rest of the prologue.
struct ConstantPreparation {
  private let plan: ExecutionPlan
  private let keys: [String?]
  private let store: ConstantStore
  /// Runs a launch on the memory there is so far.
  private let run: (Launch, [Buffer?]) throws(Diagnostic) -> Void
  private var buffers: [Buffer?]
  /// Where shared tensors come from.
  private var sources: [(source: ConstantSource, slot: Int)?]
  private var memories: [ConstantMemory?]

  /// Prepares a program.
  ///
  /// - Parameter keys: for each kernel what tells its code from others'; nil where nothing does.
  init(
    _ plan: ExecutionPlan, keys: [String?], store: ConstantStore,
    run: @escaping (Launch, [Buffer?]) throws(Diagnostic) -> Void
  ) {
    self.plan = plan
    self.keys = keys
    self.store = store
    self.run = run
    buffers = plan.buffers.map { _ in nil }
    memories = plan.buffers.map { _ in nil }
    sources = plan.buffers.map { buffer in
      guard case .constant(let literal) = buffer.placement else { return nil }
      return (store.constant(literal), 0)
    }
  }

  /// The memory that runs need.
  mutating func memory() throws(Diagnostic) -> OwnMemory {
    let isShared = sharedResults()
    for launch in plan.prologue {
      let results = plan.results(of: launch)
      if results.allSatisfy({ isShared.contains($0) }), let key = keys[launch.kernel] {
        let operands = launch.arguments.map { results.contains($0) ? nil : sources[$0.index] }
        try share(launch, results, store.result(of: key, operands))
      } else {
        for id in results where buffers[id.index] == nil {
          buffers[id.index] = Buffer(plan.buffers[id.index].type)
        }
        try runLaunch(launch)
      }
    }
    let kept = plan.keptBuffers
    for id in kept { try load(id) }
    var own = OwnMemory(buffers: plan.buffers.map { _ in nil })
    for id in kept {
      own.buffers[id.index] = buffers[id.index]
      if let memory = memories[id.index] { own.shared.append(memory) }
    }
    return own
  }

  /// The results of launches that follow from constants by code alone: written by one launch, of which the same is true
  /// of all that it reads.
  private func sharedResults() -> Set<BufferID> {
    var writers: [BufferID: Int] = [:]
    for id in plan.prologue.flatMap(plan.results) { writers[id, default: 0] += 1 }
    var shared = Set<BufferID>()
    for launch in plan.prologue where keys[launch.kernel] != nil {
      let results = plan.results(of: launch)
      let isOwn = { (id: BufferID) in
        results.contains(id) ? writers[id] == 1 : sources[id.index] != nil || shared.contains(id)
      }
      if launch.arguments.allSatisfy(isOwn) { shared.formUnion(results) }
    }
    return shared
  }

  private mutating func share(
    _ launch: Launch, _ results: [BufferID], _ source: ConstantSource
  ) throws(Diagnostic) {
    var own = self
    let memory = try source.memory { () throws(Diagnostic) in
      for id in results { own.buffers[id.index] = Buffer(plan.buffers[id.index].type) }
      try own.runLaunch(launch)
      return ConstantMemory(results.compactMap { own.buffers[$0.index] }, of: source)
    }
    self = own
    for (slot, id) in results.enumerated() {
      buffers[id.index] = memory.buffers[slot]
      memories[id.index] = memory
      sources[id.index] = (source, slot)
    }
  }

  private mutating func runLaunch(_ launch: Launch) throws(Diagnostic) {
    for id in launch.arguments { try load(id) }
    try run(launch, buffers)
  }

  /// Puts a constant into memory, unless it is there.
  private mutating func load(_ id: BufferID) throws(Diagnostic) {
    guard buffers[id.index] == nil, let source = sources[id.index]?.source,
      let literal = source.literal
    else { return }
    let memory = try source.memory { ConstantMemory([Buffer(literal)], of: source) }
    buffers[id.index] = memory.buffers[0]
    memories[id.index] = memory
  }
}
