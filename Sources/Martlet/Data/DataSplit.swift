import GraphIR

/// A data set in parts: to train on, to choose by, and to judge with.
public struct DataSplit: Sendable {
  /// The examples that training sees.
  public let train: Dataset
  /// The examples by which settings are chosen; nil when there are none.
  public let validation: Dataset?
  /// The examples by which the result is judged.
  public let test: Dataset

  /// Makes a split of given parts.
  public init(train: Dataset, validation: Dataset? = nil, test: Dataset) {
    self.train = train
    self.validation = validation
    self.test = test
  }
}

extension Dataset {
  /// Parts this set into three, after a shuffle that the seed decides.
  ///
  /// - Parameters:
  ///   - validation: The share of all examples by which settings are chosen.
  ///   - test: The share of all examples by which the result is judged.
  ///   - stratified: Whether each part has of every class the same share, but for rounding.
  /// - Throws: when a share is negative or both together leave nothing to train on; when labels of a stratified split are
  ///   not classes.
  public func split(
    validation: Double = 0, test: Double, stratified: Bool = false, seed: UInt64 = 0
  ) throws(Diagnostic) -> DataSplit {
    guard validation >= 0, test >= 0, validation + test < 1 else {
      throw Diagnostic(
        .argument,
        "shares of \(validation) for validation and \(test) for the test do not split a set",
        hint: "shares are from 0 and together below 1")
    }
    let testCount = Int((Double(count) * test).rounded())
    let validationCount = min(Int((Double(count) * validation).rounded()), count - testCount)
    let trainCount = count - testCount - validationCount
    guard trainCount > 0 || count == 0 else {
      throw Diagnostic(
        .argument,
        "of \(count) examples, \(validationCount) for validation and \(testCount) for the test leave none to "
          + "train on")
    }
    let shuffled = permutation(seed: seed)
    if stratified {
      let classes = try classes()
      let (rest, test) = Dataset.part(shuffled, testCount, by: classes)
      let (train, validation) = Dataset.part(rest, validationCount, by: classes)
      return DataSplit(
        train: selecting(train), validation: validation.isEmpty ? nil : selecting(validation),
        test: selecting(test))
    }
    return DataSplit(
      train: selecting(Array(shuffled[..<trainCount])),
      validation: validationCount == 0
        ? nil : selecting(Array(shuffled[trainCount..<trainCount + validationCount])),
      test: selecting(Array(shuffled[(trainCount + validationCount)...])))
  }

  /// Parts this set `k` times, so that each example is in the test part once (k-fold cross-validation).
  ///
  /// The examples are shuffled as the seed decides and parted into `k` folds, whose sizes differ by at most one; each split
  /// has one fold to judge with and the others to train on.
  ///
  /// - Parameter stratified: Whether also the number of examples of each class differs by at most one between folds.
  /// - Throws: when `k` is not from 2 to the number of examples; when labels of stratified folds are not classes.
  public func folds(
    _ k: Int, stratified: Bool = false, seed: UInt64 = 0
  ) throws(Diagnostic) -> [DataSplit] {
    guard k >= 2, k <= count else {
      throw Diagnostic(
        .argument, "\(k) folds of \(count) examples",
        hint: "there are at least 2 folds, and in each at least one example")
    }
    let shuffled = permutation(seed: seed)
    // Dealt out one by one from an order by class, the examples of a class are spread evenly.
    let dealt = stratified ? Dataset.sorted(shuffled, by: try classes()) : shuffled
    var fold = [Int](repeating: 0, count: count)
    for (place, position) in dealt.enumerated() { fold[position] = place % k }
    return (0..<k).map { number in
      DataSplit(
        train: selecting(shuffled.filter { fold[$0] != number }),
        test: selecting(shuffled.filter { fold[$0] == number }))
    }
  }

  /// Takes `count` of some positions away, of each class its share: one more or less than its exact part at most.
  private static func part(
    _ positions: [Int], _ count: Int, by classes: [Int]
  ) -> (rest: [Int], taken: [Int]) {
    let all = positions.count
    let taken = Set(
      sorted(positions, by: classes).enumerated().filter { place, _ in
        (place + 1) * count / all > place * count / all
      }.map(\.element))
    return (positions.filter { !taken.contains($0) }, positions.filter { taken.contains($0) })
  }

  /// Positions by their class, and as they were within each.
  private static func sorted(_ positions: [Int], by classes: [Int]) -> [Int] {
    positions.enumerated().sorted {
      (classes[$0.element], $0.offset) < (classes[$1.element], $1.offset)
    }.map(\.element)
  }
}
