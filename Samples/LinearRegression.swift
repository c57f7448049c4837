import Martlet

/// The line of least squares, found step by step by gradient descent, beside the one that a formula gives at once.
///
/// One neuron without an activation predicts how far a patient's diabetes has progressed after a year, from ten numbers
/// (Efron, Hastie, Johnstone and Tibshirani, "Least angle regression", Annals of Statistics 32, 2004). For a linear model and
/// the squared error there is a closed form: where the gradient is 0, `(X^T X) w = X^T y`, the normal equations (Legendre,
/// 1805; Gauss, 1809). Gradient descent gets there too, and still works where no formula is known. Columns that say nearly
/// the same, as the first two of the blood's, make a long flat valley of the loss, and momentum speeds it up.
struct LinearRegression: Layer {
  let line = Dense(1, weights: .zeros)

  func callAsFunction(_ features: Tensor) -> Tensor {
    line(features)
  }
}

extension ExampleSource {
  /// 442 patients: ten numbers each, of mean 0 and variance 1 where one learns from them, and a measure of the disease.
  static let diabetes = ExampleSource(
    example: ExampleSignature(
      inputName: "features", input: TensorType(.f32, [10]), label: TensorType(.f32, [1]))
  ) { () throws(Diagnostic) in
    try CSV.examples(
      DataFolder.path(of: "diabetes/diabetes.csv.gz"), inputName: "features"
    ).split(test: 0.2)
  }.normalized(per: .feature)
}

extension Samples {
  static let linearRegression = Sample(
    "linear-regression", "least squares by gradient descent, beside the closed form (1805)",
    Recipe(
      data: .diabetes, model: LinearRegression(), loss: .meanSquaredError,
      optimizer: SGD(learningRate: 0.2), metrics: [.rSquared], epochs: 500, batch: 512,
      watching: ["line.weight", "line.bias"])
  ) { outcome throws(Diagnostics) in
    let learned = ["line.weight", "line.bias"].flatMap {
      outcome.watched[$0]?.last?.doubles() ?? []
    }
    let closed = leastSquares(
      try Diagnostics.collecting { () throws(Diagnostic) in
        try outcome.data.train.batch(outcome.data.train.count)
      })
    let names = [
      "age", "sex", "body mass", "blood pressure", "cholesterol", "LDL", "HDL", "ratio",
      "triglycerides", "glucose", "bias",
    ]
    let rows = zip(names, zip(learned, closed)).map { name, weights in
      [name, weights.0.formatted(digits: 4), weights.1.formatted(digits: 4)]
    }
    let distance = zip(learned, closed).map { ($0 - $1) * ($0 - $1) }.reduce(0, +).squareRoot()
    return Sample.table(["weight of", "learned", "closed form"], rows)
      + ["distance from the closed form \(distance.formatted(digits: 5))"]
  }

  /// The weights of least squares, and then the bias: the solution of the normal equations.
  private static func leastSquares(_ examples: (inputs: Literal, labels: Literal)) -> [Double] {
    let (values, labels) = (examples.inputs.doubles(), examples.labels.doubles())
    let columns = values.count / labels.count
    // A row of the equations for each weight, with the right side at the end.
    var rows = [[Double]](
      repeating: [Double](repeating: 0, count: columns + 2), count: columns + 1)
    for (index, label) in labels.enumerated() {
      let inputs = values[index * columns..<(index + 1) * columns] + [1]
      for (row, input) in inputs.enumerated() {
        for (column, other) in (inputs + [label]).enumerated() {
          rows[row][column] += input * other
        }
      }
    }
    // Gauss-Jordan elimination; the matrix is positive definite, so that no pivot is 0.
    for pivot in rows.indices {
      rows[pivot] = rows[pivot].map { $0 / rows[pivot][pivot] }
      for row in rows.indices where row != pivot {
        rows[row] = zip(rows[row], rows[pivot]).map { $0 - rows[row][pivot] * $1 }
      }
    }
    return rows.compactMap(\.last)
  }
}
