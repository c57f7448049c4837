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

  /// The cross-correlation of images `[n, h, w, c]` with a filter `[fh, fw, c / groups, o]`.
  ///
  /// - Parameters:
  ///   - stride: The distance between windows, for height and width.
  ///   - padding: Zeros `[low, high]` around the image, for height and width.
  ///   - dilation: The distance between a filter's taps, for height and width.
  ///   - groups: The number of groups into which the channels are split.
  public func convolved(
    with filter: Tensor, stride: [Int] = [1, 1], padding: [[Int]] = [[0, 0], [0, 0]],
    dilation: [Int] = [1, 1], groups: Int = 1, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    let operation = Convolution(
      stride: stride, padding: padding, kernelDilation: dilation, groups: groups)
    return Tensor.apply(.convolution(operation), [self, filter], Caller(file, line))
  }
}
