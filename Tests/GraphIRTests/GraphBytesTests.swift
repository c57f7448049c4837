import GraphIR
import Testing

/// Graphs as bytes, by which equal ones are found again.
@Suite struct GraphBytesTests {
  private func bytes(_ text: String) throws -> [UInt8] {
    try #require(try Graph.parse(text, file: "a.mir").bytes(withConstantsUpTo: 100))
  }

  @Test func equalGraphsHaveEqualBytesAndOthersHaveNot() throws {
    let text = """
      graph @g(%x: f32[2,3] donates out, %z: f32[3]) -> (out: f32[2,3]) {
        %c = constant [1, 2, 3] : f32[3]
        %0 = add %z, %c : f32[3]
        %1 = broadcast %0 {dimensions = [1]} : f32[2,3]
        %2 = multiply %x, %1 : f32[2,3] loc("block" "a.swift":3)
        return %2
      }
      """
    let plain = try bytes(text)
    #expect(try bytes(text) == plain)
    let changes = [
      ("@g", "@h"), ("out", "other"), ("%z", "%q"), ("%z, %c", "%c, %z"), ("1, 2, 3", "1, 2, 4"),
      ("= add", "= subtract"), (" donates out", ""), ("%x, %1", "%1, %x"), ("block", "blocks"),
      ("a.swift", "b.swift"), ("\":3", "\":4"), ("[2,3]", "[4,3]"), ("f32", "f64"),
    ]
    var seen: Set<[UInt8]> = [plain]
    for (old, new) in changes {
      let changed = try bytes(text.replacing(old, with: new))
      #expect(seen.insert(changed).inserted, "\(old) -> \(new)")
    }
  }

  /// Of large constants the bytes tell one from another, without holding them.
  @Test func largeConstantsAreToldApart() throws {
    func bytes(_ change: (Int, Float)?, _ shape: Shape = [1 << 12]) throws -> [UInt8] {
      var numbers = (0..<1 << 12).map { Float($0) }
      if let (place, number) = change { numbers[place] = number }
      var builder = GraphBuilder(name: "g")
      let x = builder.input("x", TensorType(.f32, shape))
      let sum = try builder.add(x, try builder.constant(Literal(shape, numbers)))
      let graph = try builder.finish([Output("y", sum)])
      return try #require(graph.bytes(withConstantsUpTo: 100))
    }
    let plain = try bytes(nil)
    #expect(plain.count < 1000)
    #expect(try bytes(nil) == plain)
    var seen: Set<[UInt8]> = [plain, try bytes(nil, [2, 1 << 11])]
    for place in [0, 1, 2, 2047, 4094, 4095] {
      // The sign alone, the lowest bit alone, and another number.
      for number in [-Float(place), Float(place).nextUp, 7.5] {
        #expect(seen.insert(try bytes((place, number))).inserted, "\(number) at \(place)")
      }
    }
    #expect(seen.count == 20)
  }

  /// A property that is added must be written.
  @Test func noPropertyIsForgotten() throws {
    func properties(_ value: Any) -> [String] {
      Mirror(reflecting: value).children.compactMap(\.label)
    }
    let graph = try Graph.parse(
      "graph @g(%x: f32[3]) -> (y: f32[3]) {\n  %0 = exp %x : f32[3]\n  return %0\n}",
      file: "a.mir")
    // The table of definitions and the numbers of results follow from the nodes.
    #expect(properties(graph) == ["name", "inputs", "nodes", "outputs", "definingNode"])
    #expect(properties(graph.inputs[0]) == ["name", "type", "donatedTo", "location"])
    #expect(properties(graph.outputs[0]) == ["name", "value"])
    #expect(
      properties(graph.nodes[0]) == [
        "operation", "operands", "firstResult", "types", "bodies", "literal", "location",
      ])
    #expect(properties(graph.nodes[0].location) == ["file", "line", "path"])
    #expect(properties(graph.nodes[0].types[0]) == ["dtype", "shape"])
    #expect(properties(graph.nodes[0].types[0].shape) == ["extents"])
  }
}
