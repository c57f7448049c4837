/// A network of which the cheapest cut between its source and its sink is found (Dinic, "Algorithm for solution of a
/// problem of maximum flow in networks with power estimation", 1970).
struct MinimumCut {
  private struct Edge {
    var end: Int
    var capacity: Int
  }

  /// Edge 2 i + 1 is the way back of edge 2 i.
  private var edges: [Edge] = []
  private var outgoing: [[Int]] = [[], []]

  /// The place before everything.
  static let source = 0
  /// The place after everything.
  static let sink = 1
  /// More than any cut that has another choice.
  static let unlimited = 1 << 60

  /// Adds a place.
  mutating func addPlace() -> Int {
    outgoing.append([])
    return outgoing.count - 1
  }

  /// Makes it cost something that the first place is on the side of the source and the second on that of the sink.
  mutating func connect(_ start: Int, _ end: Int, cost: Int) {
    outgoing[start].append(edges.count)
    edges.append(Edge(end: end, capacity: cost))
    outgoing[end].append(edges.count)
    edges.append(Edge(end: start, capacity: 0))
  }

  /// Whether each place is on the side of the source; of several cheapest cuts, in that with the fewest places there.
  consuming func sourceSide() -> [Bool] {
    while true {
      let levels = levels()
      if levels[Self.sink] < 0 { return levels.map { $0 >= 0 } }
      var next = [Int](repeating: 0, count: outgoing.count)
      while push(levels, &next) {}
    }
  }

  /// The distance of each place from the source along edges with room; -1 where there is no way.
  private func levels() -> [Int] {
    var levels = [Int](repeating: -1, count: outgoing.count)
    levels[Self.source] = 0
    var reached = [Self.source]
    var position = 0
    while position < reached.count {
      let place = reached[position]
      position += 1
      for edge in outgoing[place] where edges[edge].capacity > 0 {
        let end = edges[edge].end
        if levels[end] < 0 {
          levels[end] = levels[place] + 1
          reached.append(end)
        }
      }
    }
    return levels
  }

  /// Sends what one shortest way holds; the ways may be long, so this does not recurse.
  private mutating func push(_ levels: [Int], _ next: inout [Int]) -> Bool {
    var way: [Int] = []
    var place = Self.source
    while place != Self.sink {
      if next[place] < outgoing[place].count {
        let edge = outgoing[place][next[place]]
        if edges[edge].capacity > 0, levels[edges[edge].end] == levels[place] + 1 {
          way.append(edge)
          place = edges[edge].end
        } else {
          next[place] += 1
        }
      } else if let last = way.popLast() {
        place = edges[last ^ 1].end
        next[place] += 1
      } else {
        return false
      }
    }
    let amount = way.map { edges[$0].capacity }.min() ?? 0
    for edge in way {
      edges[edge].capacity -= amount
      edges[edge ^ 1].capacity += amount
    }
    return amount > 0
  }
}
