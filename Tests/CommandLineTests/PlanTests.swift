import Foundation
import Testing

/// `plan` says what a run then takes.
@Suite struct PlanTests {
  /// The numbers of `plan --json`.
  private func plan(_ program: Program, _ arguments: [String]) throws -> [String: Any] {
    let outcome = try program.run(["plan"] + arguments + ["--json"])
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(outcome.output.split(separator: "\n").count == 1)
    let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    return try #require(object as? [String: Any])
  }

  @Test func theNumbersAddUp() throws {
    let program = try Program()
    let plan = try plan(program, ["lenet", "--train", "--batch", "32", "--threads", "3"])
    func bytes(_ name: String) throws -> Int { try #require(plan[name + "_bytes"] as? Int) }
    // LeNet's 61,706 parameters, and two moments of each.
    #expect(try bytes("weights") == 4 * 61_706 && bytes("optimizer_state") == 8 * 61_706)
    let scratch = try bytes("shared_scratch") + 3 * bytes("worker_scratch")
    let rest = [
      "weights", "optimizer_state", "other_state", "input", "output", "constant", "computed_once",
      "packed_once", "prologue", "arena", "padding",
    ]
    #expect(try rest.map(bytes).reduce(0, +) + scratch == bytes("total"))
    #expect(try bytes("lower_bound") < bytes("total"))
    let steps = try #require(plan["timeline"] as? [[String: Any]])
    let peak = try #require(plan["peak_launch"] as? Int)
    #expect(try steps[peak]["live_bytes"] as? Int == bytes("arena_lower_bound"))
  }

  @Test func theChartIsBounded() throws {
    let program = try Program()
    for arguments in [["gpt", "--train"], ["perceptron"], ["mlp", "--train", "--batch", "1"]] {
      let outcome = try program.run(["plan"] + arguments)
      #expect(outcome.status == 0, "\(outcome.error)")
      #expect(outcome.output.contains("  total "))
      #expect(outcome.output.split(separator: "\n").count <= 64)
    }
    let text = try program.run("plan", "gpt", "--train").output
    #expect(text.contains("in use at launch") && text.contains("(blocks.0."))
  }

  @Test func checkpointedActivationsTakeLess() throws {
    let program = try Program()
    let plain = try plan(program, ["gpt", "--train"])
    let less = try plan(program, ["gpt", "--train", "--checkpoint-activations"])
    let (a, b) = (plain["arena_bytes"] as? Int, less["arena_bytes"] as? Int)
    #expect(try #require(b) < #require(a))
    let compared = try program.run("compare", "mlp", "--train", "--checkpoint-activations")
    #expect(compared.status == 0, "\(compared.error)")
    let measured = try program.run(
      "bench", "lenet", "--train", "--batch", "8", "--seconds", "0.01", "--checkpoint-activations")
    #expect(measured.status == 0, "\(measured.error)")
    let trained = try program.run(
      "train", "softmax-regression", "--epochs", "1", "--checkpoint-activations")
    #expect(trained.status == 0, "\(trained.error)")
  }

  @Test func aFileHasAPlanToo() throws {
    let program = try Program()
    let step = try program.run("dump", "mlp", "--train").output
    let file = try program.write(step, to: "step.mir")
    let (ofFile, ofSample) = (try plan(program, [file]), try plan(program, ["mlp", "--train"]))
    #expect(ofFile["total_bytes"] as? Int == ofSample["total_bytes"] as? Int)
  }

  /// From one size of batch to another, code and graph stay the same, and the rest grows as planned; the examples are
  /// there twice more while they are prepared.
  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/self/status")))
  func theProcessGrowsAsPlanned() throws {
    let program = try Program()
    func measure(_ batch: Int) throws -> (planned: Int, inputs: Int, peak: Int) {
      let arguments = ["lenet", "--train", "--batch", "\(batch)"]
      let plan = try plan(program, arguments + ["--threads", "1"])
      let peak = try program.peakBytes(
        ["bench"] + arguments + ["--threads", "1", "--seconds", "0.01"])
      return (
        try #require(plan["total_bytes"] as? Int), try #require(plan["input_bytes"] as? Int), peak
      )
    }
    let (small, large) = (try measure(64), try measure(2048))
    let planned = Double(large.planned - small.planned)
    let taken = Double(large.peak - small.peak)
    #expect(planned > 100e6)
    #expect(taken >= 0.95 * planned, "\(taken) bytes more, planned \(planned)")
    #expect(
      taken <= 1.05 * planned + 2 * Double(large.inputs - small.inputs),
      "\(taken) bytes more, planned \(planned)")
  }
}

extension Program {
  /// The most memory that a run of the program has had resident, as the system saw it (`VmHWM`).
  fileprivate func peakBytes(_ arguments: [String]) throws -> Int {
    let process = Process()
    process.executableURL = URL(filePath: Program.path)
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    var peak = 0
    while process.isRunning {
      let status = try? String(
        contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
      if let found = status?.firstMatch(of: /VmHWM:\s*(\d+) kB/), let kilobytes = Int(found.1) {
        peak = max(peak, kilobytes << 10)
      }
      usleep(500)
    }
    #expect(process.terminationStatus == 0)
    return peak
  }
}
