import GraphIR
import Interpreter
import Runtime

/// Checks compiled functions of f32 against the interpreter's values in f64.
package struct MathCheck {
  /// A result and what it should be.
  package struct Case: Hashable, Sendable {
    package var arguments: [Float]
    package var result: Float
    package var exact: Double
    /// The distance in units in the last place; infinite where a special value is wrong.
    package var ulps: Double
  }

  /// What was found.
  package struct Report: Sendable {
    package var function: MathFunction
    /// The number of arguments, or pairs of them.
    package var count: Int
    /// The result that is farthest off.
    package var worst: Case

    /// Whether no result is farther off than the function may be.
    package var isRight: Bool { worst.ulps <= function.accuracy.ulps }
  }

  /// Elements in one run of the kernel.
  private static let chunk = 1 << 14

  /// Checks a function on some threads.
  ///
  /// - Parameter fault: breaks a stage on purpose, to see the check at work.
  /// - Throws: when the function cannot be compiled.
  package static func run(
    _ function: MathFunction, _ arguments: MathArguments, threads: Int, fault: PlantedFault? = nil
  ) throws(Diagnostic) -> Report {
    let options = CompileOptions(threads: 1, fault: fault)
    let executable = try JITBackend(options: options).prepare(function.graph(count: chunk))
    let pool = ThreadPool(threads: threads)
    var workers: [Worker] = []
    for _ in 0..<pool.threads {
      workers.append(try Worker(function, arguments, executable))
    }
    workers.withUnsafeBufferPointer { workers in
      guard var base = workers.baseAddress else { return }
      pool.run(
        taskCount: (arguments.count + chunk - 1) / chunk,
        { context, task, worker in
          context.assumingMemoryBound(to: UnsafePointer<Worker>.self).pointee[worker].check(task)
        }, &base)
    }
    if let failure = workers.compactMap(\.failure).first { throw failure }
    // The first of several with the same error, whatever the number of threads.
    let worst = workers.compactMap(\.worst).max {
      ($0.case.ulps, $1.place) < ($1.case.ulps, $0.place)
    }
    guard let worst else { throw Diagnostic(.argument, "there are no arguments to check") }
    return Report(function: function, count: arguments.count, worst: worst.case)
  }

  /// The distance of a result from the exact value, in units in the last place of the exact value's binade.
  ///
  /// - Returns: infinity where NaN, an infinity or the sign of a zero is wrong.
  @inline(__always)
  package static func ulps(_ result: Float, _ exact: Double) -> Double {
    if result.isNaN || exact.isNaN { return result.isNaN && exact.isNaN ? 0 : .infinity }
    if result == 0 || result.isInfinite, result == Float(exact) {
      return result.sign == exact.sign
        ? (exact == 0 || result.isInfinite ? 0 : abs(exact) * 0x1p149) : .infinity
    }
    if exact.isInfinite || exact == 0 { return .infinity }
    // An overflow too early is as far off as the number after the largest.
    let value = result.isInfinite ? (result < 0 ? -0x1p128 : 0x1p128) : Double(result)
    if result == 0, result.sign != exact.sign { return .infinity }
    let binade = Double(bitPattern: exact.bitPattern & 0x7FF0_0000_0000_0000)
    let unit = max(min(binade, 0x1p127) * 0x1p-23, 0x1p-149)
    return abs(value - exact) / unit
  }
}

/// One thread's share of a check.
private final class Worker {
  /// The result that is farthest off, and where in the order of the arguments it stands.
  private(set) var worst: (place: Int, case: MathCheck.Case)?
  private(set) var failure: Diagnostic?
  private let function: MathFunction
  private let arguments: MathArguments
  private var session: Session

  init(
    _ function: MathFunction, _ arguments: MathArguments, _ executable: any Executable
  ) throws(Diagnostic) {
    self.function = function
    self.arguments = arguments
    session = try Session(executable)
  }

  /// Checks a block of as many arguments as the kernel takes.
  func check(_ block: Int) {
    guard failure == nil else { return }
    let inputs = session.inputs.map { $0.bytes.bindMemory(to: Float.self) }
    let chunk = session.outputs[0].type.shape.elementCount
    let places = block * chunk..<min((block + 1) * chunk, arguments.count)
    defer { withExtendedLifetime(session.outputs) {} }
    fill(inputs, places)
    do throws(Diagnostic) { try session.run() } catch { failure = error }
    let results = session.outputs[0].bytes.bindMemory(to: Float.self)
    guard let exact = function.reference(inputs.map { $0[..<places.count].map(Double.init) })
    else {
      failure = Diagnostic(.internalError, "\(function.name) is not defined for floats")
      return
    }
    var largest = worst?.case.ulps ?? -1
    for index in 0..<places.count {
      let ulps = MathCheck.ulps(results[index], exact[index])
      guard ulps > largest else { continue }
      largest = ulps
      worst = (
        places.lowerBound + index,
        MathCheck.Case(
          arguments: inputs.map { $0[index] }, result: results[index], exact: exact[index],
          ulps: ulps)
      )
    }
  }

  private func fill(_ inputs: [UnsafeMutableBufferPointer<Float>], _ places: Range<Int>) {
    for (index, place) in places.enumerated() {
      if inputs.count == 1 {
        inputs[0][index] = arguments.argument(place)
      } else {
        (inputs[0][index], inputs[1][index]) = arguments.pair(place)
      }
    }
  }
}
