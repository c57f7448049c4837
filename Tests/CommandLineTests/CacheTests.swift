import Foundation
import Testing

/// The cache of compiled kernels, as a user meets it.
@Suite struct CacheTests {
  var program: Program

  init() throws {
    program = try Program()
    program.cache = program.file("cache").path
    _ = try program.write(
      """
      graph @scale(%x: f32[5]) -> (y: f32[5]) {
        %0 = exp %x : f32[5]
        return %0
      }
      """, to: "scale.mir")
    try program.writeArray([5], to: "x.npy")
  }

  private func run(_ program: Program, output: String) throws -> (error: String, result: Data) {
    let outcome = try program.run(
      "run", "scale.mir", "--input", "x=x.npy", "--output-dir", output, "--verbose")
    #expect(outcome.status == 0, "\(outcome.error)")
    return (outcome.error, try Data(contentsOf: program.file("\(output)/y.npy")))
  }

  @Test func aSecondStartCompilesNothingAndGivesTheSameBits() throws {
    let first = try run(program, output: "a")
    #expect(first.error.contains("miss: new"))
    #expect(first.error.contains("0 from the cache and 1 compiled"))
    let second = try run(program, output: "b")
    #expect(first.error.contains("scale: program: miss: new"))
    #expect(second.error.contains("scale: program: hit"))
    #expect(second.error.contains("1 from the cache and 0 compiled"))
    #expect(second.error.contains(program.cache))
    #expect(first.result == second.result)
    let doctor = try program.run("doctor", "--json")
    #expect(doctor.output.contains(#""cache_entries":2"#), "\(doctor.output)")
    #expect(doctor.output.contains(program.cache))
  }

  @Test func damageIsToldAndRepaired() throws {
    let first = try run(program, output: "a")
    let names = FileManager.default.enumerator(atPath: program.cache)?.allObjects as? [String] ?? []
    let entries = names.filter { $0.contains("/") }
    #expect(entries.count == 2)
    // The program's and the kernel's.
    for entry in entries {
      try Data([1, 2, 3]).write(to: URL(filePath: "\(program.cache)/\(entry)"))
      let second = try run(program, output: "b")
      #expect(second.error.contains("scale: program: miss: the entry is damaged"))
      #expect(second.result == first.result)
      #expect(try run(program, output: "c").error.contains("scale: program: hit"))
    }
  }

  @Test func whatWasTunedIsKept() throws {
    _ = try program.write(
      """
      graph @product(%x: f32[48,96], %w: f32[96,64]) -> (y: f32[48,64]) {
        %0 = dot %x, %w {contracting = [[1], [0]]} : f32[48,64]
        return %0
      }
      """, to: "product.mir")
    let arguments = ["bench", "product.mir", "--threads", "1", "--seconds", "0.01", "--verbose"]
    #expect(!(try program.run(arguments)).error.contains("tuning"))
    let first = try program.run(arguments + ["--autotune"])
    #expect(first.status == 0)
    #expect(first.error.contains(": tried tile") || first.error.contains(": tried blocks"))
    #expect(first.error.contains(": chosen: "), "\(first.error)")
    let second = try program.run(arguments + ["--autotune"])
    #expect(second.error.contains("product: program: hit"))
    #expect(!second.error.contains("tuning"), "\(second.error)")
    let compared = try program.run("compare", "product.mir", "--autotune", "--threads", "1")
    #expect(compared.status == 0, "\(compared.error)")
    let text = try program.run("dump", "product.mir", "--autotune", "--stage", "loops")
    #expect(text.status == 0 && text.output.contains("loops @dot"), "\(text.error)")
  }

  @Test func withoutACacheTheReasonIsTold() throws {
    var other = program
    other.cache = "off"
    let off = try run(other, output: "a")
    #expect(off.error.contains("miss: the cache is off: MARTLET_CACHE is off"))
    #expect(try other.run("doctor").output.contains("off: MARTLET_CACHE is off"))
    // A file is no folder.
    other.cache = program.file("x.npy").path
    let unwritable = try run(other, output: "b")
    #expect(unwritable.error.contains("new code could not be kept"))
    #expect(off.result == unwritable.result)
  }

  @Test func twoStartsAtOnceDoNotDisturbEachOther() async throws {
    let program = program
    let errors = try await withThrowingTaskGroup(of: String.self) { group in
      for number in 0..<4 {
        // A folder each: the program's output files stand in it.
        group.addTask {
          var other = try Program()
          other.cache = program.cache
          let outcome = try other.run(
            "bench", "perceptron", "--train", "--seconds", "0.05", "--threads", "\(1 + number % 2)",
            "--verbose")
          return outcome.status == 0 ? "" : outcome.error
        }
      }
      return try await group.reduce("") { $0 + $1 }
    }
    #expect(errors.isEmpty, "\(errors)")
    let last = try program.run("bench", "perceptron", "--train", "--seconds", "0.05", "--verbose")
    #expect(last.error.contains(" and 0 compiled"), "\(last.error)")
  }
}
