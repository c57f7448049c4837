import Martlet

/// Twelve settings drawn at random, each judged by digits that are held back: the best beats a first guess.
///
/// Learning rate, batch and optimizer decide what a network learns, and nobody knows them beforehand. Trying settings at random
/// finds good ones with fewer trials than a grid, since mostly few of them matter (Bergstra and Bengio, "Random
/// search for hyper-parameter optimization", JMLR 13, 2012). They are chosen by a part of the training digits: the
/// test digits would no longer tell how the model does on new ones, had they been used to choose. `martlet search` does
/// the same for every sample.
extension Samples {
  static let hyperparameterSearch = Sample(
    "hyperparameter-search", "twelve settings at random, chosen by held-back digits (2012)",
    Recipe(
      data: .smallDigits(), model: SmallMLP(), loss: .softmaxCrossEntropy,
      optimizer: GradientDescent(learningRate: 0.05), epochs: 10, batch: 128)
  ) { guess throws(Diagnostics) in
    let options = Recipe.Options(
      epochs: guess.epochs.count, seed: guess.trainer.seed, progress: .silent,
      backend: guess.trainer.backend)
    let space = Search(
      learningRates: 0.001...1, batches: [16, 32, 64, 128], optimizers: [.sgd, .momentum, .adam])
    let found = try guess.recipe.search(space, trials: 12, options)
    let best = try guess.recipe.train(options.with(found.best.setting))
    func percent(_ result: Evaluation) -> String {
      ((result.accuracy ?? 0) * 100).formatted(digits: 1) + " %"
    }
    let rows = found.trials.map { ["\($0.setting)", percent($0.validation)] }
    return Sample.table(["", "accuracy on the held-back digits"], rows)
      + ["test accuracy \(percent(guess.test)) by a guess, \(percent(best.test)) with the best"]
  }
}
