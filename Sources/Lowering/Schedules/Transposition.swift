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
  /// share them.
  ///
  /// - Returns: nil where the elements do not lie so.
  func loadCrossed(
    _ memory: Int, _ expression: IndexExpression, _ index: IndexValue, _ dtype: DType,
    _ point: Point
  ) -> RegisterID? {
    guard let crossing = point.crossing, let vector = point.vector, vector.active == nil,
      crossing.count == vector.lanes, index.lanes == nil, index.stride > 1, expression.isAffine,
      expression.dependence(on: crossing.id) == .affine(1), builder.readOnly.contains(memory)
    else { return nil }
    let type = LoopType(dtype, lanes: vector.lanes)
    let first = index.base - LoopIndex(constant: crossing.place)
    let rows = (0..<vector.lanes).map { lane in
      let offset = first + LoopIndex(constant: lane * index.stride)
      return builder.define(.load(LoopAccess(memory: memory, offset: offset)), type)
    }
    return Transposition(builder: builder, rows: rows, type: type).row(crossing.place)
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
