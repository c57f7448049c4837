import Foundation
import Testing

/// The verbs, end to end.
@Suite struct VerbTests {
  static let samples = ["perceptron", "softmax-regression", "mlp", "lenet", "resnet18", "gpt"]
  let program: Program

  init() throws { program = try Program() }

  @Test func trainSavesTheSameBitsOnAnyNumberOfThreads() throws {
    for (name, threads, seed) in [("a", "1", "3"), ("b", "2", "3"), ("c", "1", "4")] {
      let outcome = try program.run(
        "train", "softmax-regression", "--epochs", "2", "--seed", seed, "--threads", threads,
        "--save", "\(name).safetensors")
      #expect(outcome.status == 0, "\(outcome.error)")
      #expect(outcome.output.contains(/test accuracy \d+\.\d %/))
    }
    let files = try ["a", "b", "c"].map { try Data(contentsOf: program.file("\($0).safetensors")) }
    #expect(files[0] == files[1])
    #expect(files[0] != files[2])
  }

  @Test func trainLeavesAPageAndPlotDrawsItsHistory() throws {
    let training = try program.run(
      "train", "softmax-regression", "--epochs", "2", "--report", "out/page")
    #expect(training.status == 0, "\(training.error)")
    #expect(training.output.contains("wrote out/page/index.html"))
    let files = try FileManager.default.contentsOfDirectory(atPath: program.file("out/page").path)
    #expect(files.sorted() == ["history.csv", "index.html"])
    let page = try String(contentsOf: program.file("out/page/index.html"), encoding: .utf8)
    #expect(page.contains("Wrong examples") && page.contains("norm of the gradient"))

    let plot = try program.run("plot", "out/page", "--metric", "accuracy")
    #expect(plot.status == 0, "\(plot.error)")
    let lines = plot.output.split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 80 } && !plot.output.contains("\u{1B}"))
    #expect(lines.prefix(2) == ["accuracy", "a training   b test"])
    // Two runs have a name each, and a chart can be a file.
    let file = program.file("out/page/history.csv")
    try FileManager.default.copyItem(at: file, to: program.file("history-other.csv"))
    let both = try program.run("plot", "out/page", "history-other.csv")
    #expect(both.output.contains("a page   b other"), "\(both.output)")
    #expect(try program.run("plot", "out/page", "--svg", "loss.svg").status == 0)
    let drawing = try String(contentsOf: program.file("loss.svg"), encoding: .utf8)
    #expect(drawing.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\""))
    let unknown = try program.run("plot", "out/page", "--metric", "nonsense")
    #expect(unknown.status == 1 && unknown.error.contains("there is loss, accuracy"))
  }

  @Test func aTrainedClassifierNamesADigit() throws {
    let picture = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Samples/Data/mnist5k/digit.png").path
    let training = try program.run("train", "mlp", "--epochs", "3", "--save", "m.safetensors")
    #expect(training.status == 0, "\(training.error)")
    let outcome = try program.run("predict", "mlp", picture, "--weights", "m.safetensors")
    #expect(outcome.status == 0, "\(outcome.error)")
    let line = outcome.output.split(separator: "\n").first { $0.hasSuffix("<") }
    #expect(line?.drop { $0 == " " }.hasPrefix("7") == true, "\(outcome.output)")
    // Weights that another optimizer drove beyond all numbers.
    let wild = try program.run(
      "train", "mlp", "--epochs", "1", "--optimizer", "sgd", "--learning-rate", "1e9", "--save",
      "wild.safetensors")
    #expect(wild.status == 0 && wild.output.contains("nan"))
    let shown = try program.run("predict", "mlp", picture, "--weights", "wild.safetensors")
    #expect(shown.status == 0 && shown.output.contains("nan"), "\(shown.error)")
  }

  @Test(arguments: samples)
  func graphStagesParseBack(_ sample: String) throws {
    for stage in ["graph", "optimized"] {
      let text = try program.run("dump", sample, "--train", "--stage", stage)
      #expect(text.status == 0, "\(text.error)")
      let file = try program.write(text.output, to: "\(stage).mir")
      let back = try program.run("opt", file, "--passes", "")
      #expect(back.output == text.output, "\(back.error)")
    }
  }

  @Test(arguments: [
    ("kernels", "kernel @"), ("loops", "parallel"), ("llvm", "define"), ("asm", "mm"),
  ])
  func stages(_ stage: String, _ content: String) throws {
    let outcome = try program.run("dump", "lenet", "--train", "--stage", stage)
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(outcome.output.contains(content))
  }

  @Test func dumpsOtherwise() throws {
    #expect(try program.run("dump", "mlp", "--format", "dot").output.hasPrefix("digraph"))
    #expect(try program.run("dump", "mlp", "--after", "simplify").output.hasPrefix("graph @"))
    #expect(!(try program.run("dump", "mlp", "--no-locations").output.contains("loc(")))
  }

  @Test func runWritesWhatTheInterpreterSays() throws {
    let graph = """
      graph @scale(%x: f32[5]) -> (y: f32[5]) {
        %0 = constant 3 : f32
        %1 = broadcast %0 {shape = [5]} : f32[5]
        %2 = multiply %x, %1 : f32[5]
        return %2
      }
      """
    let file = try program.write(graph, to: "scale.mir")
    try program.writeArray([5], to: "x.npy")
    for backend in ["jit", "interpreter"] {
      let outcome = try program.run(
        "run", file, "--input", "x=x.npy", "--output-dir", backend, "--backend", backend)
      #expect(outcome.status == 0, "\(outcome.error)")
    }
    let results = try ["jit", "interpreter"].map {
      try Data(contentsOf: program.file("\($0)/y.npy"))
    }
    #expect(results[0] == results[1])
    let last = results[0].suffix(4).withUnsafeBytes { $0.loadUnaligned(as: Float.self) }
    #expect(last == 12)
  }

  @Test func benchPrintsOneLineOfJSON() throws {
    let outcome = try program.run(
      "bench", "perceptron", "--train", "--batch", "16", "--threads", "1", "--seconds", "0.1",
      "--json")
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(outcome.output.split(separator: "\n").count == 1)
    let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    let fields = try #require(object as? [String: Any])
    let names = """
      model mode backend threads batch min_ms median_ms runs compile_ms peak_bytes \
      lower_bound_bytes flops kernels
      """
    for name in names.split(separator: " ") { #expect(fields[String(name)] != nil, "\(name)") }
  }

  @Test func doctorMeasuresMemoryBySize() throws {
    struct Report: Decodable {
      struct Memory: Decodable {
        var bytes: Int
        var read_gbytes: Double
        var copy_gbytes: Double
      }
      var gflops_one_thread: Double
      var memory_one_thread: [Memory]
      var memory_all_threads: [Memory]
    }
    let outcome = try program.run("doctor", "--json", "--threads", "2")
    #expect(outcome.status == 0, "\(outcome.error)")
    let report = try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
    #expect(report.gflops_one_thread > 0)
    for sizes in [report.memory_one_thread, report.memory_all_threads] {
      #expect(sizes.count > 4 && sizes.allSatisfy { $0.read_gbytes > 0 && $0.copy_gbytes > 0 })
      // What lies in the nearest cache is read faster than what no cache holds.
      let (first, last) = (try #require(sizes.first), try #require(sizes.last))
      #expect(first.bytes < last.bytes && first.read_gbytes > last.read_gbytes)
    }
  }

  @Test func checkMathNamesTheWorstArgument() throws {
    let outcome = try program.run("check-math", "tanh", "power", "--samples", "20000")
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(outcome.output.contains(/tanh +20000 +[01]\.\d+  2\.0   tanh\(.+\) = .+, exactly/))
    #expect(outcome.output.contains(/power +20000 +[01]\.\d+  2\.0   power\(.+, .+\) =/))
  }

  @Test func othersAnswer() throws {
    #expect(try program.run("bench", "perceptron", "--profile", "--seconds", "0.1").status == 0)
    #expect(try program.run("list").output.contains("lenet"))
    #expect(try program.run("list", "--json").status == 0)
    #expect(try program.run("doctor").output.contains("LLVM"))
    #expect(try program.run("fuzz", "--count", "3", "--seed", "9").status == 0)
    #expect(try program.run("compare", "perceptron", "--train").status == 0)
    #expect(try program.run("--help").output.contains("EXAMPLES"))
  }

  @Test func compareTellsScripts() throws {
    let right = try program.run("compare", "perceptron", "--train", "--json")
    #expect(right.status == 0, "\(right.error)")
    #expect(right.output.contains(/"equal":true/) && right.output.contains(/"name":"loss"/))
    let wrong = try program.run(
      "compare", "perceptron", "--train", "--json", "--plant", "schedule-wrong-reduction-start")
    #expect(wrong.status == 1)
    #expect(wrong.output.contains(/"equal":false/) && wrong.output.contains(/"stage":"schedule"/))
    for output in [right.output, wrong.output] {
      #expect(output.split(separator: "\n").count == 1)
      #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(output.utf8)) }
    }
  }

  @Test func aPlantedFaultFailsAndIsNamed() throws {
    let outcome = try program.run(
      "compare", "lenet", "--train", "--plant", "schedule-swaps-rows")
    #expect(outcome.status == 1)
    #expect(outcome.output.contains("MISMATCH after schedule"))
    #expect(outcome.error.contains("Samples/"))
  }
}
