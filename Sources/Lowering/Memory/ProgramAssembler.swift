import GraphIR
import LoopIR

/// Puts kernels, launches, buffers and the arena together.
struct ProgramAssembler {
  private let source: Graph
  private let fused: FusedGraph
  private let options: LoweringOptions
  private var program: Program
  private var buffers: [Int: BufferID] = [:]
  private var kernels: [Kernel: Int] = [:]
  private var names = UniqueNames()

  init(_ source: Graph, _ fused: FusedGraph, _ options: LoweringOptions) {
    self.source = source
    self.fused = fused
    self.options = options
    program = Program(name: source.name)
  }

  mutating func assemble() -> Program {
    let graph = fused.graph
    let launches = fused.kernels.map { written in
      PendingLaunch(
        kernel: written.kernel, arguments: written.nodes.map(memory),
        location: graph.origins[written.main].location)
    }
    let (once, always) = splitPrologue(launches)
    var donations: [(input: Int, output: Int)] = []
    for (place, input) in source.inputs.enumerated() where input.type.byteCount > 0 {
      if let output = input.donatedTo {
        donations.append((place, memory(fused.outputs[output])))
      }
    }
    let elsewhere = Set(fused.outputs.map(memory)).union(once.flatMap(\.writes))
    let plan = DonationPlan(always, donations: donations) { tensor in
      (graph.nodes[tensor].type, graph.origins[tensor])
    } arenaBytes: { tensor in
      let isOutside = graph.nodes[tensor].isGiven || elsewhere.contains(tensor)
      return isOutside ? 0 : ArenaPlan.roundUp(graph.nodes[tensor].type.byteCount)
    }
    addBuffers(plan, once)
    program.prologue = once.map { add($0) }
    program.launches = plan.launches.map { add(markingConstants(in: $0)) }
    placeArena()
    return program
  }

  /// The node whose memory a node's elements are in: a scatter updates the copy that was made for it.
  private func memory(_ node: Int) -> Int {
    var node = node
    while case .scatter = fused.graph.nodes[node].kind {
      node = fused.graph.nodes[node].operands[0]
    }
    return node
  }

  /// Launches that depend on no input and give no output run once.
  private func splitPrologue(
    _ launches: [PendingLaunch]
  ) -> (once: [PendingLaunch], always: [PendingLaunch]) {
    var constant = Set<Int>()
    for (place, node) in fused.graph.nodes.enumerated() {
      if case .constant = node.kind { constant.insert(place) }
    }
    let outputs = Set(fused.outputs.map(memory))
    var once: [PendingLaunch] = []
    var always: [PendingLaunch] = []
    // What a launch of every run updates is not constant, whatever it was made of.
    var updated = Set<Int>()
    for launch in launches {
      for (parameter, tensor) in zip(launch.kernel.parameters, launch.arguments)
      where parameter.role == .update { updated.insert(tensor) }
    }
    for launch in launches {
      let written = launch.writes
      if launch.reads.isSubset(of: constant), written.isDisjoint(with: outputs),
        written.isDisjoint(with: updated)
      {
        once.append(launch)
        constant.formUnion(written)
      } else {
        always.append(launch)
      }
    }
    return (once, always)
  }

  // MARK: Buffers

  private mutating func addBuffer(
    _ node: Int, _ placement: ProgramBuffer.Placement
  ) -> BufferID {
    let id = BufferID(program.buffers.count)
    program.buffers.append(
      ProgramBuffer(
        fused.graph.nodes[node].type, placement, value: fused.graph.origins[node].value))
    return id
  }

  private mutating func addBuffers(_ plan: DonationPlan, _ once: [PendingLaunch]) {
    let graph = fused.graph
    for (place, _) in source.inputs.enumerated() {
      buffers[place] = addBuffer(place, .input(place))
    }
    program.inputs = source.inputs.indices.map { buffers[$0] ?? BufferID($0) }
    var donor: [Int: Int] = [:]
    for (place, input) in source.inputs.enumerated() {
      if let output = input.donatedTo { donor[output] = place }
    }
    for (place, output) in fused.outputs.enumerated() {
      let tensor = memory(output)
      if let input = donor[place] {
        program.outputs.append(program.inputs[input])
        if plan.inputOf[tensor] == input { buffers[tensor] = program.inputs[input] }
      } else {
        let id = addBuffer(tensor, .output(place))
        buffers[tensor] = id
        program.outputs.append(id)
      }
    }
    for launch in once {
      for tensor in launch.writes.sorted() where buffers[tensor] == nil {
        buffers[tensor] = addBuffer(tensor, .persistent)
      }
    }
    for launch in once + plan.launches {
      for tensor in launch.arguments where buffers[tensor] == nil {
        if case .constant(let literal) = graph.nodes[tensor].kind {
          buffers[tensor] = addBuffer(tensor, .constant(literal))
        } else {
          buffers[tensor] = addBuffer(tensor, .arena(offset: 0))
        }
      }
    }
  }

  /// A launch of every run whose kernel knows which factors of its products are constant: it may copy these.
  private func markingConstants(in launch: PendingLaunch) -> PendingLaunch {
    var launch = launch
    for place in launch.kernel.factors {
      let tensor = launch.arguments[place]
      launch.kernel.parameters[place].isConstant =
        buffers[tensor].map { program.buffers[$0.index].placement.isConstant } ?? false
    }
    return launch
  }

  /// Adds a launch; equal kernels are one.
  private mutating func add(_ pending: PendingLaunch) -> Launch {
    let signature = pending.kernel.withoutNames
    var place = kernels[signature]
    if place == nil {
      place = program.kernels.count
      kernels[signature] = program.kernels.count
      var kernel = pending.kernel
      kernel.name = names.make(kernel.name)
      program.kernels.append(kernel)
    }
    let values = zip(pending.kernel.parameters, pending.arguments).enumerated().map {
      number, pair -> Value? in
      let stage = pending.kernel.stages.last { $0.target == .parameter(number) }
      return stage.map { $0.materializes } ?? fused.graph.origins[pair.1].value
    }
    return Launch(
      kernel: place ?? 0, arguments: pending.arguments.map { buffers[$0] ?? BufferID(0) },
      values: values, location: pending.location)
  }

  // MARK: Arena

  private mutating func placeArena() {
    let lives = program.lives(endingEarly: options.fault == .memoryEarlyFree)
    let arena = program.buffers.indices.map { BufferID($0) }.filter {
      if case .arena = program.buffers[$0.index].placement { true } else { false }
    }
    let owner = options.forbidsReuse ? [:] : placesTakenOver(lives)
    func root(_ id: BufferID) -> BufferID {
      var id = id
      while let next = owner[id] { id = next }
      return id
    }
    var requests: [ArenaRequest] = []
    var request: [BufferID: Int] = [:]
    for id in arena {
      guard var life = lives[id] else { continue }
      if options.forbidsReuse { life = 0...program.launches.count }
      let place = request[root(id)] ?? requests.count
      request[root(id)] = place
      if place == requests.count {
        requests.append(
          ArenaRequest(bytes: program.buffers[id.index].type.byteCount, lifetime: life))
      } else {
        let other = requests[place].lifetime
        requests[place].lifetime =
          min(life.lowerBound, other.lowerBound)...max(life.upperBound, other.upperBound)
      }
    }
    var plan: ArenaPlan
    if options.fault == .memoryOverlap {
      plan = ArenaPlan.pack(
        requests.map { ArenaRequest(bytes: $0.bytes / 2, lifetime: $0.lifetime) })
      plan.bytes = zip(requests, plan.offsets).map { $0.bytes + $1 }.max() ?? 0
    } else {
      plan = ArenaPlan.pack(requests)
    }
    for id in arena {
      guard let place = request[root(id)] else { continue }
      program.buffers[id.index].placement = .arena(offset: plan.offsets[place])
    }
    program.arenaBytes = plan.bytes
    program.lowerBoundBytes = plan.lowerBound
  }

  /// For each arena buffer that can take over another's place, when that ends, the other.
  private func placesTakenOver(_ lives: [BufferID: ClosedRange<Int>]) -> [BufferID: BufferID] {
    var owner: [BufferID: BufferID] = [:]
    var taken = Set<BufferID>()
    func isArena(_ id: BufferID) -> Bool {
      if case .arena = program.buffers[id.index].placement { true } else { false }
    }
    for (place, launch) in program.launches.enumerated() {
      let kernel = program.kernels[launch.kernel]
      for (output, target) in launch.arguments.enumerated()
      where kernel.parameters[output].role == .output && isArena(target)
        && lives[target]?.lowerBound == place
      {
        for source in launch.arguments.prefix(output)
        where isArena(source) && lives[source]?.upperBound == place && !taken.contains(source)
          && lives[source]?.lowerBound != place
        {
          let views = launch.arguments.indices.filter { launch.arguments[$0] == source }
          guard views.allSatisfy({ kernel.canShareMemory(input: $0, output: output) }) else {
            continue
          }
          owner[target] = source
          taken.insert(source)
          break
        }
      }
    }
    return owner
  }
}

extension Program {
  /// The first and the last launch that touches each buffer.
  ///
  /// - Parameter endingEarly: whether to plant a fault: only the first two launches count.
  package func lives(endingEarly: Bool = false) -> [BufferID: ClosedRange<Int>] {
    var lives: [BufferID: ClosedRange<Int>] = [:]
    for (place, launch) in launches.enumerated() {
      for id in launch.arguments {
        if endingEarly, let life = lives[id], life.count > 1 { continue }
        lives[id] = (lives[id]?.lowerBound ?? place)...place
      }
    }
    return lives
  }
}

extension Kernel {
  /// The parameters that sums of products read.
  fileprivate var factors: Set<Int> {
    var factors = Set<Int>()
    for stage in stages {
      guard case .fold(.sum, _) = stage.kind,
        stage.body.instructions.last?.operation == .binary(.multiply)
      else { continue }
      for instruction in stage.body.instructions {
        if case .load(.parameter(let place), _, _) = instruction.operation,
          parameters[place].role == .input
        {
          factors.insert(place)
        }
      }
    }
    return factors
  }

  /// The kernel without what does not change what it computes.
  var withoutNames: Kernel {
    var plain = self
    plain.name = ""
    for place in parameters.indices { plain.parameters[place].name = "" }
    for place in locals.indices { plain.locals[place].name = "" }
    for place in dimensions.indices { plain.dimensions[place].name = "" }
    for place in stages.indices {
      plain.stages[place].materializes = nil
      plain.stages[place].location = .unknown
    }
    return plain
  }
}
