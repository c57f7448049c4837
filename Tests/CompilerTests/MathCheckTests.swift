import Compiler
import GraphIR
import Testing

/// The check of the vector mathematics: what it measures, what it finds, and that the functions pass.
@Suite struct MathCheckTests {
  /// Those that are approximations are checked, and no others.
  @Test func allFunctions() {
    let names = MathFunction.all.map(\.name)
    #expect(
      Set(names)
        == [
          "exp", "expm1", "log", "log1p", "rsqrt", "sin", "cos", "tanh", "sigmoid", "softplus",
          "erf", "power",
        ])
    #expect(MathFunction.all.allSatisfy { $0.accuracy.ulps <= 2 })
  }

  @Test(arguments: MathFunction.all)
  func sampledArguments(_ function: MathFunction) throws {
    let report = try MathCheck.run(function, .samples(1 << 20), threads: 2)
    #expect(report.isRight, "\(report.worst)")
    // The result is rounded: none can be closer than half a unit throughout.
    #expect(report.worst.ulps > 0.49, "\(report.worst)")
  }

  @Test func aWrongCoefficientIsFound() throws {
    let report = try MathCheck.run(
      .unary(.exp), .samples(1 << 16), threads: 1, fault: .llvmWrongCoefficient)
    #expect(!report.isRight && report.worst.ulps.isFinite, "\(report.worst)")
  }

  /// The same result is named whatever the number of threads.
  @Test func threadsDoNotMatter() throws {
    let reports = try [1, 2, 3].map {
      try MathCheck.run(.unary(.sigmoid), .samples(100_000), threads: $0)
    }
    #expect(Set(reports.map(\.worst)).count == 1)
  }

  @Test func unitsInTheLastPlace() {
    #expect(MathCheck.ulps(1, 1) == 0)
    #expect(MathCheck.ulps(Float(1).nextUp, 1) == 1)
    #expect(MathCheck.ulps(3, 3 + 0x1p-23) == 0.5)
    #expect(MathCheck.ulps(.leastNonzeroMagnitude, 0x1p-150) == 0.5)
    #expect(MathCheck.ulps(0, 0x1p-151) == 0.25)
    #expect(MathCheck.ulps(.infinity, 0x1.fffffep127) == 1)
    #expect(MathCheck.ulps(.infinity, 1e300) == 0)
  }

  @Test func specialValuesCount() {
    #expect(MathCheck.ulps(.nan, .nan) == 0)
    #expect(MathCheck.ulps(-0.0, -0.0) == 0)
    #expect(MathCheck.ulps(-.infinity, -.infinity) == 0)
    let wrong: [(Float, Double)] = [
      (.nan, 1), (1, .nan), (0, -0.0), (-0.0, 0), (0, -0x1p-151), (.infinity, -.infinity),
      (.greatestFiniteMagnitude, .infinity), (1, 0), (.infinity, 1), (1, .infinity),
    ]
    for (result, exact) in wrong {
      #expect(MathCheck.ulps(result, exact) > 1e9, "\(result) for \(exact)")
    }
  }
}
