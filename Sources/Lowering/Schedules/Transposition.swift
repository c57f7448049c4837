import GraphIR
import LoopIR

/// Where a point stands among neighbours that are computed together along a dimension across the vectors.
struct Crossing {
  /// The dimension.
  var id: DimensionID
  /// Which of the neighbours the point is.
  var place: Int
  /// How many neighbours there are.
  var count: Int
}

extension BodyEmitter {
  /// The lanes of a load that goes step by step along the vectors, but element by element across them.
  ///
  /// As many vectors as there are lanes are loaded across and transposed in registers; the neighbours of the point
  /// share them. A guard that says the same of all neighbours is checked once for each vector.
  ///
  /// - Parameter otherwiseZero: whether the load gives zero where a guard fails.
  /// - Returns: nil where the elements do not lie so.
  func loadCrossed(
    _ memory: Int, _ expression: IndexExpression, _ guards: [IndexGuard], _ dtype: DType,
    _ point: Point, otherwiseZero: Bool
  ) -> RegisterID? {
    guard let crossing = point.crossing, let vector = point.vector, expression.isAffine,
      case .affine(let stride) = expression.dependence(on: vector.id), stride > 1,
      expression.dependence(on: crossing.id) == .affine(1), builder.readOnly.contains(memory),
      guards.isEmpty || otherwiseZero, guards.allSatisfy({ $0.isShared(along: crossing.id) })
    else { return nil }
    let type = LoopType(dtype, lanes: vector.lanes)
    let rows = (0..<vector.lanes).map { lane -> RegisterID? in
      // Lanes that are not active hold anything.
      if let active = vector.active, lane >= active { return nil }
      var row = point
      row.vector = nil
      row.counters[vector.id] = (point.counters[vector.id] ?? 0) + LoopIndex(constant: lane)
      row.counters[crossing.id] =
        (point.counters[crossing.id] ?? 0) - LoopIndex(constant: crossing.place)
      let indices = IndexEmitter(builder: builder, point: row, values: [])
      if guards.contains(where: indices.fails) { return nil }
      let condition = conditions(guards, indices).scalar
      return builder.define(
        .load(
          LoopAccess(
            memory: memory, offset: place(indices.evaluate(expression).base, where: condition),
            active: crossing.count < type.lanes ? crossing.count : nil,
            mask: condition.map { widen($0, to: type.lanes) })), type)
    }
    let zeros = rows.contains(nil) ? builder.define(.constant(0), type) : nil
    let all = rows.compactMap { $0 ?? zeros }
    return Transposition(builder: builder, rows: all, type: type).row(crossing.place)
  }
}

extension BodyEmitter {
  /// A place in memory where a condition holds, and its beginning elsewhere: what lies beyond an end may be no memory,
  /// and even a load without lanes takes long there.
  private func place(_ place: LoopIndex, where condition: RegisterID?) -> LoopIndex {
    guard let condition else { return place }
    let type = LoopType(.i64)
    let (own, first) = (
      builder.define(.index(place), type), builder.define(.constant(0), type)
    )
    return .register(builder.define(.select(condition, own, first), type))
  }
}

/// A square of registers, transposed by shuffles of pairs: log2(n) for each of n rows.
struct Transposition {
  let builder: LoopsBuilder
  /// As many as each has lanes, a power of two.
  let rows: [RegisterID]
  let type: LoopType

  /// The i-th lanes of all rows.
  func row(_ i: Int) -> RegisterID { row(i, distance: rows.count / 2) }

  /// The row after the squares of `2 * distance` rows and lanes are transposed in themselves.
  private func row(_ i: Int, distance: Int) -> RegisterID {
    if distance == 0 { return rows[i] }
    // Interleaving neighbours is one instruction where the pairs are of halves of 64 bits.
    if distance == 2, type.dtype.byteCount <= 4 { return interleaved(i) }
    let isSecond = i & distance != 0
    let partner = i ^ distance
    let (low, high) = (min(i, partner), max(i, partner))
    let (a, b) = (row(low, distance: distance / 2), row(high, distance: distance / 2))
    return shuffle(a, b) { lane in
      let takesSecond = lane & distance != 0
      let own = isSecond ? lane | distance : lane & ~distance
      return takesSecond ? own + type.lanes : own
    }
  }

  /// The row after the squares of 4 rows and lanes are transposed: pairs of lanes are interleaved, then pairs of pairs.
  private func interleaved(_ i: Int) -> RegisterID {
    let (first, half, second) = (i & ~3, i & 2, i & 1)
    let pairs = [0, 2].map { pair in
      shuffle(rows[first + pair], rows[first + pair + 1]) { lane in
        (lane & ~3) + half + (lane & 2) / 2 + (lane & 1) * type.lanes
      }
    }
    return shuffle(pairs[0], pairs[1]) { lane in
      (lane & ~3) + 2 * second + (lane & 1) + (lane & 2) / 2 * type.lanes
    }
  }

  private func shuffle(
    _ a: RegisterID, _ b: RegisterID, _ source: (Int) -> Int
  ) -> RegisterID {
    builder.define(.shuffle(a, b, lanes: (0..<type.lanes).map(source)), type)
  }
}
