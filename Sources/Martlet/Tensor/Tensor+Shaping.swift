import GraphIR

/// Changes of shape. Axes count from 0; negative ones count from the end.
extension Tensor {
  /// The same elements in row-major order under another shape; one extent may be -1 and is inferred.
  public func reshaped(to shape: [Int], file: String = #fileID, line: Int = #line) -> Tensor {
    Tensor.apply([self], "'reshape' is used", Caller(file, line)) { context, location in
      let known = shape.filter { $0 != -1 }
      let product = Shape.checked(known)?.elementCount
      var inferred = shape
      if let hole = shape.firstIndex(of: -1), let product, product > 0 {
        inferred[hole] = self.shape.elementCount / product
      }
      guard Shape.checked(inferred)?.elementCount == self.shape.elementCount else {
        return context.fail(
          Diagnostic(
            .shapeMismatch,
            "reshape: \(self.shape) has \(self.shape.elementCount) elements, which do not fill "
              + "\(Shape(shape))", at: location, notes: [context.note("the operand", self)]))
      }
      guard inferred != self.shape.extents else { return self }
      return context.append(.reshape(Reshape(shape: Shape(inferred))), [self], at: location)[0]
    }
  }

  /// The same elements with all dimensions but the first joined: `[n, ...]` becomes `[n, m]`.
  public func flattened(file: String = #fileID, line: Int = #line) -> Tensor {
    guard let extents = type?.shape.extents else { return self }
    let rest = extents.dropFirst().reduce(1, *)
    return reshaped(to: [extents.first ?? 1, rest], file: file, line: line)
  }

  /// The same elements with a dimension of extent 1 put in at an axis of the result.
  public func expanded(at axis: Int, file: String = #fileID, line: Int = #line) -> Tensor {
    Tensor.apply([self], "'reshape' is used", Caller(file, line)) { context, location in
      let position = axis < 0 ? axis + rank + 1 : axis
      guard (0...rank).contains(position) else {
        return context.fail(axisDiagnostic(axis, "expanded", location))
      }
      var extents = shape.extents
      extents.insert(1, at: position)
      return reshaped(to: extents, file: file, line: line)
    }
  }

  /// Dimension d of the result is dimension `permutation[d]`.
  public func transposed(
    _ permutation: [Int], file: String = #fileID, line: Int = #line
  ) -> Tensor {
    Tensor.apply(.transpose(Transpose(permutation: permutation)), [self], Caller(file, line))
  }

  /// The last two dimensions change places.
  public func transposed(file: String = #fileID, line: Int = #line) -> Tensor {
    Tensor.apply([self], "'transpose' is used", Caller(file, line)) { context, location in
      guard rank >= 2 else {
        return context.fail(
          Diagnostic(
            .shapeMismatch, "transposed: \(describedType) has no two dimensions", at: location,
            notes: [context.note("the operand", self)]))
      }
      let permutation = Array(0..<rank - 2) + [rank - 1, rank - 2]
      let operation = Transpose(permutation: permutation)
      return context.append(.transpose(operation), [self], at: location)[0]
    }
  }

  /// The tensor repeated to a shape to which it broadcasts by NumPy's rule.
  public func broadcast(to shape: [Int], file: String = #fileID, line: Int = #line) -> Tensor {
    Tensor.apply([self], "'broadcast' is used", Caller(file, line)) { context, location in
      guard Shape.checked(shape) != nil, Tensor.broadcastShape(self.shape.extents, shape) == shape
      else {
        return context.fail(
          Diagnostic(
            .shapeMismatch, "broadcast: \(self.shape) does not broadcast to \(Shape(shape))",
            at: location, notes: [context.note("the operand", self)]))
      }
      return Tensor.broadcast(self, to: shape, context, location)
    }
  }

  /// The elements of a range along an axis, every `stride`-th.
  public func sliced(
    _ range: Range<Int>, axis: Int = 0, stride: Int = 1, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    Tensor.apply([self], "'slice' is used", Caller(file, line)) { context, location in
      guard let axis = position(of: axis) else {
        return context.fail(axisDiagnostic(axis, "slice", location))
      }
      guard stride >= 1, range.lowerBound >= 0, range.upperBound <= shape.extents[axis] else {
        return context.fail(
          Diagnostic(
            .shapeMismatch,
            "slice: \(range) with stride \(stride) does not lie within dimension \(axis) of "
              + "\(shape)", at: location, notes: [context.note("the operand", self)]))
      }
      var start = [Int](repeating: 0, count: rank)
      var limit = shape.extents
      var strides = [Int](repeating: 1, count: rank)
      (start[axis], limit[axis], strides[axis]) = (range.lowerBound, range.upperBound, stride)
      let operation = Slice(start: start, limit: limit, stride: strides)
      return context.append(.slice(operation), [self], at: location)[0]
    }
  }

  /// The elements of a range along the first axis.
  public subscript(range: Range<Int>, file: String = #fileID, line: Int = #line) -> Tensor {
    sliced(range, file: file, line: line)
  }

  /// The part at a position along the first axis, which vanishes; a negative position counts from the end.
  public subscript(index: Int, file: String = #fileID, line: Int = #line) -> Tensor {
    let extents = shape.extents
    let first = index < 0 ? index &+ (extents.first ?? 0) : index
    return Tensor.apply([self], "'slice' is used", Caller(file, line)) { context, location in
      guard let count = extents.first, (0..<count).contains(first) else {
        return context.fail(
          Diagnostic(
            .shapeMismatch, "index \(index) does not lie within the first dimension of \(shape)",
            at: location, notes: [context.note("the operand", self)]))
      }
      return sliced(first..<first + 1, file: file, line: line)
        .reshaped(to: Array(extents.dropFirst()), file: file, line: line)
    }
  }

  /// Surrounds the tensor with a number; `low` and `high` give a count per dimension.
  public func padded(
    low: [Int], high: [Int], with number: some TensorScalar = 0, file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    let caller = Caller(file, line)
    let fill = Tensor.scalar(number, beside: self, "pad", caller)
    return Tensor.apply(.pad(Pad(low: low, high: high)), [self, fill], caller)
  }

  /// The tensors joined along an axis; they are equal in dtype and in all other extents.
  public static func concatenated(
    _ tensors: [Tensor], axis: Int = 0, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    apply(tensors, "'concatenate' is used", Caller(file, line)) { context, location in
      let position = tensors.first?.position(of: axis) ?? axis
      let operation = Concatenate(dimension: position)
      return context.append(.concatenate(operation), tensors, at: location)[0]
    }
  }

  /// The elements in reverse order along axes.
  public func reversed(axes: [Int], file: String = #fileID, line: Int = #line) -> Tensor {
    Tensor.apply([self], "'reverse' is used", Caller(file, line)) { context, location in
      guard let dimensions = positions(of: axes) else {
        return context.fail(axesDiagnostic(axes, "reverse", location))
      }
      return context.append(.reverse(Reverse(dimensions: dimensions)), [self], at: location)[0]
    }
  }

  /// The slices along an axis at i32 or i64 indices of any shape, which are clamped into the axis.
  ///
  /// The indices' dimensions come first, then the others: rows `[v, d]` at `[n, t]` give `[n, t, d]`.
  public func gathered(
    at indices: Tensor, axis: Int = 0, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    Tensor.apply([self, indices], "'gather' is used", Caller(file, line)) { context, location in
      guard let dimension = position(of: axis) else {
        return context.fail(axisDiagnostic(axis, "gather", location))
      }
      let coordinates = indices.expanded(at: -1, file: file, line: line)
      let operation = Gather(dimensions: [dimension])
      return context.append(.gather(operation), [self, coordinates], at: location)[0]
    }
  }
}

/// Tensors of known content.
extension Tensor {
  /// A tensor whose every element is a number.
  public static func filled(
    _ number: some TensorScalar, _ shape: [Int], _ dtype: DType = .f32, file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    let like = Tensor(0, dtype)
    return scalar(number, beside: like, "filled", Caller(file, line))
      .broadcast(to: shape, file: file, line: line)
  }

  /// The index along an axis: `[0, 1, 2, ...]`.
  public static func iota(
    _ shape: [Int], axis: Int = 0, _ dtype: DType = .i32, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    apply(.iota(Iota(TensorType(dtype, Shape(shape)), dimension: axis)), [], Caller(file, line))
  }
}

extension Tensor {
  /// An axis counted from 0; nil when there is none such.
  func position(of axis: Int) -> Int? {
    let position = axis < 0 ? axis + rank : axis
    return (0..<rank).contains(position) ? position : nil
  }

  /// Axes counted from 0, in order; nil when one does not exist or is named twice.
  func positions(of axes: [Int]) -> [Int]? {
    let positions = axes.compactMap { position(of: $0) }
    return Set(positions).count == axes.count ? positions.sorted() : nil
  }

  func axisDiagnostic(_ axis: Int, _ name: String, _ location: Location) -> Diagnostic {
    Diagnostic(
      .shapeMismatch, "\(name): the shape \(shape) has no axis \(axis)", at: location)
  }

  func axesDiagnostic(_ axes: [Int], _ name: String, _ location: Location) -> Diagnostic {
    Diagnostic(
      .shapeMismatch, "\(name): the axes \(axes) are not distinct axes of \(shape)", at: location)
  }
}
