import ArgumentParser
import GraphIR
import Martlet

/// `martlet train`: trains a sample.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train a sample and test what it learned.",
    discussion: """
      EXAMPLES:
        martlet train lenet
        martlet train mlp --epochs 3 --batch 128 --seed 7 --save mlp.safetensors
        martlet train perceptron --backend interpreter
      """)

  @Argument(help: "A sample's name (see `martlet list`).")
  var model: String

  @Option(help: "How many times to go through the data (default: the sample's).")
  var epochs: PositiveInteger?

  @Option(help: "The number of examples in a step (default: the sample's).")
  var batch: PositiveInteger?

  @Option(help: "The learning rate (default: the sample's).")
  var learningRate: PositiveNumber?

  @Option(help: "Decides first values, shuffling and dropout.")
  var seed: UInt64 = 0

  @Option(help: "Write a checkpoint (.safetensors) at the end.")
  var save: String?

  @Flag(help: "Compute activations again in the backward pass: less memory, more time.")
  var checkpointActivations = false

  @OptionGroup var options: BackendOptions

  @OptionGroup var report: ReportOptions

  func run() throws {
    let sample = try LoadedModel.sample(named: model)
    // Known before the training that would be lost.
    if let save { try requireWritable(save) }
    let trainer = try sample.trainer(
      Sample.Options(
        learningRate: learningRate?.value ?? sample.learningRate, seed: seed,
        backend: options.makeBackend(report, checkpointingActivations: checkpointActivations)))
    let data = try sample.data()
    try trainer.fit(
      data.train, validation: data.validation, batch: batch?.value ?? sample.batch,
      epochs: epochs?.value ?? sample.epochs)
    let result = try trainer.evaluate(data.test)
    if let save {
      try trainer.save(to: save)
      print("saved \(save)")
    }
    if let accuracy = result["accuracy"] {
      print("test loss \(result.loss.fixed(4))")
      print("test accuracy \((100 * accuracy).fixed(1)) %")
    } else {
      print("test loss \(result.loss.fixed(4))")
    }
  }
}
