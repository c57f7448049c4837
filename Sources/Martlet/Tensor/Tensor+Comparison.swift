import GraphIR

/// Comparisons of elements, which give bools, and choices by them. Shapes broadcast.
extension Tensor {
  /// Whether elements are equal.
  public func isEqual(to other: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
    Tensor.compare(.equal, self, other, Caller(file, line))
  }

  /// Whether elements differ.
  public func isNotEqual(to other: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
    Tensor.compare(.notEqual, self, other, Caller(file, line))
  }

  /// Whether elements are less than the other's.
  public func isLess(than other: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
    Tensor.compare(.less, self, other, Caller(file, line))
  }

  /// Whether elements are at most the other's.
  public func isAtMost(_ other: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
    Tensor.compare(.lessEqual, self, other, Caller(file, line))
  }

  /// Whether elements are greater than the other's.
  public func isGreater(than other: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
    Tensor.compare(.greater, self, other, Caller(file, line))
  }

  /// Whether elements are at least the other's.
  public func isAtLeast(_ other: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
    Tensor.compare(.greaterEqual, self, other, Caller(file, line))
  }

  /// Whether elements equal a number.
  public func isEqual(
    to number: some TensorScalar, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    comparison(.equal, number, Caller(file, line))
  }

  /// Whether elements are less than a number.
  public func isLess(
    than number: some TensorScalar, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    comparison(.less, number, Caller(file, line))
  }

  /// Whether elements are greater than a number.
  public func isGreater(
    than number: some TensorScalar, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    comparison(.greater, number, Caller(file, line))
  }

  /// Whether elements are at least a number.
  public func isAtLeast(
    _ number: some TensorScalar, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    comparison(.greaterEqual, number, Caller(file, line))
  }

  /// Where this bool tensor is true the first tensor's element, elsewhere the second's; shapes broadcast.
  public func select(
    _ whenTrue: Tensor, otherwise whenFalse: Tensor, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    let operands = [self, whenTrue, whenFalse]
    return Tensor.apply(operands, "'select' is used", Caller(file, line)) { context, location in
      let shapes = operands.map(\.shape.extents)
      guard let choices = Tensor.broadcastShape(shapes[1], shapes[2]),
        let shape = Tensor.broadcastShape(shapes[0], choices)
      else {
        return context.fail(
          Diagnostic(
            .shapeMismatch,
            "select: the shapes \(self.shape), \(whenTrue.shape) and \(whenFalse.shape) do not "
              + "broadcast to one another", at: location))
      }
      let broadcast = operands.map { Tensor.broadcast($0, to: shape, context, location) }
      return context.append(.select(Select()), broadcast, at: location)[0]
    }
  }

  private func comparison(
    _ function: CompareFunction, _ number: some TensorScalar, _ caller: Caller
  ) -> Tensor {
    let other = Tensor.scalar(number, beside: self, function.rawValue, caller)
    return Tensor.compare(function, self, other, caller)
  }
}
