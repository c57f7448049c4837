import GraphIR
import LoopIR

/// A way to compute a kernel: its phases, with about how long they take.
struct Candidate {
  var pieces: [Piece]
  var cost = 1.0
  /// How many of its kind cost less: kinds differ in more than the sizes of tiles.
  var place = 0
}

extension [Candidate] {
  /// A candidate that costs more than the first by a larger factor is not worth a try.
  private static var mostCost: Double { 1.5 }

  /// The first, and those that promise about as much and add up in the same order: the best of each kind before the
  /// second ones.
  func selected(atMost most: Int) -> [Candidate] {
    guard let first, most > 1 else { return Array(prefix(1)) }
    let order = ReductionOrder(first.pieces)
    let others = dropFirst().enumerated().filter { _, candidate in
      candidate.cost <= first.cost * Self.mostCost && ReductionOrder(candidate.pieces) == order
    }
    let sorted = others.sorted { a, b in
      (a.element.place, a.element.cost, Double(a.offset))
        < (b.element.place, b.element.cost, Double(b.offset))
    }
    return [first] + sorted.prefix(most - 1).map(\.element)
  }
}

extension Candidate {
  /// How it is computed, in words: the phase that folds, or the last one.
  var summary: String {
    let main = pieces.firstIndex { $0.kernel.stages.contains { !$0.folded.isEmpty } }
    let place = main ?? pieces.count - 1
    guard case .nest = pieces[place].work, place > 0 else { return pieces[place].summary }
    let copies = pieces[..<place].compactMap(\.kernel.parameters.last?.name)
    return pieces[place].summary
      + (copies.contains(PackedCopy.panels) ? ", columns packed first" : "")
      + (copies.contains(PackedCopy.rows) ? ", rows packed first" : "")
  }
}

extension Piece {
  fileprivate var summary: String {
    switch work {
    case .nest(let plan):
      var parts = plan.loops.filter { $0.tile > 1 }.map { "\(name($0.id)) by \($0.tile)" }
      for (stage, own) in zip(kernel.stages, plan.stages) {
        guard let vector = own.vector, stage.folded.contains(vector) else { continue }
        parts.append("\(own.lanes) lanes along \(name(vector))")
      }
      let order = plan.loops.map { name($0.id) }.joined(separator: ", ")
      return (parts.isEmpty ? "point by point" : "tile " + parts.joined(separator: ", "))
        + (order.isEmpty ? "" : ", loops \(order)")
        + (copies.isEmpty ? "" : ", columns packed by each task")
    case .blocks(let contraction, let blocking):
      let columns =
        switch blocking.columns {
        case .packedFirst: "columns packed first"
        case .packedByTask: "columns packed by each task"
        case .inPlace: "columns in place"
        }
      return "blocks of \(blocking.groups * blocking.tiles) tiles, \(blocking.rows) by "
        + "\(blocking.vectors * contraction.lanes), and \(blocking.panels) panels along "
        + "\(name(contraction.vector)), \(columns)"
        + (blocking.copiesRowsFirst ? ", rows copied first" : "")
        + (blocking.hasRowsInPlace ? ", rows in place" : "")
    case .attention: return "attention"
    }
  }

  private func name(_ id: DimensionID) -> String { kernel.dimensions[id.index].name }
}
