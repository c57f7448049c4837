import Martlet

/// Optimizers walk down the same surface: a loss of two numbers, with a flat valley between steep walls.
///
/// Beale's function ("On an iterative method for finding a local minimum of a function of more than one variable", 1958) is
/// 0 at (3, 0.5) alone. Plain gradient descent crawls where the valley is flat, since a rate that would be right there
/// overshoots at the walls. Momentum gathers speed (Polyak, 1964), and the adaptive methods give each coordinate
/// a rate of its own. Everyone starts at (1, 1.5) and has 2,000 steps; the rates are good ones of a few tried for each.
struct Walk: Layer {
  let way = Parameter(.zeros)

  func callAsFunction(_ start: Tensor) -> Tensor {
    start + way([2], start.dtype)
  }
}

extension Loss {
  /// Beale's function of points `[n, 2]`; the labels, which are where it is least, do not count.
  static let beale = Loss("Beale's function") { point, _ in
    let coordinates = point.transposed()
    let (x, y) = (coordinates[0], coordinates[1])
    let terms = [(1.5, y), (2.25, y * y), (2.625, y * y * y)].map { number, power in
      (number - x + x * power).squared()
    }
    return terms[0] + terms[1] + terms[2]
  }
}

extension Metric {
  /// How far a point is from where it should be.
  static let distance = Metric("distance") { point, goal in
    (point - goal).squared().sum(1).sqrt()
  }
}

extension ExampleSource {
  /// One example: the point where all begin, with the one where the function is least.
  static let begin = ExampleSource(
    inputs: Literal([1, 2], [1, 1.5]), labels: Literal([1, 2], [3, 0.5]), inputName: "start")
}

extension Samples {
  static let lossSurface = Sample(
    "loss-surface", "eight optimizers walk down Beale's function of two numbers (1958)",
    comparing: [
      walk("gradient-descent", GradientDescent(learningRate: 0.01)),
      walk("momentum", SGD(learningRate: 0.002)),
      walk("nesterov", SGD(learningRate: 0.002, nesterov: true)),
      walk("adagrad", AdaGrad(learningRate: 1)),
      walk("rmsprop", RMSProp(learningRate: 0.01)),
      walk("adadelta", Adadelta(learningRate: 1)),
      walk("adam", Adam(learningRate: 0.1)),
      walk("adamax", Adamax(learningRate: 0.1)),
    ]
  ) { outcomes in
    let rows = outcomes.map { outcome in
      let end = outcome.watched["way"]?.last?.doubles() ?? []
      let place = zip([1, 1.5], end).map { ($0 + $1).formatted(digits: 3) }
      // An epoch is a step, and reports the distance before it.
      let arrival = outcome.epochs.firstIndex { ($0.training["distance"] ?? .infinity) < 0.1 }
      return [
        outcome.recipe.name, place.joined(separator: ", "), arrival.map { "\($0)" } ?? "never",
      ]
    }
    return ["the function is least at 3, 0.5"]
      + Sample.table(["", "end", "steps until 0.1 from there"], rows)
  }

  private static func walk(_ name: String, _ optimizer: some Optimizer) -> Recipe {
    Recipe(
      name, data: .begin, model: Walk(), loss: .beale, optimizer: optimizer,
      metrics: [.distance], epochs: 2000, batch: 1, watching: ["way"])
  }
}
