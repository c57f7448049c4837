import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A run that was ended from outside goes on to the same weights.
@Suite struct ResumeTests {
  let arguments = [
    "train", "perceptron", "--epochs", "20", "--batch", "8", "--checkpoint", "run",
  ]

  /// Starts the program, ends it by a signal once there is a checkpoint, and gives its status.
  func end(_ program: Program, by signal: Int32) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(filePath: Program.path)
    // So many checkpoints that the signal comes long before the end.
    process.arguments = arguments + ["--every", "1"]
    process.currentDirectoryURL = program.folder
    process.environment = ["MARTLET_CACHE": "off"]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    while process.isRunning,
      !FileManager.default.fileExists(atPath: program.file("run").path)
    {
      usleep(500)
    }
    usleep(3000)
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    return process.terminationStatus
  }

  @Test func aKilledRunGoesOnToTheSameWeights() throws {
    let program = try Program()
    let whole = try program.run(
      "train", "perceptron", "--epochs", "20", "--batch", "8", "--save", "whole")
    #expect(whole.status == 0)
    for signal in [SIGKILL, SIGTERM] {
      let status = try end(program, by: signal)
      #expect(status == (signal == SIGKILL ? 9 : 143))
      let refused = try program.run(arguments)
      #expect(refused.status == 1 && refused.error.contains("--resume"))
      let resumed = try program.run(arguments + ["--resume", "--save", "resumed"])
      #expect(resumed.status == 0, "\(resumed.error)")
      #expect(
        try Data(contentsOf: program.file("resumed")) == Data(contentsOf: program.file("whole")))
      #expect(
        resumed.output.hasSuffix(
          whole.output.split(separator: "\n").suffix(2).joined(separator: "\n") + "\n"))
      let names = try FileManager.default.contentsOfDirectory(atPath: program.folder.path)
      #expect(!names.contains { $0.hasSuffix(".tmp") })
      try FileManager.default.removeItem(at: program.file("run"))
    }
  }

  /// A file that may not grow is what a full disk is to whoever writes it.
  @Test func aFullDiskLeavesTheCheckpoint() throws {
    let program = try Program()
    let arguments = ["train", "perceptron", "--epochs", "1", "--checkpoint", "run"]
    #expect(try program.run(arguments).status == 0)
    let before = try Data(contentsOf: program.file("run"))
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = [
      "-c",
      "trap '' XFSZ; ulimit -f 1; exec \(Program.path) train perceptron --epochs 2 --checkpoint run --resume 2>&1 | cat",
    ]
    process.currentDirectoryURL = program.folder
    process.environment = ["MARTLET_CACHE": "off", "PATH": "/usr/bin:/bin"]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(text.contains("cannot be written"), "\(text)")
    #expect(try Data(contentsOf: program.file("run")) == before)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: program.folder.path).count {
        $0.hasPrefix("run")
      } == 1)
    let resumed = try program.run(
      "train", "perceptron", "--epochs", "2", "--checkpoint", "run", "--resume")
    #expect(resumed.status == 0 && resumed.output.contains("test accuracy"))
  }
}
