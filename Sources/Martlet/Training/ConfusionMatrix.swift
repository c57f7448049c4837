import GraphIR

/// How often the examples of each class are taken for each other.
public struct ConfusionMatrix: Hashable, Sendable {
  /// How often an example is of a class and taken for another: `counts[actual][predicted]`.
  public let counts: [[Int]]
  /// The names of the classes; numbers where they have none.
  public let classNames: [String]

  /// Makes a matrix of counts that lie row by row, a row for each actual class.
  init(counts: [Int], classNames: [String]) {
    let classes = Int(Double(counts.count).squareRoot())
    self.counts = (0..<classes).map { Array(counts[$0 * classes..<($0 + 1) * classes]) }
    self.classNames = (0..<classes).map { $0 < classNames.count ? classNames[$0] : "\($0)" }
  }

  /// The number of labels that were counted.
  public var total: Int { counts.joined().reduce(0, +) }

  /// The share of labels that are predicted, from 0 to 1.
  public var accuracy: Double {
    Double(counts.indices.map { counts[$0][$0] }.reduce(0, +)) / Double(max(total, 1))
  }
}

extension Metric {
  /// For each pair of classes, how often a label is the first and the prediction the second.
  ///
  /// What has one logit has two classes; labels that name no class do not count.
  static let confusion = Metric(
    "confusion",
    terms: { output, label in
      Tensor.apply([output, label], "a confusion matrix is made", .unknown) { context, location in
        guard let (actual, predicted) = classes(output, label) else {
          return context.fail(
            Diagnostic(
              .shapeMismatch,
              "\(output.shape) with labels \(label.shape) are no scores of classes", at: location,
              hint: "scores are [n, ..., classes], labels are integers [n, ...]"))
        }
        return actual.transposed([0, 2, 1]).matmul(predicted).flattened()
      }
    },
    value: { sums, count in
      let classes = Int(Double(sums.count).squareRoot())
      return (0..<classes).reduce(0) { $0 + sums[$1 * (classes + 1)] } / Double(count)
    })

  /// Which class a label names and which one is predicted, as zeros and ones `[n, places, classes]`; nil for what tells no
  /// classes apart.
  private static func classes(
    _ output: Tensor, _ label: Tensor
  ) -> (actual: Tensor, predicted: Tensor)? {
    let count = output.shape[0]
    func indicators(_ isClass: Tensor, _ classes: Int) -> Tensor {
      let places = isClass.shape.elementCount / max(count * classes, 1)
      return isClass.converted(to: .f32).reshaped(to: [count, places, classes])
    }
    let classes = output.shape[-1]
    if classes > 1, output.shape == label.shape, output.rank == 2 {
      // A label is a row with its class at the greatest place.
      return (
        indicators(label.argmax(-1).isClass(of: output), classes),
        indicators(output.argmax(-1).isClass(of: output), classes)
      )
    }
    if output.shape.elementCount == label.shape.elementCount {
      // One logit: its sign is the prediction.
      let pair = Tensor.filled(0.0, output.shape.extents + [2], .f32)
      let actual = label.asTarget(of: output).isGreater(than: 0.5).converted(to: .i32)
      let predicted = output.isGreater(than: 0).converted(to: .i32)
      return (
        indicators(actual.isClass(of: pair), 2), indicators(predicted.isClass(of: pair), 2)
      )
    }
    guard classes > 1, Array(output.shape.extents.dropLast()) == label.shape.extents else {
      return nil
    }
    return (
      indicators(label.isClass(of: output), classes),
      indicators(output.argmax(-1).isClass(of: output), classes)
    )
  }
}
