import Compiler
import GraphIR
import TestSupport
import Testing

@Suite struct MalformedTextTests {
  /// What parsing gives: the diagnostics, or none.
  private func errors(_ text: String) -> [Diagnostic] {
    do {
      _ = try Graph.parse(text, file: "f.mir")
      return []
    } catch {
      return error.all
    }
  }

  /// A graph around one statement.
  private func errors(statement: String) -> [Diagnostic] {
    errors("graph @g(%x: f32[2,3], %i: i32[2,3]) -> f32[2,3] {\n  \(statement)\n  return %x\n}\n")
  }

  @Test(arguments: [
    ("%0 = exp %y : f32[2,3]", Diagnostic.Code.name, "%y is not defined"),
    ("%0 = exq %x : f32[2,3]", .name, "'exq' is no operation"),
    ("%0 = exp %i : i32[2,3]", .typeMismatch, "exp is not defined for i32[2,3]"),
    ("%0 = exp %x : f32[3,2]", .typeMismatch, "gives f32[2,3], not f32[3,2]"),
    ("%0 = exp %x", .syntax, "expected ':'"),
    ("%0 = exp %x : f31[2,3]", .syntax, "'f31' is no element type"),
    ("%0 = exp %x : f32[2,-3]", .sizeOverflow, "there is no tensor"),
    ("%0 = exp %x : f32[99999999999,99999999999]", .sizeOverflow, "there is no tensor"),
    ("%0 = exp %x : f32[99999999999999999999]", .syntax, "expected an extent"),
    ("%0 = exp %x {speed = 3} : f32[2,3]", .invalidAttribute, "no attribute speed"),
    ("%0 = exp %x {function = log} : f32[2,3]", .invalidAttribute, "no attribute function"),
    ("%0, %1 = exp %x : f32[2,3]", .wrongCount, "2 results are named for 1 types"),
    ("%x = exp %x : f32[2,3]", .name, "%x is defined twice"),
    ("%0 = add %x, %x, %x : f32[2,3]", .wrongCount, "takes 2 operands, not 3"),
    ("%0 = add %x, : f32[2,3]", .syntax, "expected a value"),
    ("%0 = transpose %x {permutation = [1]} : f32[3,2]", .invalidAttribute, "1 entry"),
    ("%0 = transpose %x {permutation = 1} : f32[3,2]", .invalidAttribute, "needs a list"),
    ("%0 = transpose %x {permutation = [a, b]} : f32[3,2]", .invalidAttribute, "an integer"),
    ("%0 = transpose %x {permutation = [1, 0], permutation = [1, 0]} : f32[3,2]", .name, "twice"),
    ("%0 = argmax %x : i32[2]", .invalidAttribute, "dimension is missing"),
    ("%0 = argmax %x {dimension = 1, dtype = f33} : i32[2]", .invalidAttribute, "f33"),
    ("%0 = constant 1.5 : i32", .invalidAttribute, "'1.5' is no element of i32"),
    ("%0 = constant 300 : u8", .invalidAttribute, "'300' is no element of u8"),
    ("%0 = constant 1e99 : f32", .invalidAttribute, "'1e99' is no element of f32"),
    ("%0 = constant [1, 2] : f32[3]", .invalidAttribute, "3 elements, but 2"),
    ("%0 = constant \"AAA\" : f32[3]", .invalidAttribute, "not base64"),
    ("%0 = constant \"AAAA\" : f32[3]", .invalidAttribute, "3 bytes are no data"),
    ("%0 = constant \"AgAA\" : bool[3]", .invalidAttribute, "are no data of bool[3]"),
    ("%0 = constant @c : f32[3]", .invalidAttribute, "@c is not beside the text"),
    ("%0 = constant 0 : u8[281474976710656]", .invalidAttribute, "too large"),
    ("%0 = exp %x : f32[2,3] loc(\"a\" \"b\")", .syntax, "expected"),
    ("%0 = exp %x : f32[2,3] %1 = exp %x : f32[2,3]", .syntax, "the end of the line"),
    ("%0 = exp \"%x : f32[2,3]", .syntax, "a string without an end"),
    ("%0 = exp % : f32[2,3]", .syntax, "a sign without a name"),
    ("%0 = exp %x ; : f32[2,3]", .syntax, "no meaning here"),
    ("%0 = composite %x : f32[2,3]", .syntax, "the composite's name"),
    ("%0 = composite @c %x : f32[2,3]", .wrongCount, "exactly one body, not 0"),
    (
      "%0 = exp %x graph @b() -> () { return } : f32[2,3]", .wrongCount, "takes no body"
    ),
    (
      "%0 = composite @c %x graph @b(%a: f32[3]) -> f32[3] { return %a } : f32[3]",
      .typeMismatch, "its body takes (f32[3])"
    ),
  ])
  func oneWrongStatement(_ statement: String, _ code: Diagnostic.Code, _ message: String) throws {
    let found = errors(statement: statement)
    let first = try #require(found.first, "accepted: \(statement)")
    #expect(found.count == 1, "\(found)")
    #expect(first.code == code, "\(first)")
    #expect(first.message.contains(message), "\(first)")
    #expect(first.location == Location(file: "f.mir", line: 2))
  }

  @Test func allErrorsAreReportedAtTheirLines() {
    let found = errors(
      """
      graph @g(%x: f32[3]) -> f32[3] {
        %0 = exq %x : f32[3]
        %1 = add %0, %x : f32[3]
        %2 = add %x, %nothing : f32[3]
        %3 = composite @c %x graph @b(%a: f32[3]) -> f32[3] {
          %0 = add %a : f32[3]
          return %0
        } : f32[3]
        %4 = exp %3 : f32[4]
        %5 = exp %x : f32[4]
        return %4
      }
      """)
    #expect(found.map(\.location.line) == [2, 4, 6, 10])
    #expect(found.first?.hint == "did you mean exp?")
  }

  @Test(arguments: [
    "", "graph", "graph @g", "graph @g(", "graph @g()", "graph @g() ->", "graph @g() -> ()",
    "graph @g() -> () {", "graph @g() -> () { return", "graph @1() -> () { return }",
    "graph @g() -> f32 { return }", "graph @g() -> () { return %x }", "%0 = exp %x : f32",
    "graph @g(%x: f32, %x: f32) -> () { return }",
    "graph @g(%x: f32 donates y) -> () { return }",
    "graph @g(%x: f32 donates y) -> (y: i32) {\n %0 = constant 1 : i32\n return %0 }",
    "graph @g(%x: f32) -> (y: f32, y: f32) { return %x, %x }",
    "graph @g(%x: f32) -> f64 { return %x }", "graph @g() -> () { return } graph",
    "graph @g(%x: f32, %y: f32 donates y, %z: f32 donates y) -> (y: f32) { return %x }",
  ])
  func wrongGraphs(_ text: String) throws {
    let found = errors(text)
    #expect(!found.isEmpty)
    for error in found {
      #expect(error.location.file == "f.mir" && error.location.line >= 1, "\(error)")
    }
  }

  @Test func deepNestingIsRefused() {
    let lists = String(repeating: "[", count: 100_000)
    #expect(!errors(statement: "%0 = transpose %x {permutation = \(lists)").isEmpty)
    let braces = String(repeating: "{a = ", count: 100_000)
    #expect(!errors(statement: "%0 = transpose %x \(braces)").isEmpty)
    let bodies = String(repeating: "%0 = composite @c graph @g() -> () {\n", count: 10_000)
    #expect(!errors("graph @g() -> () {\n\(bodies)").isEmpty)
  }

  @Test func composedGraphsNestNoDeeperThanTextCan() throws {
    var graph = try identity()
    for depth in 1...(Graph.maximumNesting + 1) {
      var builder = GraphBuilder(name: "outer")
      let x = builder.input("x", TensorType(.f32, []))
      do {
        let results = try builder.append(.composite(Composite("c")), [x], bodies: [graph])
        graph = try builder.finish(results)
      } catch {
        #expect(depth == Graph.maximumNesting + 1)
        #expect(error.code == .malformedGraph)
        break
      }
      #expect(depth <= Graph.maximumNesting)
    }
    #expect(try Graph.parse(graph.text(), file: "f.mir") == graph)
    try graph.verify()
  }

  private func identity() throws -> Graph {
    var builder = GraphBuilder(name: "inner")
    let x = builder.input("x", TensorType(.f32, []))
    return try builder.finish([x])
  }

  @Test func everyTruncationIsAnError() throws {
    let text = Array(try seedText().utf8.dropLast(2))
    for length in text.indices {
      let part = String(decoding: text[..<length], as: UTF8.self)
      #expect(!errors(part).isEmpty, "accepted: \(part)")
    }
  }

  /// Any bytes give a graph or diagnostics, never a trap; what is accepted is well-formed.
  @Test func flippedBytesNeverTrap() throws {
    let text = Array(try seedText().utf8)
    var generator = SplitMix64(seed: 11)
    let marks = Array("(){}[],:=%@\"-> \n/.a".utf8)
    var accepted = 0
    for _ in 0..<3000 {
      var bytes = text
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let position = bytes.indices.randomElement(using: &generator) ?? 0
        // Digits stay as they are: a large constant would cost time and memory, not a trap.
        guard !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) else { continue }
        bytes[position] =
          Bool.random(using: &generator)
          ? marks.randomElement(using: &generator) ?? 0
          : UInt8.random(in: 0...255, using: &generator)
      }
      let mutated = String(decoding: bytes, as: UTF8.self)
      guard let graph = try? Graph.parse(mutated, file: "f.mir") else { continue }
      accepted += 1
      try graph.verify()
      #expect(try Graph.parse(graph.text(), file: "f.mir") == graph)
    }
    #expect(accepted > 0)
  }

  private func seedText() throws -> String {
    let graph = try RandomGraph(seed: 4).make()
    return graph.text()
  }
}
