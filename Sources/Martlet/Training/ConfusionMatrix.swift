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
      ClassIndicators.of(output, label) {
        $0.actual.transposed([0, 2, 1]).matmul($0.predicted).flattened()
      }
    },
    value: { sums, count in
      let classes = Int(Double(sums.count).squareRoot())
      return (0..<classes).reduce(0) { $0 + sums[$1 * (classes + 1)] } / Double(count)
    }
  ).readingSigns()
}
