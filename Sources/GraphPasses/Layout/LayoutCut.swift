import GraphIR

/// Finds the nodes of a family that should take their other layout, all at once.
///
/// This is a step of expansion (Boykov, Veksler and Zabih, "Fast approximate energy minimization via graph cuts", 2001): a
/// place of the network for each node, on the side of the source when the node takes its other layout. That a value is
/// moved once for all its readers is told by a place of its own for each layout that they need.
struct LayoutCut {
  private let choice: LayoutChoice
  private let family: [Int: NodeLayout]
  private var cut = MinimumCut()
  private var places: [Int: Int] = [:]

  /// Prepares the network.
  init(_ choice: LayoutChoice, _ family: [Int: NodeLayout]) {
    (self.choice, self.family) = (choice, family)
    for index in family.keys.sorted() { places[index] = cut.addPlace() }
    var values: Set<Value> = []
    for index in family.keys {
      values.formUnion(choice.graph.nodes[index].operands)
      values.formUnion(choice.graph.nodes[index].results)
    }
    for value in values.sorted() { add(value) }
  }

  /// The other layouts that should be taken.
  consuming func chosen() -> [Int: NodeLayout] {
    let (family, places) = (family, places)
    let isOther = cut.sourceSide()
    return family.filter { index, _ in places[index].map { isOther[$0] } ?? false }
  }

  /// Which readers need one layout of a value.
  private struct Need {
    /// Whether it is needed whatever readers do, while the value has its present layout, and while it has the other.
    var always = [false, false]
    /// The places of readers that need it with their present layout alone, and with their other one alone.
    var present: [Int] = []
    var other: [Int] = []
  }

  /// Adds what moving a value costs.
  private mutating func add(_ value: Value) {
    let bytes = choice.rules.bytesToMove(value)
    let shape = choice.rules.shape(value)
    guard bytes > 0, shape.rank > 1 else { return }
    let source = choice.graph.definingNodeIndex(of: value)
    let place = source.flatMap { places[$0] }
    let present = choice.layout(of: value)
    let stored = [present, source.flatMap { family[$0]?.result } ?? present]
    for (core, need) in needs(of: value, stored).sorted(by: {
      $0.key.lexicographicallyPrecedes($1.key)
    }) {
      let lacks = stored.map { $0.core(shape) != core }
      var isOpen = [false, false]
      for state in place == nil ? [0] : [0, 1] where lacks[state] {
        if !need.always[state] {
          isOpen[state] = true
        } else if let place {
          if state == 0 {
            cut.connect(MinimumCut.source, place, cost: bytes)
          } else {
            cut.connect(place, MinimumCut.sink, cost: bytes)
          }
        }
      }
      connect(need, place, isOpen: isOpen, bytes)
    }
  }

  /// For each layout of a value who needs it.
  private func needs(of value: Value, _ stored: [Layout]) -> [[Int]: Need] {
    let shape = choice.rules.shape(value)
    var needs: [[Int]: Need] = [:]
    for reader in choice.readers[Int(value.index)] {
      let layouts = choice.layouts[reader.node]
      let now = layouts.operands[reader.place].core(shape)
      if let place = places[reader.node], let new = family[reader.node] {
        let then = new.operands[reader.place].core(shape)
        if now == then {
          needs[now, default: Need()].always = [true, true]
        } else {
          needs[now, default: Need()].present.append(place)
          needs[then, default: Need()].other.append(place)
        }
      } else {
        for state in 0...1
        where choice.need(reader, of: value, stored: stored[state], layouts) != nil {
          needs[now, default: Need()].always[state] = true
        }
      }
    }
    if choice.isOutput[Int(value.index)] {
      let natural = Layout.natural(shape.rank).core(shape)
      needs[natural, default: Need()].always = [true, true]
    }
    return needs
  }

  /// Adds the cost that arises where any of the readers needs a layout and the value, in an open state, lacks it.
  ///
  /// What a reader needs with its other layout and only the value's present one gives, or the other way round, cannot be
  /// told by a cut; that is left out, and `LayoutChoice.take` looks at the true cost.
  private mutating func connect(_ need: Need, _ place: Int?, isOpen: [Bool], _ bytes: Int) {
    let isOpenAlways = place == nil ? isOpen[0] : isOpen[0] && isOpen[1]
    if !need.other.isEmpty, isOpen[0] {
      let copy = cut.addPlace()
      for reader in need.other { cut.connect(reader, copy, cost: MinimumCut.unlimited) }
      cut.connect(copy, isOpenAlways ? MinimumCut.sink : place ?? MinimumCut.sink, cost: bytes)
    }
    if !need.present.isEmpty, isOpenAlways || isOpen[1] {
      let copy = cut.addPlace()
      for reader in need.present { cut.connect(copy, reader, cost: MinimumCut.unlimited) }
      cut.connect(isOpenAlways ? MinimumCut.source : place ?? MinimumCut.source, copy, cost: bytes)
    }
  }
}
