import GraphIR
import LoopIR

/// A kernel and what its parameters are in the fusion graph.
struct WrittenKernel: Sendable {
  /// The kernel.
  var kernel: Kernel
  /// For each parameter the kept or given node in whose memory it is.
  var nodes: [Int]
  /// The node that gives the kernel its name and place.
  var main: Int
}

/// Makes the kernel of a group: a stage for each member, then stages that store what is needed in locals and in
/// memory.
struct KernelWriter {
  private let graph: FusionGraph
  private let isKept: [Bool]
  private let formulas: [BodyWriter.Formula]
  private let group: FusionGroup
  private let members: Set<Int>
  /// The members that go to memory.
  private let stored: Set<Int>
  private var kernel: Kernel
  private var parameterNodes: [Int] = []
  private var outputs: [KernelParameter] = []
  private var outputNodes: [Int] = []
  private var locals: [Int: Int] = [:]
  private var stageDimensions: [String: DimensionID] = [:]
  private var parameters: [Int: Int] = [:]

  /// Prepares the kernel of one of the groups.
  init(_ groups: FusionGroups, _ group: FusionGroup, stored: Set<Int>, name: String) {
    graph = groups.graph
    isKept = groups.isKept
    formulas = groups.formulas
    self.group = group
    self.stored = stored
    members = Set(group.members)
    kernel = Kernel(name: name)
  }

  /// The member that says most of what a group does: its contraction, else its last fold, else its last node.
  static func main(of group: FusionGroup, in graph: FusionGraph) -> Int {
    let final = group.members[group.members.count - 1]
    func last(where isWanted: (FusionNode.Kind) -> Bool) -> Int? {
      group.members.last { isWanted(graph.nodes[$0].kind) }
    }
    return last(where: { $0 == .contraction })
      ?? last(where: { kind in
        switch kind {
        case .fold, .argFold, .scatter: true
        case .map, .contraction, .input, .constant: false
        }
      }) ?? final
  }

  mutating func write() -> WrittenKernel {
    let main = KernelWriter.main(of: group, in: graph)
    addOuterDimensions(main)
    let readInside = Set(
      group.members.flatMap { formulas[$0].body.sources }.map {
        graph.memory(of: $0, isKept: isKept)
      })
    var copies: [KernelStage] = []
    for member in group.members {
      write(member, formulas[member], isReadInside: readInside.contains(member), copies: &copies)
    }
    kernel.stages += copies
    finishParameters()
    return WrittenKernel(kernel: kernel, nodes: parameterNodes + outputNodes, main: main)
  }

  // MARK: Dimensions

  private mutating func addOuterDimensions(_ main: Int) {
    let alignment = group.alignment[main] ?? []
    for (place, extent) in group.outer.enumerated() {
      let dimension = alignment.firstIndex(of: place)
      let name = dimension.map { graph.nodes[main].names[$0] } ?? "o\(place)"
      kernel.outer.append(addDimension(name, extent))
    }
  }

  private mutating func addDimension(_ name: String, _ extent: Int) -> DimensionID {
    let taken = Set(kernel.dimensions.map(\.name))
    var unique = name
    var count = 2
    while taken.contains(unique) {
      unique = "\(name)\(count)"
      count += 1
    }
    kernel.dimensions.append(KernelDimension(name: unique, extent: extent))
    return DimensionID(kernel.dimensions.count - 1)
  }

  /// A stage's dimension; stages share those of one name and extent.
  private mutating func stageDimension(
    _ name: String, _ extent: Int, taken: inout Set<DimensionID>
  ) -> DimensionID {
    var count = 0
    while true {
      let key = "\(name) \(extent) \(count)"
      let id = stageDimensions[key] ?? addDimension(name, extent)
      stageDimensions[key] = id
      if taken.insert(id).inserted { return id }
      count += 1
    }
  }

  // MARK: Stages

  private mutating func write(
    _ member: Int, _ formula: BodyWriter.Formula, isReadInside: Bool,
    copies: inout [KernelStage]
  ) {
    let node = graph.nodes[member]
    let rank = node.type.shape.rank
    var taken = Set<DimensionID>()
    var places: [IndexExpression] = []
    var own: [DimensionID] = []
    var folded: [DimensionID] = []
    for (dimension, extent) in node.extents.enumerated() {
      var id: DimensionID?
      if dimension < rank, let outer = group.alignment[member]?[dimension] {
        id = kernel.outer[outer]
      } else if extent > 1 {
        let name = node.names.indices.contains(dimension) ? node.names[dimension] : "d\(dimension)"
        let new = stageDimension(name, extent, taken: &taken)
        if dimension < rank { own.append(new) } else { folded.append(new) }
        id = new
      }
      places.append(id.map { .dimension($0) } ?? 0)
    }
    let body = place(formula.body, places)
    let origin = graph.origins[member]
    var stage = KernelStage(
      target: .local(0), index: [], dimensions: own, kind: .map, body: body,
      location: origin.location)
    switch node.kind {
    case .map, .input, .constant: break
    case .fold(let function): if !folded.isEmpty { stage.kind = .fold(function, over: folded) }
    case .contraction: stage.kind = .fold(.sum, over: folded)
    case .argFold(let function): stage.kind = .argFold(function, over: folded[0])
    case .scatter(let function, _):
      let target = formula.target.map { $0.substituting(places, in: kernel.bounds) }
      return writeScatter(member, function, target, folded, stage)
    }
    let element = Array(places[..<rank])
    let result = body.instructions[body.instructions.count - 1].dtype
    if result != node.type.dtype, node.kind == .contraction {
      stage = narrowed(stage, member, from: result)
    }
    if stored.contains(member) && !isReadInside {
      stage.target = addOutput(member, role: .output)
      stage.index = element
      stage.materializes = origin.value
      kernel.stages.append(stage)
      return
    }
    let local = addLocal(member, node.type.dtype, own)
    stage.target = local
    stage.index = own.map { .dimension($0) }
    kernel.stages.append(stage)
    guard stored.contains(member) else { return }
    var copy = stage
    copy.kind = .map
    copy.body = ScalarBody([
      ScalarInstruction(.load(local, stage.index, guards: []), [], node.type.dtype)
    ])
    copy.target = addOutput(member, role: .output)
    copy.index = element
    copy.materializes = origin.value
    copies.append(copy)
  }

  /// Puts a sum in a local of its own wider dtype first; the stage that is given rounds it.
  private mutating func narrowed(
    _ stage: KernelStage, _ member: Int, from wide: DType
  ) -> KernelStage {
    kernel.locals.append(KernelLocal(name: "wide", type: TensorType(wide, [])))
    var sum = stage
    sum.target = .local(kernel.locals.count - 1)
    kernel.stages.append(sum)
    var rounding = stage
    rounding.kind = .map
    rounding.body = ScalarBody([
      ScalarInstruction(.load(sum.target, [], guards: []), [], wide),
      ScalarInstruction(.convert, [0], graph.nodes[member].type.dtype),
    ])
    return rounding
  }

  private mutating func writeScatter(
    _ member: Int, _ function: ScatterFunction, _ target: [IndexExpression],
    _ dimensions: [DimensionID], _ stage: KernelStage
  ) {
    var stage = stage
    stage.dimensions = dimensions
    stage.kind = .scatter(function)
    stage.target = addOutput(member, role: .update)
    stage.index = target
    stage.materializes = graph.origins[member].value
    kernel.stages.append(stage)
  }

  // MARK: Tensors

  private func name(of node: Int) -> String {
    if case .input(let place) = graph.nodes[node].kind {
      let label = graph.origins[node].label
      return label.isEmpty ? "input\(place)" : label
    }
    return graph.origins[node].value.map { "v\($0.index)" } ?? "t\(node)"
  }

  /// A local is named after its operation: `acc` for a contraction, `max`, `exp`.
  private func localName(of member: Int) -> String {
    let label = graph.origins[member].label
    var name = label
    if graph.nodes[member].kind == .contraction {
      name = "acc"
    } else if label.hasPrefix("reduce_") {
      name = String(label.dropFirst("reduce_".count))
    }
    var unique = name
    var count = 2
    while kernel.locals.contains(where: { $0.name == unique }) {
      unique = "\(name)\(count)"
      count += 1
    }
    return unique
  }

  private mutating func addLocal(
    _ member: Int, _ dtype: DType, _ dimensions: [DimensionID]
  ) -> TensorReference {
    let shape = Shape(dimensions.map { kernel.dimensions[$0.index].extent })
    kernel.locals.append(
      KernelLocal(name: localName(of: member), type: TensorType(dtype, shape)))
    locals[member] = kernel.locals.count - 1
    return .local(kernel.locals.count - 1)
  }

  /// Outputs come after all inputs; until these are known, an output's place is counted from -1 down.
  private mutating func addOutput(_ member: Int, role: KernelParameter.Role) -> TensorReference {
    outputs.append(
      KernelParameter(name: name(of: member), type: graph.nodes[member].type, role: role))
    outputNodes.append(member)
    return .parameter(-outputs.count)
  }

  private mutating func finishParameters() {
    for place in kernel.stages.indices {
      if case .parameter(let number) = kernel.stages[place].target {
        kernel.stages[place].target = .parameter(kernel.parameters.count - 1 - number)
      }
    }
    kernel.parameters += outputs
    var taken = Set<String>()
    for place in kernel.parameters.indices {
      let name = kernel.parameters[place].name
      var unique = name
      var count = 2
      while !taken.insert(unique).inserted {
        unique = "\(name)_\(count)"
        count += 1
      }
      kernel.parameters[place].name = unique
    }
  }

  /// A body over a node's own dimensions, put at the kernel's; loads become those of parameters and locals.
  private mutating func place(_ body: ScalarBody, _ places: [IndexExpression]) -> ScalarBody {
    var bounds = kernel.bounds
    var placed = ScalarBody()
    func move(_ index: IndexExpression) -> IndexExpression {
      index.substituting(places, in: bounds)
    }
    for instruction in body.instructions {
      var copy = instruction
      switch instruction.operation {
      case .constant, .unary, .binary, .compare, .select, .clamp, .convert: break
      case .index(let index): copy.operation = .index(move(index))
      case .random(let stream, let index):
        copy.operation = .random(stream: stream, index: move(index))
      case .load(let source, let index, let guards):
        guard case .parameter(let node) = source else { break }
        let index = index.map(move)
        let guards = guards.map { IndexGuard(move($0.expression), below: $0.extent) }
        if let local = locals[node] {
          let alignment = group.alignment[node] ?? []
          let extents = graph.nodes[node].type.shape.extents
          let inner = index.indices.filter { alignment[$0] == nil && extents[$0] > 1 }
          copy.operation = .load(.local(local), inner.map { index[$0] }, guards: guards)
        } else {
          copy.operation = .load(input(node), index, guards: guards)
        }
      }
      placed.instructions.append(copy)
      // Clamped instructions bound the indices after them.
      if case .clamp = copy.operation {
        bounds.instructions = placed.integerRanges(extents: bounds.extents)
      }
    }
    return placed
  }

  private mutating func input(_ node: Int) -> TensorReference {
    if let place = parameters[node] { return .parameter(place) }
    let memory = graph.memory(of: node, isKept: isKept)
    kernel.parameters.append(
      KernelParameter(name: name(of: memory), type: graph.nodes[node].type, role: .input))
    parameterNodes.append(memory)
    parameters[node] = kernel.parameters.count - 1
    return .parameter(kernel.parameters.count - 1)
  }
}

extension ScalarBody {
  /// The parameters loaded from.
  fileprivate var sources: [Int] {
    instructions.compactMap { instruction in
      if case .load(.parameter(let place), _, _) = instruction.operation { place } else { nil }
    }
  }
}
