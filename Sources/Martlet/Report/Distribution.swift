/// How numbers are distributed, kept as values of which equal shares lie between each and the next.
package struct Distribution: Hashable, Sendable, Codable {
  /// The least number, the greatest, and what lies between at equal shares; empty without numbers.
  package let quantiles: [Double]
  /// How many of the numbers are not finite.
  package let unusable: Int

  /// How many parts there are between the least and the greatest.
  private static let parts = 256

  /// Makes the distribution of some numbers; those that are not finite are only counted.
  package init(_ values: [Double]) {
    let sorted = values.filter(\.isFinite).sorted()
    unusable = values.count - sorted.count
    guard sorted.count > Distribution.parts + 1 else {
      quantiles = sorted
      return
    }
    quantiles = (0...Distribution.parts).map { part in
      sorted[(sorted.count - 1) * part / Distribution.parts]
    }
  }

  /// The number below which a share lies; 0 without numbers.
  package func quantile(_ share: Double) -> Double {
    guard let last = quantiles.indices.last else { return 0 }
    return quantiles[Int((Double(last) * min(max(share, 0), 1)).rounded())]
  }

  /// The share of the numbers between each of some rising values and the next, the last included.
  package func shares(_ edges: [Double]) -> [Double] {
    let below = edges.map { shareBelow($0) }
    var shares = zip(below, below.dropFirst()).map { $1 - $0 }
    // Numbers that equal the last edge lie within.
    if let edge = edges.last, edge == quantiles.last, !shares.isEmpty {
      shares[shares.count - 1] += 1 - (below.last ?? 1)
    }
    return shares
  }

  /// The share of the numbers below a value, which between two quantiles grows evenly.
  private func shareBelow(_ value: Double) -> Double {
    guard let least = quantiles.first, let greatest = quantiles.last else { return 0 }
    if value <= least { return 0 }
    if value > greatest { return 1 }
    var (low, high) = (0, quantiles.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if quantiles[middle] < value { low = middle + 1 } else { high = middle }
    }
    let (from, to) = (quantiles[low - 1], quantiles[low])
    return (Double(low - 1) + (value - from) / (to - from)) / Double(quantiles.count - 1)
  }
}
