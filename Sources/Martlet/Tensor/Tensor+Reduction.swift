import GraphIR

/// Reductions along axes, which vanish or stay with extent 1. Axes count from 0, negative ones from the end;
/// no axes means all of them.
extension Tensor {
  /// The sum.
  public func sum(
    _ axes: Int..., keepingDimensions: Bool = false, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    reduced(.sum, axes, keepingDimensions, Caller(file, line))
  }

  /// The product.
  public func product(
    _ axes: Int..., keepingDimensions: Bool = false, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    reduced(.product, axes, keepingDimensions, Caller(file, line))
  }

  /// The greatest element; NaN when one is.
  public func max(
    _ axes: Int..., keepingDimensions: Bool = false, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    reduced(.max, axes, keepingDimensions, Caller(file, line))
  }

  /// The least element; NaN when one is.
  public func min(
    _ axes: Int..., keepingDimensions: Bool = false, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    reduced(.min, axes, keepingDimensions, Caller(file, line))
  }

  /// The arithmetic mean of a floating-point tensor: the sum times the reciprocal of the count.
  public func mean(
    _ axes: Int..., keepingDimensions: Bool = false, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    mean(over: axes, keepingDimensions: keepingDimensions, Caller(file, line))
  }

  /// The index of the greatest element along an axis, as i32; ties take the lowest.
  public func argmax(_ axis: Int = -1, file: String = #fileID, line: Int = #line) -> Tensor {
    argReduced(.argmax, axis, Caller(file, line))
  }

  /// The index of the least element along an axis, as i32; ties take the lowest.
  public func argmin(_ axis: Int = -1, file: String = #fileID, line: Int = #line) -> Tensor {
    argReduced(.argmin, axis, Caller(file, line))
  }

  func mean(over axes: [Int], keepingDimensions: Bool = false, _ caller: Caller) -> Tensor {
    let total = reduced(.sum, axes, keepingDimensions, caller)
    guard total.type != nil else { return total }
    let count = axes.isEmpty ? shape.elementCount : axes.map { shape[$0] }.reduce(1, *)
    return Tensor.apply([self], "'mean' is used", caller) { context, location in
      guard dtype.isFloat else {
        return context.fail(
          Diagnostic(
            .typeMismatch, "mean: \(describedType) has no floating-point dtype", at: location,
            notes: [context.note("the operand", self)], hint: "convert it with converted(to: .f32)")
        )
      }
      return Tensor.binary(.multiply, total, 1 / Double(count), caller)
    }
  }

  func reduced(
    _ function: ReduceFunction, _ axes: [Int], _ keepingDimensions: Bool, _ caller: Caller
  ) -> Tensor {
    Tensor.apply([self], "'reduce_\(function.rawValue)' is used", caller) { context, location in
      guard let dimensions = axes.isEmpty ? Array(0..<rank) : positions(of: axes) else {
        return context.fail(axesDiagnostic(axes, function.rawValue, location))
      }
      let operation = Reduce(function, dimensions: dimensions)
      let result = context.append(.reduce(operation), [self], at: location)[0]
      guard keepingDimensions, result.type != nil else { return result }
      let kept = shape.extents.enumerated().map { dimensions.contains($0) ? 1 : $1 }
      return context.append(.reshape(Reshape(shape: Shape(kept))), [result], at: location)[0]
    }
  }

  private func argReduced(
    _ function: ArgReduceFunction, _ axis: Int, _ caller: Caller
  ) -> Tensor {
    Tensor.apply([self], "'\(function.rawValue)' is used", caller) { context, location in
      guard let dimension = position(of: axis) else {
        return context.fail(axisDiagnostic(axis, function.rawValue, location))
      }
      let operation = ArgReduce(function, dimension: dimension)
      return context.append(.argReduce(operation), [self], at: location)[0]
    }
  }
}
