import GraphIR

extension IndexExpression {
  /// The row-major place of an element in a dense tensor.
  package static func linear(
    _ index: [IndexExpression], in shape: Shape, bounds: IndexBounds
  ) -> IndexExpression {
    zip(index, shape.strides).reduce(0 as IndexExpression) { $0 + $1.0 * $1.1 }
      .recombined(in: bounds)
  }

  /// The index of the element at a row-major place of a dense tensor; the place is inside of it.
  package static func index(
    ofLinear place: IndexExpression, in shape: Shape, bounds: IndexBounds
  ) -> [IndexExpression] {
    var rest = place
    var index = [IndexExpression](repeating: 0, count: shape.rank)
    // What is left for the outermost dimension of an extent above 1 needs no remainder.
    let outermost = shape.extents.firstIndex { $0 > 1 } ?? 0
    for dimension in shape.extents.indices.reversed() where shape[dimension] > 1 {
      index[dimension] =
        dimension == outermost ? rest : rest.remainder(by: shape[dimension], in: bounds)
      rest = rest.quotient(by: shape[dimension], in: bounds)
    }
    return index
  }

  /// The index, in a tensor of shape `source`, of the element that `index` names after a reshape to `result`.
  ///
  /// Dimensions are taken in the smallest groups of equal element count, so that what lines up stays as it is.
  package static func reshaped(
    _ index: [IndexExpression], of result: Shape, to source: Shape, bounds: IndexBounds
  ) -> [IndexExpression] {
    var mapped = [IndexExpression](repeating: 0, count: source.rank)
    let from = result.extents.indices.filter { result[$0] != 1 }
    let to = source.extents.indices.filter { source[$0] != 1 }
    var (i, j) = (0, 0)
    while i < from.count, j < to.count {
      let (firstFrom, firstTo) = (i, j)
      var (a, b) = (result[from[i]], source[to[j]])
      while a != b {
        if a < b, i + 1 < from.count {
          i += 1
          a *= result[from[i]]
        } else if b < a, j + 1 < to.count {
          j += 1
          b *= source[to[j]]
        } else {
          break
        }
      }
      let group = from[firstFrom...i]
      let target = to[firstTo...j]
      let place = linear(
        group.map { index[$0] }, in: Shape(group.map { result[$0] }), bounds: bounds)
      let parts = self.index(
        ofLinear: place, in: Shape(target.map { source[$0] }), bounds: bounds)
      for (dimension, part) in zip(target, parts) { mapped[dimension] = part }
      (i, j) = (i + 1, j + 1)
    }
    return mapped
  }
}
