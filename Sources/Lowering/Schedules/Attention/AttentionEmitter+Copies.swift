import GraphIR
import LoopIR

/// A factor of products that is copied to where its keys lie next to each other: `[key][column]`.
struct KeyCopy: Hashable {
  /// What gives an element.
  var body: ScalarBody
  /// The dimension of the columns.
  var column: DimensionID
  /// The elements from one key to the next.
  var pitch: Int
}

extension Attention {
  /// The factors that every block of rows reads for all keys, where they lie apart, and the stages that read each.
  ///
  /// The keys of one head are as far apart as all heads are wide: each in a page of its own, and together in few sets of
  /// the first-level cache.
  func copies(_ plan: AttentionPlan, _ target: Target) -> [(copy: KeyCopy, stages: [Int])] {
    guard plan.blocks >= AttentionPlan.fewestBlocksThatCopy else { return [] }
    var found: [(copy: KeyCopy, stages: [Int])] = []
    for (place, role) in roles.enumerated() {
      let own: KeyCopy?
      switch role {
      case .scores(_, let factor, let step):
        own = copy(kernel.stages[place].body.slice(endingAt: factor), step, plan)
      case .rowProduct(let product):
        let slice = kernel.stages[place].body.slice(endingAt: product.factor)
        own = copy(slice, product.column, plan)
      case .elements, .rowFold, .rowValue, .keyProduct, .result:
        own = nil
      }
      guard let own else { continue }
      if let same = found.firstIndex(where: { isEqual($0.copy, own) }) {
        found[same].stages.append(place)
      } else {
        found.append((own, [place]))
      }
    }
    let elements = found.reduce(0) { $0 + $1.copy.pitch * kernel.extent(key) }
    return elements * dtype.byteCount <= target.secondLevelCacheBytes / 2 ? found : []
  }

  /// The copy of a factor; nil where it would lie as it does already, or is not read along its columns.
  private func copy(
    _ body: ScalarBody, _ column: DimensionID, _ plan: AttentionPlan
  ) -> KeyCopy? {
    let last = body.instructions.count - 1
    guard body.step(last, along: column) == 1 else { return nil }
    let extent = kernel.extent(column)
    if last == 0, body.step(last, along: key) == extent { return nil }
    return KeyCopy(
      body: body, column: column, pitch: ceilingQuotient(extent, plan.lanes) * plan.lanes)
  }

  /// Whether two copies hold the same, by whatever name their columns go.
  private func isEqual(_ a: KeyCopy, _ b: KeyCopy) -> Bool {
    guard kernel.extent(a.column) == kernel.extent(b.column) else { return false }
    var body = a.body
    let bounds = kernel.bounds
    body.mapExpressions { index in
      index.substituting(in: bounds) { atom in
        atom == .dimension(a.column) ? .dimension(b.column) : nil
      }
    }
    return body == b.body
  }
}

extension AttentionEmitter {
  /// Copies the factors that blocks read from copies.
  func copyKeys(_ counters: [DimensionID: LoopIndex]) throws(Diagnostic) {
    for (copy, memory) in copies {
      try builder.loop("key", to: LoopIndex(constant: keyCount)) { key throws(Diagnostic) in
        var counters = counters
        counters[attention.key] = key
        try columns(of: copy.column, min(4, copy.pitch / lanes)) { columns throws(Diagnostic) in
          for vector in columns.active.indices {
            let point = point(counters, copy.column, columns, vector)
            let emitted = try body.emit(copy.body, at: point)
            let offset =
              key * copy.pitch + columns.first + LoopIndex(constant: vector * lanes)
            builder.store(
              body.widen(emitted[emitted.count - 1], to: lanes),
              LoopAccess(memory: memory, offset: offset))
          }
        }
      }
    }
  }

  /// The key's factor of a score at a step.
  func keyFactor(
    _ stage: Int, _ slice: ScalarBody, _ counters: [DimensionID: LoopIndex], _ step: DimensionID
  ) throws(Diagnostic) -> RegisterID {
    if let copy = copyOfStage[stage], let key = counters[attention.key], let place = counters[step]
    {
      let (copy, memory) = copies[copy]
      let access = LoopAccess(memory: memory, offset: key * copy.pitch + place)
      return builder.define(.load(access), LoopType(attention.dtype))
    }
    let emitted = try body.emit(slice, at: Point(counters: counters))
    return emitted[emitted.count - 1]
  }
}
