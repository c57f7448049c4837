import GraphIR

/// Which class each label names and which one is predicted, as zeros and ones `[n, places, classes]` of f32.
///
/// Outputs are scores `[n, ..., classes]` with integer labels `[n, ...]`, or with labels `[n, classes]` of which the
/// greatest counts; or they are single logits, whose sign is the prediction, with as many labels 0 or 1.
struct ClassIndicators {
  /// Which class a label names; a label that names none has zeros alone.
  let actual: Tensor
  /// Which class is predicted.
  let predicted: Tensor
  /// Whether the two classes are the no and the yes of a single logit.
  let isOfOneLogit: Bool

  private init(_ actual: Tensor, _ predicted: Tensor, of classes: Int, isOfOneLogit: Bool = false) {
    func indicators(_ isClass: Tensor) -> Tensor {
      let count = isClass.shape[0]
      let places = isClass.shape.elementCount / max(count * classes, 1)
      return isClass.converted(to: .f32).reshaped(to: [count, places, classes])
    }
    self.actual = indicators(actual)
    self.predicted = indicators(predicted)
    self.isOfOneLogit = isOfOneLogit
  }

  /// The indicators of outputs and labels; nil for what tells no classes apart.
  private init?(_ output: Tensor, _ label: Tensor) {
    let classes = output.shape[-1]
    if classes > 1, output.rank == 2, output.shape == label.shape {
      self.init(
        label.argmax(-1).isClass(of: output), output.argmax(-1).isClass(of: output), of: classes)
    } else if output.shape.elementCount == label.shape.elementCount {
      let pair = Tensor.filled(0.0, output.shape.extents + [2], .f32)
      let actual = label.asTarget(of: output).isGreater(than: 0.5).converted(to: .i32)
      let predicted = output.isGreater(than: 0).converted(to: .i32)
      self.init(
        actual.isClass(of: pair), predicted.isClass(of: pair), of: 2, isOfOneLogit: true)
    } else if classes > 1, Array(output.shape.extents.dropLast()) == label.shape.extents {
      self.init(label.isClass(of: output), output.argmax(-1).isClass(of: output), of: classes)
    } else {
      return nil
    }
  }

  /// Goes on with the indicators of outputs and labels; otherwise records that there are none.
  static func of(
    _ output: Tensor, _ label: Tensor, then body: (ClassIndicators) -> Tensor
  ) -> Tensor {
    Tensor.apply([output, label], "classes are counted", .unknown) { context, location in
      guard output.rank >= 1, let indicators = ClassIndicators(output, label) else {
        return context.fail(
          Diagnostic(
            .shapeMismatch,
            "\(output.shape) with labels \(label.shape) are no scores of classes", at: location,
            hint: "scores are [n, ..., classes], labels are integers [n, ...]"))
      }
      return body(indicators)
    }
  }
}

extension Tensor {
  /// Whether each class of some scores `[n, ..., classes]` is the one that these integers `[n, ...]` name.
  func isClass(of scores: Tensor) -> Tensor {
    let classes = Tensor.iota(scores.shape.extents, axis: scores.rank - 1, .i32)
    return converted(to: .i32).expanded(at: -1).isEqual(to: classes)
  }
}
