import GraphIR
import LoopIR

/// What fusion gives: kernels in an order in which they can run, and the nodes in memory.
struct FusedGraph: Sendable {
  /// The nodes.
  var graph: FusionGraph
  /// The node of each output; none is given, none is there twice.
  var outputs: [Int]
  /// The kernels in order.
  var kernels: [WrittenKernel]
}

/// Decides which nodes share a kernel, and writes the kernels.
func fuse(_ source: Graph, fault: PlantedFault?) throws(Diagnostic) -> FusedGraph {
  var (graph, outputs) = try Lowerer.lower(source)
  copyRepeatedOutputs(&outputs, in: &graph)
  let kept = KeptNodes(graph, outputs: outputs)
  let groups = FusionGroups(graph, kept)
  let readers = groups.readers()
  var kernels: [WrittenKernel] = []
  var names = UniqueNames()
  for group in groups.inOrder() {
    let main = KernelWriter.main(of: group, in: graph)
    if graph.nodes[main].type.shape.elementCount == 0 { continue }
    let stored = group.members.filter { groups.isInMemory($0, readers, outputs: kept.outputs) }
    let origin = graph.origins[main]
    let path = origin.location.path.isEmpty ? [] : [origin.location.path]
    let label = origin.label.isEmpty ? "compute" : origin.label
    var writer = KernelWriter(
      groups, group, stored: Set(stored),
      name: names.make((path + [label]).joined(separator: ".")))
    var written = writer.write()
    if let fault { written.kernel.plant(fault) }
    kernels.append(written)
  }
  return FusedGraph(graph: graph, outputs: outputs, kernels: kernels)
}

/// An output that is an input, a constant or another output becomes a copy of it.
private func copyRepeatedOutputs(_ outputs: inout [Int], in graph: inout FusionGraph) {
  var seen = Set<Int>()
  for place in outputs.indices {
    let node = graph.nodes[outputs[place]]
    if !node.isGiven && seen.insert(outputs[place]).inserted { continue }
    var origin = graph.origins[outputs[place]]
    origin.label = "copy"
    let copy = FusionNode(
      kind: .map, type: node.type, operands: [outputs[place]],
      term: .read(operand: 0, node.type.shape.counters),
      names: dimensionNames(rank: node.type.shape.rank), identity: graph.nodes.count + 1)
    outputs[place] = graph.append(copy, origin)
  }
}

/// Gives each name once.
struct UniqueNames {
  private var taken: Set<String> = []

  /// The name, or when it was given already the name with a number.
  mutating func make(_ name: String) -> String {
    var unique = name
    var count = 2
    while !taken.insert(unique).inserted {
      unique = "\(name).\(count)"
      count += 1
    }
    return unique
  }
}

extension FusionGroups {
  /// The groups, each after those that it reads; otherwise in the order of their last nodes.
  func inOrder() -> [FusionGroup] {
    var done = Set<Int>()
    var order: [FusionGroup] = []
    func visit(_ group: Int) {
      guard done.insert(group).inserted else { return }
      for source in sources(of: group).sorted() { visit(source) }
      order.append(groups[group])
    }
    let present = groups.indices.filter { !groups[$0].members.isEmpty }
    for group in present.sorted(by: {
      (groups[$0].members.last ?? 0) < (groups[$1].members.last ?? 0)
    }) {
      visit(group)
    }
    return order
  }
}
