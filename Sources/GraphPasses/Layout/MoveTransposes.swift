import GraphIR

/// Moves transposes to where they move the fewest bytes: images that are written channels first are computed channels last,
/// and are transposed only where they come in and go out.
///
/// Operations that work along any dimensions compute in any layout, so that a transpose on one side of them could as well
/// stand on the other, and two may meet and cancel. For each transpose two choices are weighed, to compute what is before it
/// or what is after it in the layout of the other side, together with all that this reaches, as far as that saves bytes (see
/// `LayoutCut`). Each step moves fewer bytes than before, so there is an end.
///
/// Results are the same bits, but for sums over several dimensions, whose order of adding is not defined.
public struct MoveTransposes: GraphPass {
  /// The name in pipelines.
  public let name = "layout"
  /// What the pass does.
  public let summary = "move transposes to the edges of the graph, where they are few"
  /// The families of layouts that are weighed in vain at most, before those that were taken are looked at again.
  private static let mostInVain = 100

  /// Makes the pass.
  public init() {}

  /// Rewrites the graph.
  public func run(_ graph: inout Graph, _ context: PassContext) throws(Diagnostic) -> Bool {
    let hasTranspose = graph.nodes.contains { node in
      if case .transpose = node.operation { true } else { false }
    }
    guard hasTranspose else { return false }
    var choice = LayoutChoice(graph)
    var isImproved = false
    while Self.improve(&choice) { isImproved = true }
    guard isImproved else { return false }
    let rewritten = try Self.rewritten(graph, choice)
    // Moving a constant costs nothing, and where only that is moved, it may be as it was.
    guard rewritten != graph else { return false }
    graph = rewritten
    return true
  }

  /// Goes once through all that is moved, and takes other layouts wherever that saves bytes; whether it did.
  private static func improve(_ choice: inout LayoutChoice) -> Bool {
    var isImproved = false
    var inVain = 0
    var isTried: Set<Trial> = []
    for seed in choice.seeds() where inVain < mostInVain {
      if choice.layouts[seed.node] == seed.layout { continue }
      if isTried.contains(Trial(node: seed.node, layout: seed.layout)) { continue }
      let family = choice.family(of: seed.node, seed.layout)
      if choice.take(LayoutCut(choice, family).chosen()) {
        isImproved = true
      } else {
        inVain += 1
        for (node, layout) in family { isTried.insert(Trial(node: node, layout: layout)) }
      }
    }
    return isImproved
  }

  private struct Trial: Hashable {
    var node: Int
    var layout: NodeLayout
  }

  /// A value in a layout.
  private struct Stored: Hashable {
    var value: Value
    var layout: Layout
  }

  /// The graph with its nodes in the chosen layouts, and transposes between them.
  private static func rewritten(
    _ graph: Graph, _ choice: LayoutChoice
  ) throws(Diagnostic) -> Graph {
    var builder = GraphBuilder(name: graph.name)
    builder.reserveCapacity(graph.valueCount)
    // What each value is computed as, and what it was moved to since.
    var values: [Value] = graph.inputs.map {
      builder.input($0.name, $0.type, donatedTo: $0.donatedTo, location: $0.location)
    }
    var moved: [Stored: Value] = [:]
    func value(
      _ old: Value, in layout: Layout, _ builder: inout GraphBuilder
    ) throws(Diagnostic) -> Value {
      let new = values[Int(old.index)]
      let permutation = choice.layout(of: old).permutation(to: layout)
      if permutation == Array(permutation.indices) { return new }
      if let known = moved[Stored(value: old, layout: layout)] { return known }
      let copy = try builder.transpose(new, permutation)
      moved[Stored(value: old, layout: layout)] = copy
      return copy
    }
    for (index, node) in graph.nodes.enumerated() {
      builder.location = node.location
      let layout = choice.layouts[index]
      var operands: [Value] = []
      for (old, layout) in zip(node.operands, layout.operands) {
        operands.append(try value(old, in: layout, &builder))
      }
      if case .transpose = node.operation {
        values += operands
      } else {
        values += try builder.append(
          node.operation(in: layout), operands, bodies: node.bodies, literal: node.literal)
      }
    }
    var outputs: [Output] = []
    for output in graph.outputs {
      let rank = graph.type(of: output.value).shape.rank
      builder.location = graph.definition(of: output.value)?.location ?? .unknown
      outputs.append(
        Output(output.name, try value(output.value, in: .natural(rank), &builder)))
    }
    return try builder.finish(outputs)
  }
}
