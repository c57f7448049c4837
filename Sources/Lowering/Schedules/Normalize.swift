import GraphIR
import LoopIR

/// Brings a kernel to the form that schedules work on; its meaning stays.
///
/// * tensors are flat: every load and store has one index, the row-major place;
/// * dimensions of one point are gone, and guards that always hold;
/// * a sum whose terms are zero where a stride does not divide an index has only the others;
/// * no term of a fold is chosen to be zero where its loads make it zero;
/// * a dimension that occurs divided by a constant is split, so that no division is left;
/// * dimensions that every index walks through as if they were one are one, though guards of maps ask for a short one
///   beside another alone;
/// * folds run along the shortest steps in memory innermost, and those that wait for nothing come first.
///
/// A scatter's target keeps its shape: each of its indices is checked on its own.
func normalize(_ kernel: Kernel) -> Kernel {
  var kernel = kernel
  kernel.dropSinglePoints()
  kernel.foldOverWholeStrides()
  kernel.dropImpliedChoices()
  kernel.flatten()
  if kernel.stages.contains(where: \.isScatter) { return kernel }
  kernel.splitDivided()
  kernel.mergeDimensions()
  kernel.mergeGuarded()
  kernel.orderFolds()
  kernel.leadWithFolds()
  return kernel
}

extension Kernel {
  fileprivate mutating func dropSinglePoints() {
    let single = Set(dimensions.indices.filter { dimensions[$0].extent == 1 }.map(DimensionID.init))
    let searched = Set(
      stages.compactMap { stage -> DimensionID? in
        if case .argFold(_, let over) = stage.kind { over } else { nil }
      })
    let bounds = bounds
    mapExpressions { index in
      index.substituting(in: bounds) { atom in
        if case .dimension(let id) = atom, single.contains(id) { 0 } else { nil }
      }
    }
    for id in single.subtracting(searched) { replace(id, by: []) }
  }

  fileprivate mutating func flatten() {
    let bounds = bounds
    let original = self
    func flat(_ index: [IndexExpression], _ reference: TensorReference) -> [IndexExpression] {
      [IndexExpression.linear(index, in: original.type(of: reference).shape, bounds: bounds)]
    }
    var scattered: Set<Int> = []
    for place in stages.indices {
      if stages[place].isScatter {
        if case .parameter(let target) = stages[place].target { scattered.insert(target) }
      } else {
        stages[place].index = flat(stages[place].index, stages[place].target)
      }
      for position in stages[place].body.instructions.indices {
        let instruction = stages[place].body.instructions[position]
        guard case .load(let tensor, let index, let guards) = instruction.operation else {
          continue
        }
        let needed = guards.filter { $0.verdict(in: bounds) != true }
        stages[place].body.instructions[position].operation = .load(
          tensor, flat(index, tensor), guards: needed)
      }
    }
    for place in parameters.indices where !scattered.contains(place) {
      parameters[place].type.shape = [parameters[place].type.shape.elementCount]
    }
    for place in locals.indices {
      locals[place].type.shape = [locals[place].type.shape.elementCount]
    }
  }

  /// Splits dimensions that occur, alone or beside a constant, under a quotient or remainder by a divisor of their
  /// extent.
  fileprivate mutating func splitDivided() {
    let searched = Set(
      stages.flatMap { stage -> [DimensionID] in
        if case .argFold(_, let over) = stage.kind { [over] } else { [] }
      })
    for _ in 0..<16 {
      guard let (id, divisor) = dividedDimension(but: searched) else { return }
      let old = dimensions[id.index]
      let high = addDimension(old.name + "0", old.extent / divisor)
      let low = addDimension(old.name + "1", divisor)
      let whole = IndexExpression.dimension(high) * divisor + .dimension(low)
      let bounds = bounds
      mapExpressions { index in
        index.substituting(in: bounds) { $0 == .dimension(id) ? whole : nil }
      }
      replace(id, by: [high, low])
    }
  }

  private func dividedDimension(but excluded: Set<DimensionID>) -> (DimensionID, Int)? {
    var found: (DimensionID, Int)?
    func search(_ index: IndexExpression) {
      for term in index.terms {
        guard found == nil else { return }
        switch term.atom {
        case .dimension, .instruction: break
        case .quotient(let inner, let divisor), .remainder(let inner, let divisor):
          let shift = IndexExpression(constant: inner.constant)
          if let id = (inner - shift).asDimension, !excluded.contains(id),
            extent(id) % divisor == 0, extent(id) > divisor
          {
            found = (id, divisor)
          }
          search(inner)
        }
      }
    }
    forEachExpression { if found == nil { search($0) } }
    return found
  }

  /// Merges pairs of dimensions of one list while every index allows it.
  mutating func mergeDimensions() {
    while let (a, b) = mergeablePair() {
      let minor = extent(b)
      let whole = addDimension(
        dimensions[a.index].name + dimensions[b.index].name, extent(a) * minor)
      mapExpressions { $0.merging(a, b, into: whole) }
      replace(b, by: [])
      replace(a, by: [whole])
    }
  }

  /// Orders the folded dimensions by the longest step that a load takes along them.
  fileprivate mutating func orderFolds() {
    for place in stages.indices {
      guard case .fold(let function, let over) = stages[place].kind else { continue }
      let body = stages[place].body
      func step(_ id: DimensionID) -> Int {
        body.instructions.indices.reduce(0) { max($0, body.ownStep($1, along: id)) }
      }
      let sorted = over.enumerated().sorted { a, b in
        let (first, second) = (step(a.element), step(b.element))
        return first != second ? first > second : a.offset < b.offset
      }
      stages[place].kind = .fold(function, over: sorted.map(\.element))
    }
  }

  private func mergeablePair() -> (DimensionID, DimensionID)? {
    var lists = [outer]
    for stage in stages {
      lists.append(stage.dimensions)
      if case .fold(_, let over) = stage.kind { lists.append(over) }
    }
    var expressions: [IndexExpression] = []
    forEachExpression { expressions.append($0) }
    for list in lists where list.count > 1 {
      for a in list {
        for b in list where a != b && isOnlyIn(list, a, b) {
          if expressions.allSatisfy({ $0.allowsMerging(a, b, minor: extent(b)) }) { return (a, b) }
        }
      }
    }
    return nil
  }

  /// Whether every list that has one of two dimensions has both.
  private func isOnlyIn(_ list: [DimensionID], _ a: DimensionID, _ b: DimensionID) -> Bool {
    var lists = [outer]
    for stage in stages { lists += [stage.dimensions, stage.folded] }
    return lists.allSatisfy { $0.contains(a) == $0.contains(b) }
  }
}

extension IndexExpression {
  /// Whether the index is a function of `a * minor + b`, term by term.
  func allowsMerging(_ a: DimensionID, _ b: DimensionID, minor: Int) -> Bool {
    var (major, lesser) = (0, 0)
    for term in terms {
      switch term.atom {
      case .dimension(let id):
        if id == a { major = term.coefficient }
        if id == b { lesser = term.coefficient }
      case .instruction: break
      case .quotient(let inner, _), .remainder(let inner, _):
        if !inner.allowsMerging(a, b, minor: minor) { return false }
      }
    }
    return major == lesser * minor
  }

  func merging(
    _ a: DimensionID, _ b: DimensionID, into whole: DimensionID
  ) -> IndexExpression {
    var result = IndexExpression(constant: constant)
    for term in terms {
      let atom: IndexExpression? =
        switch term.atom {
        case .dimension(let id): id == a ? nil : (id == b ? .dimension(whole) : .dimension(id))
        case .instruction: IndexExpression(term.atom)
        case .quotient(let inner, let divisor):
          IndexExpression(.quotient(inner.merging(a, b, into: whole), divisor))
        case .remainder(let inner, let divisor):
          IndexExpression(.remainder(inner.merging(a, b, into: whole), divisor))
        }
      if let atom { result = result + atom * term.coefficient }
    }
    return result
  }
}
