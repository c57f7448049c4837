import Foundation
import Martlet

/// Polynomials of growing degree through 16 noisy points: too few coefficients miss the curve, too many follow the noise.
///
/// The points are of a sine with normal noise, as in Bishop, "Pattern Recognition and Machine Learning", 2006, chapter 1.
/// A line cannot bend (it underfits), a cubic follows the sine, and degree 13 runs through nearly all points and swings
/// between them (it overfits): its error on the training points is the least, and on others the greatest. Instead of powers,
/// which are so alike that gradient descent would take forever, the terms are Chebyshev's polynomials, which span the
/// same curves: `T1 = x, T2 = 2 x² - 1, Tk = 2 x Tk-1 - Tk-2`.
struct Polynomial: Layer {
  let degree: Int
  let coefficients = Dense(1, weights: .zeros)

  func callAsFunction(_ x: Tensor) -> Tensor {
    var terms = [x, x.squared() * 2 - 1]
    while terms.count < degree {
      terms.append(x * terms[terms.count - 1] * 2 - terms[terms.count - 2])
    }
    return coefficients(Tensor.concatenated(Array(terms.prefix(degree)), axis: 1))
  }
}

extension ExampleSource {
  /// 16 points of a sine from -1 to 1 with noise to learn from, and 101 without to judge by.
  static let noisySine: ExampleSource = {
    func points(_ count: Int, noise: Double) -> (inputs: Literal, labels: Literal) {
      let type = TensorType(.f64, [count, 1])
      let x = (0..<count).map { 2 * Double($0) / Double(count - 1) - 1 }
      let noise = Initializer.gaussian(standardDeviation: noise).literal(
        type, path: "noise", seed: 0)
      let y = zip(x, noise.doubles()).map { sin(.pi * $0) + $1 }
      return (Literal(type, doubles: x), Literal(type, doubles: y))
    }
    let train = points(16, noise: 0.3)
    return ExampleSource(
      inputs: train.inputs, labels: train.labels, test: points(101, noise: 0), inputName: "x")
  }()
}

extension Samples {
  static let polynomial = Sample(
    "polynomial", "polynomials that underfit, fit and overfit 16 noisy points of a sine",
    comparing: [degree(1), degree(3), degree(9), degree(13)]
  ) { outcomes throws(Diagnostics) in
    var rows: [[String]] = []
    for outcome in outcomes {
      let training = try outcome.trainer.evaluate(outcome.data.train).loss
      rows.append(
        [outcome.recipe.name] + [training, outcome.test.loss].map { $0.formatted(digits: 4) })
    }
    let best = outcomes.min { $0.test.loss < $1.test.loss }
    return Sample.table(["", "error on the 16 points", "error on the sine"], rows)
      + ["nearest to the sine: " + (best?.recipe.name ?? "")]
  }

  private static func degree(_ degree: Int) -> Recipe {
    Recipe(
      "degree-\(degree)", data: .noisySine, model: Polynomial(degree: degree),
      loss: .meanSquaredError, optimizer: SGD(learningRate: 0.4), epochs: 1000, batch: 16)
  }
}
