/// What one choice is made among, each with about what it costs.
struct Ranking<Choice> {
  /// All that was considered, in order.
  private(set) var all: [(choice: Choice, cost: Double)] = []
  /// Where among them the best is.
  private var best = 0
  /// The share of the best one's cost that another has to stay below to take its place: of about equal ones the first
  /// is taken.
  let margin: Double

  init(margin: Double = 1) { self.margin = margin }

  mutating func consider(_ choice: Choice, cost: Double) {
    if !all.isEmpty, cost < all[best].cost * margin { best = all.count }
    all.append((choice, cost))
  }

  /// What is taken; nil where nothing was considered.
  var first: (choice: Choice, cost: Double)? { all.isEmpty ? nil : all[best] }

  /// What is taken, then the others by their cost.
  var ordered: [(choice: Choice, cost: Double)] {
    guard let first else { return [] }
    let others = all.enumerated().filter { $0.offset != best }.sorted { a, b in
      a.element.cost != b.element.cost
        ? a.element.cost < b.element.cost : a.offset < b.offset
    }
    return [first] + others.map(\.element)
  }
}
