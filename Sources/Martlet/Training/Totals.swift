/// Running sums of the loss and of the metrics' terms.
struct Totals {
  private let metrics: [Metric]
  /// The loss first, then each metric's terms from its start on.
  private var sums: [Double]
  private let starts: [Int]
  private(set) var count = 0
  private(set) var steps = 0

  /// What has been summed up, for a checkpoint.
  struct Sums: Codable {
    var sums: [RunRecord.Exact]
    var count: Int
    var steps: Int
  }

  /// How many numbers are summed up.
  var sumCount: Int { sums.count }

  /// What has been summed up; to set it takes as many sums as there are.
  var saved: Sums {
    get { Sums(sums: sums.map { RunRecord.Exact($0) }, count: count, steps: steps) }
    set {
      guard newValue.sums.count == sums.count else { return }
      sums = newValue.sums.map(\.value)
      count = newValue.count
      steps = newValue.steps
    }
  }

  /// Makes sums for what a program gives.
  init(_ metrics: [Metric], _ program: Program) {
    self.metrics = metrics
    let sizes = program.outputs.prefix(metrics.count + 1).map(\.type.shape.elementCount)
    starts = sizes.indices.map { sizes[..<$0].reduce(0, +) }
    sums = [Double](repeating: 0, count: sizes.reduce(0, +))
  }

  /// Adds the outputs of a run, which are sums or means over a number of examples.
  ///
  /// Allocates nothing.
  mutating func add(_ program: Program, count: Int, areSums: Bool) {
    for (output, start) in starts.enumerated() {
      program.add(output: output, times: areSums ? 1 : Double(count), to: &sums, at: start)
    }
    self.count += count
    steps += 1
  }

  /// The sums of a metric's terms.
  func terms(ofMetric index: Int) -> [Double] {
    let end = index + 2 < starts.count ? starts[index + 2] : sums.count
    return Array(sums[starts[index + 1]..<end])
  }

  /// The mean loss and the metrics so far.
  var means: Evaluation {
    Evaluation(
      loss: sums[0] / Double(max(count, 1)),
      metrics: metrics.indices.map { index in
        (
          metric: metrics[index],
          value: metrics[index].value(terms(ofMetric: index), max(count, 1))
        )
      },
      count: count)
  }
}
