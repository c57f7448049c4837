import GraphIR
import Testing

@Suite struct ContractionTests {
  /// Shapes and dimensions of a dot.
  struct Case: CustomTestStringConvertible, Sendable {
    var lhs: Shape
    var rhs: Shape
    var op: Dot
    var testDescription: String { "\(lhs) \(rhs) \(op.batch) \(op.contracting)" }
  }

  @Test(arguments: [
    Case(lhs: [2, 3], rhs: [3, 5], op: Dot(contracting: [[1], [0]])),
    Case(lhs: [3, 2], rhs: [5, 3], op: Dot(contracting: [[0], [1]])),
    Case(lhs: [2, 3], rhs: [5, 3], op: Dot(contracting: [[1], [1]])),
    Case(lhs: [3], rhs: [3], op: Dot(contracting: [[0], [0]])),
    Case(lhs: [3], rhs: [2], op: Dot(contracting: [])),
    Case(lhs: [2, 3, 5], rhs: [3, 5, 7], op: Dot(contracting: [[1, 2], [0, 1]])),
    Case(lhs: [2, 3, 5], rhs: [5, 7, 3], op: Dot(contracting: [[1, 2], [2, 0]])),
    Case(lhs: [2, 3, 5], rhs: [2, 5, 3], op: Dot(batch: [[0], [0]], contracting: [[2], [1]])),
    Case(lhs: [3, 2, 5], rhs: [5, 3, 2], op: Dot(batch: [[1], [2]], contracting: [[0], [1]])),
    Case(
      lhs: [3, 2, 4, 5], rhs: [4, 5, 3, 2],
      op: Dot(batch: [[2, 0], [0, 2]], contracting: [[3], [1]])),
    Case(lhs: [2, 3], rhs: [2, 3], op: Dot(batch: [[0, 1], [0, 1]], contracting: [])),
    Case(
      lhs: [3, 1, 2], rhs: [2, 3, 1, 4], op: Dot(batch: [[1], [2]], contracting: [[0], [1]])),
  ])
  func dot(_ example: Case) throws {
    try expectGradients(of: [tensor(example.lhs), tensor(example.rhs, seed: 2)]) {
      try $0.node(.dot(example.op), $1[0], $1[1])
    }
  }

  @Test func dotWithItself() throws {
    try expectGradients(of: [tensor([3, 3])]) {
      try $0.node(.dot(Dot(contracting: [[1], [0]])), $1[0], $1[0])
    }
  }

  @Test func emptyContraction() throws {
    let found = try gradients(of: [tensor([2, 0]), tensor([0, 3])]) {
      try $0.node(.dot(Dot(contracting: [[1], [0]])), $1[0], $1[1])
    }
    #expect(found == [[], []])
  }

  @Test func everyAttributeOfConvolution() throws {
    // Each number leads to one combination; together they cover every value of every attribute.
    var numbers = Numbers(seed: 11)
    var tried = 0
    while tried < 60 {
      func pick(_ choices: [Int]) -> Int {
        choices[Int(numbers.next(0, Double(choices.count)))]
      }
      let spatial = pick([0, 1, 1, 2, 2])
      let groups = pick([1, 1, 2, 3])
      let dimensions = Array(0..<spatial)
      let op = Convolution(
        stride: dimensions.map { _ in pick([1, 2, 3]) },
        padding: dimensions.map { _ in [pick([-1, 0, 1, 2]), pick([-2, 0, 1, 3])] },
        inputDilation: dimensions.map { _ in pick([1, 1, 2, 3]) },
        kernelDilation: dimensions.map { _ in pick([1, 1, 2]) }, groups: groups)
      let perGroup = pick([1, 2])
      let input = [pick([1, 2])] + dimensions.map { _ in pick([1, 4, 5]) } + [groups * perGroup]
      let filter = dimensions.map { _ in pick([1, 2, 3]) } + [perGroup, groups * pick([1, 2])]
      let types = [TensorType(.f64, Shape(input)), TensorType(.f64, Shape(filter))]
      guard try op.inferTypes(types)[0].shape.elementCount > 0 else { continue }
      let literals = types.map { numbers.literal($0, -1, 1) }
      let reaches = try gradients(of: literals) { try $0.node(.convolution(op), $1[0], $1[1]) }
      // A window may cover nothing but padding; there is then nothing to see.
      guard reaches.contains(where: { $0.contains { $0 != 0 } }) else { continue }
      try expectGradients(of: literals) { try $0.node(.convolution(op), $1[0], $1[1]) }
      tried += 1
    }
  }

  @Test func convolutionWithoutWindows() throws {
    let op = Convolution(stride: [1], padding: [[0, 0]])
    let found = try gradients(of: [tensor([1, 2, 1]), tensor([3, 1, 1])]) {
      try $0.node(.convolution(op), $1[0], $1[1])
    }
    #expect(found == [[0, 0], [0, 0, 0]])
  }
}
