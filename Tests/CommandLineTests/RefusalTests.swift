import Foundation
import Testing

/// What cannot be done is refused with a message, never with a crash.
@Suite struct RefusalTests {
  static let requests: [[String]] = [
    ["dump", "no-such-model"], ["dump", "missing.mir"], ["dump", "broken.mir"],
    ["dump", "binary.mir"], ["dump", "mlp", "--stage", "nonsense"],
    ["dump", "mlp", "--after", "x"],
    ["dump", "mlp", "--stage", "loops", "--format", "dot"],
    ["opt", "broken.mir", "--passes", "cse"],
    ["opt", "good.mir", "--passes", "cse,nonsense"], ["train", "lenet", "--batch", "0"],
    ["train", "lenet", "--batch", "-5"], ["train", "lenet", "--epochs", "0"],
    ["train", "lenet", "--learning-rate", "nan"], ["train", "no-such-model"],
    ["train"], ["train", "lenet", "--list"], ["train", "lenet", "--resume"],
    ["train", "lenet", "--folds", "1"], ["train", "lenet", "--folds", "5", "--save", "x"],
    ["gradcheck", "no-such-model"], ["gradcheck", "good.mir"],
    ["train", "lenet", "--checkpoint", "no/such/folder/x"],
    ["train", "lenet", "--optimizer", "nonsense"],
    ["train", "lenet", "--weight-decay", "-1"], ["search", "no-such-model"],
    ["search", "lenet", "--trials", "0"], ["search", "lenet", "--trials", "2", "--grid"],
    ["search", "perceptron", "--learning-rates", "1e-323,1e-322", "--trials", "1"],
    ["search", "lenet", "--trials", "1000001"],
    ["search", "lenet", "--learning-rates", "0.1,0.01"], ["search", "lenet", "--batches", "8,,"],
    ["train", "perceptron", "--epochs", "1", "--save", "no/such/folder/x.safetensors"],
    ["train", "perceptron", "--epochs", "1", "--report", "good.mir"],
    ["train", "perceptron", "--epochs", "1", "--report", ""],
    ["train", "perceptron", "--epochs", "1", "--report", "/proc/report"],
    ["plot", "good.mir"], ["plot", "no-such.csv"], ["plot", "."],
    ["run", "lenet", "--input", "image=/nonexistent.npy", "--output-dir", "out"],
    ["run", "good.mir", "--output-dir", "out"],
    ["run", "good.mir", "--input", "x=broken.mir", "--output-dir", "out"],
    ["run", "lenet", "--weights", "broken.mir", "--output-dir", "out"],
    ["bench", "lenet", "--threads", "0"], ["bench", "lenet", "--seconds", "-1"],
    ["bench", "lenet", "--seconds", "1e300"],
    ["compare", "lenet", "--plant", "nonsense"], ["compare", "good.mir", "--input", "y=x.npy"],
    ["predict", "mlp", "missing.png", "--weights", "broken.mir"], ["fuzz", "--count", "0"],
    ["check-math", "cosh"], ["check-math", "exp", "--samples", "0"],
    ["plan", "broken.mir"], ["plan", "nonsense"], ["plan", "lenet", "--threads", "0"],
    ["plan", "lenet", "--checkpoint-activations"], ["plan", "long.mir"],
    ["train", "lenet", "--backend", "interpreter", "--checkpoint-activations"],
    ["bench", "lenet", "--backend", "interpreter", "--autotune"], ["plan", "lenet", "--autotune"],
    ["dump", "good.mir", "--autotune", "--stage", "kernels"],
    ["dump", "good.mir", "--autotune", "--stage", "loops", "--after", "cse"],
    ["doctor", "--backend", "interpreter"], ["doctor", "--autotune"],
    ["nonsense"], ["train", "good.mir"], ["dump", "good.mir", "--train"],
    ["bench", "good.mir", "--batch", "3"], ["bench", "lenet", "--batch", "1000000000"],
    ["compare", "lenet", "--train", "--batch", "1073741824"], ["compare", "huge.mir"],
    ["bench", "huge.mir"], ["bench", "huge.mir", "--backend", "interpreter"],
    [
      "run", "mlp", "--weights", "other.safetensors", "--input", "image=x.npy", "--output-dir", "o",
    ],
    ["bench", "mlp", "--backend", "interpreter", "--profile", "--seconds", "0.01", "--batch", "1"],
  ]

  @Test(arguments: requests)
  func refused(_ arguments: [String]) throws {
    let program = try Program()
    _ = try program.write("graph @broken(%x: f32[2", to: "broken.mir")
    _ = try program.write("\u{0}\u{1}\u{7F}PNG", to: "binary.mir")
    _ = try program.write(
      "graph @good(%x: f32[2]) -> (y: f32[2]) {\n  %0 = negate %x : f32[2]\n  return %0\n}\n",
      to: "good.mir")
    _ = try program.write(
      "graph @huge(%x: f32[1000000,1000000]) -> (y: f32[1000000,1000000]) {\n"
        + "  %0 = negate %x : f32[1000000,1000000]\n  return %0\n}\n",
      to: "huge.mir")
    let square = "f32[16777216,16777216]"
    _ = try program.write(
      "graph @long(%x: \(square)) -> (y: \(square)) {\n"
        + "  %0 = dot %x, %x {contracting = [[1], [0]]} : \(square)\n  return %0\n}\n",
      to: "long.mir")
    try program.writeArray([2, 28, 28, 1], to: "x.npy")
    // A checkpoint without tensors: a header of two bytes.
    try Data([2, 0, 0, 0, 0, 0, 0, 0] + "{}".utf8).write(to: program.file("other.safetensors"))
    let outcome = try program.run(arguments)
    #expect(outcome.status > 0 && outcome.status < 124, "status \(outcome.status)")
    #expect(!outcome.error.isEmpty)
    #expect(!outcome.error.contains("Fatal error"))
  }

  /// A program cut off anywhere is refused with its line.
  @Test func truncatedPrograms() throws {
    let program = try Program()
    let text = try program.run("dump", "perceptron", "--train").output
    for length in stride(from: 1, to: text.utf8.count - 2, by: max(1, text.utf8.count / 12)) {
      let file = try program.write(
        String(decoding: text.utf8.prefix(length), as: UTF8.self), to: "cut.mir")
      let outcome = try program.run(["dump", file])
      #expect(outcome.status == 1, "cut at \(length)")
      #expect(outcome.error.contains("error["))
    }
  }

  @Test func aCheckpointThatCannotBeWrittenIsKnownBeforeTraining() throws {
    let program = try Program()
    for path in ["no/such/folder/x.safetensors", ".", ""] {
      for option in ["--save", "--checkpoint"] {
        let outcome = try program.run("train", "perceptron", "--epochs", "1", option, path)
        #expect(outcome.status == 1)
        #expect(outcome.error.contains("cannot be written") && !outcome.error.contains("epoch"))
      }
    }
  }
}
