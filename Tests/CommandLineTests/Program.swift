import Foundation

/// The built program, run as a user runs it.
struct Program {
  /// What a run left behind.
  struct Outcome {
    var status: Int32
    var output: String
    var error: String
  }

  /// The program lies beside the tests.
  static let path: String = URL(filePath: CommandLine.arguments[0])
    .deletingLastPathComponent().appending(path: "martlet").path

  /// A folder of this test's own.
  let folder: URL
  /// Where the program keeps compiled kernels; nowhere, as all tests.
  var cache = "off"

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "martlet-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  /// Runs the program in the folder.
  func run(_ arguments: String...) throws -> Outcome { try run(arguments) }

  /// Runs the program in the folder.
  func run(_ arguments: [String]) throws -> Outcome {
    let process = Process()
    process.executableURL = URL(filePath: Program.path)
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.environment = ProcessInfo.processInfo.environment.merging(["MARTLET_CACHE": cache]) {
      $1
    }
    // Files, since a pipe that nobody empties would stop the program.
    let (output, error) = (file("stdout"), file("stderr"))
    for url in [output, error] {
      _ = FileManager.default.createFile(atPath: url.path, contents: nil)
    }
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: error)
    try process.run()
    process.waitUntilExit()
    let signalled = process.terminationReason == .uncaughtSignal
    return Outcome(
      status: signalled ? -process.terminationStatus : process.terminationStatus,
      output: try String(contentsOf: output, encoding: .utf8),
      error: try String(contentsOf: error, encoding: .utf8))
  }

  func file(_ name: String) -> URL { folder.appending(path: name) }

  /// Writes a file and gives its name.
  func write(_ text: String, to name: String) throws -> String {
    try Data(text.utf8).write(to: file(name))
    return name
  }
}
