import GraphIR

extension Tensor {
  /// The matrix product `[..., m, k] x [..., k, n]`, which gives `[..., m, n]`.
  ///
  /// The leading dimensions broadcast as NumPy's do; a right operand without any is shared by all of the left's.
  public func matmul(_ other: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
    Tensor.apply([self, other], "'matmul' is used", Caller(file, line)) { context, location in
      let (left, right) = (shape.extents, other.shape.extents)
      let notes = {
        [context.note("the left operand", self), context.note("the right operand", other)]
      }
      guard left.count >= 2, right.count >= 2, left.last == right[right.count - 2] else {
        return context.fail(
          Diagnostic(
            .shapeMismatch, "matmul: the shapes \(shape) and \(other.shape) do not fit",
            at: location,
            notes: notes(), hint: "[..., m, k] x [..., k, n]: the inner extents must be equal"))
      }
      if right.count == 2 {
        let dot = Dot(contracting: [[left.count - 1], [0]])
        return context.append(.dot(dot), [self, other], at: location)[0]
      }
      guard let batch = Tensor.broadcastShape(left.dropLast(2), right.dropLast(2)) else {
        return context.fail(
          Diagnostic(
            .shapeMismatch,
            "matmul: the leading dimensions of \(shape) and \(other.shape) do not broadcast to one "
              + "another", at: location, notes: notes()))
      }
      let operands = [(self, left), (other, right)].map { tensor, extents in
        Tensor.broadcast(tensor, to: batch + extents.suffix(2), context, location)
      }
      let axes = Array(batch.indices)
      let dot = Dot(
        batch: [axes, axes], contracting: [[batch.count + 1], [batch.count]])
      return context.append(.dot(dot), operands, at: location)[0]
    }
  }

  /// The cross-correlation of images `[n, spatial..., c]` with a filter `[size..., c / groups, o]`.
  ///
  /// - Parameters:
  ///   - stride: The distance between windows, for each spatial dimension; 1 unless given.
  ///   - padding: Zeros `[low, high]` around the image, for each spatial dimension; none unless given.
  ///   - inputDilation: The distance between neighbours of the image once zeros are put between them; 1 unless given.
  ///   - dilation: The distance between a filter's taps, for each spatial dimension; 1 unless given.
  ///   - groups: The number of groups into which the channels are split.
  public func convolved(
    with filter: Tensor, stride: [Int]? = nil, padding: [[Int]]? = nil,
    inputDilation: [Int]? = nil, dilation: [Int]? = nil, groups: Int = 1,
    file: String = #fileID, line: Int = #line
  ) -> Tensor {
    let count = Swift.max(rank - 2, 0)
    let ones = [Int](repeating: 1, count: count)
    let operation = Convolution(
      stride: stride ?? ones, padding: padding ?? ones.map { _ in [0, 0] },
      inputDilation: inputDilation ?? ones, kernelDilation: dilation ?? ones, groups: groups)
    return Tensor.apply(.convolution(operation), [self, filter], Caller(file, line))
  }
}
