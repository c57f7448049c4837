import AllocationCounter
import GraphIR
import Martlet
import Runtime
import Testing

/// A graph of one small kernel costs little more than the kernel.
@Suite struct SmallKernelTests {
  static let type = TensorType(.f32, [16])

  static func add() throws -> Graph {
    var builder = GraphBuilder(name: "add")
    let (x, y) = (builder.input("x", type), builder.input("y", type))
    let sum = try builder.append(.binary(Binary(.add)), [x, y])
    return try builder.finish([Output("z", sum[0])])
  }

  /// The seconds of a call, in the best of many rounds: the others are disturbed by who else runs.
  static func seconds(_ call: () throws -> Void) rethrows -> Double {
    var best = Double.infinity
    for _ in 0..<200 {
      let time = try ContinuousClock().measure { for _ in 0..<20 { try call() } }
      best = min(best, Double(time.components.attoseconds) * 1e-18 / 20)
    }
    return best
  }

  @Test(arguments: [1, 2])
  func aRunAllocatesNothingAndTakesLessThan5Microseconds(threads: Int) throws {
    try #require(allocationsAreCounted() == 1)
    var session = try Session(try JITBackend(threads: threads).prepare(SmallKernelTests.add()))
    for (place, buffer) in session.inputs.enumerated() {
      buffer.write(
        Literal(
          SmallKernelTests.type,
          doubles: (0..<16).map { (element: Int) -> Double in Double(element + place) }))
    }
    try session.run()
    let before = allocationsOfThisThread()
    for _ in 0..<1000 { try session.run() }
    #expect(allocationsOfThisThread() == before)
    let sums: [Double] = (0..<16).map { (place: Int) -> Double in Double(2 * place + 1) }
    #expect(session.outputs[0].literal().doubles() == sums)
    let seconds = try SmallKernelTests.seconds { try session.run() }
    #expect(seconds < 5e-6, "\(seconds * 1e6) microseconds")
  }

  @Test func aCallByNameTakesLessThan5Microseconds() throws {
    let add = try compile(["x": SmallKernelTests.type, "y": SmallKernelTests.type]) {
      ["z": $0["x"] + $0["y"]]
    }
    let x = Literal(SmallKernelTests.type, doubles: (0..<16).map { Double($0) })
    let inputs = ["x": x, "y": x]
    let seconds = try SmallKernelTests.seconds { _ = try add(inputs) }
    #expect(seconds < 5e-6, "\(seconds * 1e6) microseconds")
    let z = try #require(try add(inputs)["z"])
    let sums: [Double] = (0..<16).map { (place: Int) -> Double in Double(2 * place) }
    #expect(z.doubles() == sums)
    // What a call leaves behind is not what the next one gives, nor does it change what the last one gave.
    let zeros = Literal(zeros: SmallKernelTests.type)
    #expect(try add(["x": zeros, "y": x])["z"]?.doubles() == x.doubles())
    #expect(z.doubles() == sums)
  }
}
