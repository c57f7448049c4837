import GraphIR

extension Tensor {
  /// A computation with a name that says what it means, kept whole in the graph.
  ///
  /// The body may use only the tensors that it is handed, and no parameters. The compiler may know a rule for the
  /// name; otherwise it computes the body.
  public static func composite(
    _ name: String, _ operands: [Tensor], file: String = #fileID, line: Int = #line,
    body: ([Tensor]) -> Tensor
  ) -> Tensor {
    composite(name, operands, Caller(file, line), body: body)
  }

  static func composite(
    _ name: String, _ operands: [Tensor], _ caller: Caller, body: ([Tensor]) -> Tensor
  ) -> Tensor {
    apply(operands, "'\(name)' is used", caller) { context, location in
      let path = context.currentPath
      let place = Location(file: location.file, line: location.line, path: path)
      let traced = context.body(name, operands.compactMap(\.type), at: place) { [body($0)] }
      switch traced {
      case .success(let graph):
        return context.append(
          .composite(Composite(name)), operands, bodies: [graph], at: location)[0]
      case .failure(let diagnostic):
        return context.fail(diagnostic)
      }
    }
  }

  /// The same tensor, through which no gradient flows.
  public func stoppingGradient(file: String = #fileID, line: Int = #line) -> Tensor {
    Tensor.composite("stop_gradient", [self], Caller(file, line)) { $0[0] }
  }

  /// e^x divided by its sum along an axis.
  public func softmax(_ axis: Int = -1, file: String = #fileID, line: Int = #line) -> Tensor {
    overAxis(axis, "softmax", Caller(file, line)) { x, axis in
      let exponentials = (x - x.max(axis, keepingDimensions: true)).exp()
      return exponentials / exponentials.sum(axis, keepingDimensions: true)
    }
  }

  /// The logarithm of `softmax`, computed without overflow.
  public func logSoftmax(_ axis: Int = -1, file: String = #fileID, line: Int = #line) -> Tensor {
    overAxis(axis, "log_softmax", Caller(file, line)) { x, axis in
      let shifted = x - x.max(axis, keepingDimensions: true)
      return shifted - shifted.exp().sum(axis, keepingDimensions: true).log()
    }
  }

  /// The cross-entropy of integer labels `[n, ...]` under the softmax of these logits `[n, ..., classes]`, for each
  /// label.
  ///
  /// A label outside of `0 ..< classes` picks no logit: the loss is the logarithm of the sum alone.
  public func softmaxCrossEntropy(
    labels: Tensor, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    let caller = Caller(file, line)
    return Tensor.apply([self, labels], "a loss is used", caller) { context, location in
      guard rank >= 2, labels.shape.extents == shape.extents.dropLast(), labels.dtype.isInteger
      else {
        return context.fail(
          Diagnostic(
            .shapeMismatch,
            "softmax cross-entropy: logits \(describedType) and labels \(labels.describedType) do "
              + "not fit", at: location,
            notes: [context.note("the logits", self), context.note("the labels", labels)],
            hint: "logits are [n, ..., classes], labels are integers [n, ...]"))
      }
      return Tensor.composite("softmax_cross_entropy", [self, labels], caller) { operands in
        let (logits, labels) = (operands[0], operands[1])
        let shifted = logits - logits.max(-1, keepingDimensions: true)
        let classes = Tensor.iota(logits.shape.extents, axis: logits.rank - 1, labels.dtype)
        let isLabel = labels.expanded(at: -1).isEqual(to: classes)
        let picked = isLabel.select(shifted, otherwise: Tensor(0, logits.dtype)).sum(-1)
        return shifted.exp().sum(-1).log() - picked
      }
    }
  }

  private func overAxis(
    _ axis: Int, _ name: String, _ caller: Caller, _ body: (Tensor, Int) -> Tensor
  ) -> Tensor {
    Tensor.apply([self], "'\(name)' is used", caller) { context, location in
      guard let axis = position(of: axis) else {
        return context.fail(axisDiagnostic(axis, name, location))
      }
      return Tensor.composite(name, [self], caller) { body($0[0], axis) }
    }
  }
}
