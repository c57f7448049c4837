import ArgumentParser
import GraphIR
import Martlet

extension OptimizerName: ExpressibleByArgument {}

/// A number from 0 to 10^9.
struct NonNegativeNumber: ExpressibleByArgument {
  let value: Double

  init?(argument: String) {
    guard let value = Double(argument), value >= 0, value <= 1e9 else { return nil }
    self.value = value
  }
}

/// Values with commas between them: `16,32,64`.
struct List<Element: ExpressibleByArgument>: ExpressibleByArgument {
  let elements: [Element]

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    elements = parts.compactMap { Element(argument: String($0)) }
    guard elements.count == parts.count else { return nil }
  }
}

/// What can be chosen for training a sample, in place of what the sample says.
struct RecipeOptions: ParsableArguments {
  @Option(help: "How many times to go through the data (default: the sample's).")
  var epochs: PositiveInteger?

  @Option(help: "The number of examples in a step (default: the sample's).")
  var batch: PositiveInteger?

  @Option(help: "The learning rate (default: the sample's, or the optimizer's that is named).")
  var learningRate: PositiveNumber?

  @Option(help: "The optimizer (default: the sample's).")
  var optimizer: OptimizerName?

  @Option(help: "The factor of weight decay (default: the sample's).")
  var weightDecay: NonNegativeNumber?

  @Option(
    help: "The number of batches whose gradients make one update (default: the sample's, mostly 1)."
  )
  var accumulate: PositiveInteger?

  @Option(help: "Decides first values, shuffling and dropout.")
  var seed: UInt64 = 0

  /// The choice for a backend.
  func options(_ backend: any Backend, progress: Progress = .automatic) -> Recipe.Options {
    Recipe.Options(
      optimizer: optimizer, learningRate: learningRate?.value, weightDecay: weightDecay?.value,
      epochs: epochs?.value, batch: batch?.value, accumulation: accumulate?.value, seed: seed,
      progress: progress, backend: backend)
  }
}
