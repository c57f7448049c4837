import GraphIR

/// What of a graph follows from constants alone.
struct ConstantNodes: Sendable {
  /// Whether a node depends on constant data, and on nothing that a run is given.
  private(set) var isConstant: [Bool]
  /// Whether a node is kept, so that its kernel runs once.
  var isComputedOnce: [Bool]
  /// The elements of the largest constant that a node depends on.
  private(set) var largestData: [Int]

  init(_ graph: FusionGraph) {
    var isGiven: [Bool] = []
    var largestData: [Int] = []
    for node in graph.nodes {
      switch node.kind {
      case .input:
        isGiven.append(true)
        largestData.append(0)
      case .constant:
        isGiven.append(false)
        largestData.append(node.type.shape.elementCount)
      case .map, .fold, .argFold, .contraction, .scatter:
        isGiven.append(node.operands.contains { isGiven[$0] })
        largestData.append(node.operands.reduce(0) { max($0, largestData[$1]) })
      }
    }
    isConstant = zip(isGiven, largestData).map { !$0 && $1 > 0 }
    self.largestData = largestData
    isComputedOnce = graph.nodes.map { _ in false }
  }

  /// Whether a group must not take in another one, because its kernel would then run each time.
  func separates(_ a: FusionGroup, _ b: FusionGroup) -> Bool {
    func isOnce(_ group: FusionGroup) -> Bool { group.members.contains { isComputedOnce[$0] } }
    func isFixed(_ group: FusionGroup) -> Bool { group.members.allSatisfy { isConstant[$0] } }
    return (isOnce(a) || isOnce(b)) && isFixed(a) != isFixed(b)
  }
}

extension KeptNodes {
  /// What is smaller is computed by the passes, or in no time.
  private static let smallBytes = 64 << 10

  /// Keeps what is computed from large constants alone, where other nodes read it.
  mutating func keepWhatIsConstant() {
    for reader in graph.nodes where !reader.operands.isEmpty {
      guard reader.operands.contains(where: { !constants.isConstant[$0] }) else { continue }
      var pending = reader.operands.filter { constants.isConstant[$0] }
      while let place = pending.popLast() {
        let node = graph.nodes[place]
        if node.isGiven || constants.isComputedOnce[place] { continue }
        if isKept[place] || isWorthKeeping(place, for: reader) {
          isKept[place] = true
          constants.isComputedOnce[place] = true
        } else {
          pending += node.operands.filter { constants.isConstant[$0] }
        }
      }
    }
  }

  /// Whether a constant node is better read than computed: it is no larger than what it is made of.
  private func isWorthKeeping(_ place: Int, for reader: FusionNode) -> Bool {
    let node = graph.nodes[place]
    let count = node.type.shape.elementCount
    guard node.type.byteCount > KeptNodes.smallBytes, count <= constants.largestData[place] else {
      return false
    }
    if !node.isIndexWork || !node.coordinates.isEmpty { return true }
    // Contractions copy what lies in another order; others would read across memory.
    return reader.kind != .contraction && !node.isReshape
      && node.operands.contains { graph.nodes[$0].type.shape.elementCount == count }
  }
}
