import Compiler
import GraphIR
import Interpreter

/// The gradients of a model beside numerical ones, in f64: central differences of the loss of a batch.
///
/// The reference is the interpreter, which holds every float in f64 here. Where a difference does not confirm a gradient,
/// it is taken again over a smaller distance; when it still does not, but the slope jumps there, the element lies at a kink
/// (of a ReLU, or where two inputs of a max pooling are equal) and has no gradient to be judged by.
public struct GradientCheck: Sendable {
  /// What was found for a parameter.
  public struct ParameterResult: Sendable {
    /// The parameter's name.
    public let name: String
    /// Its type.
    public let type: TensorType
    /// How many elements were compared.
    public internal(set) var compared = 0
    /// How many elements lie at a kink and were not.
    public internal(set) var skipped = 0
    /// The greatest error, relative to the larger of both gradients, or to a thousandth of the model's greatest.
    public internal(set) var error = 0.0
    /// The element with the greatest error: its index, and both gradients.
    public internal(set) var worst: (element: Int, computed: Double, numerical: Double)?
  }

  /// The parameters that are trained, in the order in which the model uses them.
  public let parameters: [ParameterResult]
  /// The greatest error that passes.
  public let tolerance: Double
  /// The greatest gradient of all; where it is 0, nothing was checked.
  public let greatestGradient: Double

  /// Whether no error is above the tolerance, and something was checked.
  public var passes: Bool {
    greatestGradient > 0 && parameters.allSatisfy { $0.error <= tolerance }
      && parameters.contains { $0.compared > 0 }
  }
}

extension Recipe {
  /// Compares the computed gradients of a batch with numerical ones.
  ///
  /// The parameters are moved a little from their first values, where zeros would hide what they are multiplied with.
  ///
  /// - Parameters:
  ///   - batch: The number of examples.
  ///   - elements: The number of elements of each parameter that are compared, which the seed chooses; all where it has
  ///     no more. Without, they are 12, or fewer where those of all parameters would take more than about a minute, and of
  ///     a large model one of some parameters alone.
  ///   - seed: Decides first values, the batch, dropout and the elements.
  ///   - tolerance: The greatest error that passes.
  /// - Throws: what is wrong with the data or the model.
  public func checkGradients(
    batch: Int = 2, elements: Int? = nil, seed: UInt64 = 0, tolerance: Double = 1e-5
  ) throws(Diagnostics) -> GradientCheck {
    let trainer = try trainer(Options(seed: seed, backend: InterpreterBackend()))
    let step = try trainer.trainingGraph(example, batch: batch, withGradients: true)
    let objective = try trainer.objectiveGraph(example, batch: batch)
    try Diagnostics.collecting { () throws(Diagnostic) in
      // The reference holds all of it in f64.
      try MemoryBudget.require(
        step.graph.interpreterBytes, for: "a check of this model's gradients")
    }
    var values = try exampleInputs(training: true, batch: batch, seed: seed)
    let names = step.graph.outputs.compactMap { $0.name.dropping(prefix: "gradient.") }
    var generator = SplitMix64(seed: seed)
    for name in names {
      guard let value = values[name] else { continue }
      let moved = value.doubles().map { $0 + Double.random(in: -0.1..<0.1, using: &generator) }
      values[name] = Literal(TensorType(.f64, value.type.shape), doubles: moved)
    }
    return try Diagnostics.collecting { () throws(Diagnostic) in
      try GradientChecker(objective.graph, values).check(
        step.graph, names, elements: elements, tolerance: tolerance, &generator)
    }
  }
}

/// Compares gradients with differences.
private struct GradientChecker {
  /// Gives the loss alone.
  private let objective: Graph
  private let values: [String: Literal]
  /// The loss when an input changes.
  private let recalculation: Recalculation
  /// The loss when none does.
  private let here: Double

  init(_ objective: Graph, _ values: [String: Literal]) throws(Diagnostic) {
    self.objective = objective
    self.values = values
    recalculation = try Recalculation(
      objective, try GradientChecker.inputs(objective, values), precision: .double)
    here = try recalculation.outputs()[0].doubles()[0]
  }

  func check(
    _ step: Graph, _ names: [String], elements: Int?, tolerance: Double,
    _ generator: inout SplitMix64
  ) throws(Diagnostic) -> GradientCheck {
    let outputs = try interpret(
      step, try GradientChecker.inputs(step, values), precision: .double)
    var gradients: [String: [Double]] = [:]
    for (output, value) in zip(step.outputs, outputs) {
      if let name = output.name.dropping(prefix: "gradient.") { gradients[name] = value.doubles() }
    }
    let greatest = gradients.values.joined().reduce(0) { max($0, abs($1)) }
    var results: [GradientCheck.ParameterResult] = []
    let parameters = step.inputs.filter { gradients[$0.name] != nil }
    let counts = elements.map { [Int](repeating: $0, count: parameters.count) }
    for (input, count) in zip(parameters, counts ?? affordable(parameters)) {
      guard let gradient = gradients[input.name] else { continue }
      var result = GradientCheck.ParameterResult(name: input.name, type: input.type)
      let chosen =
        gradient.count <= count
        ? Array(gradient.indices)
        : Array(gradient.indices.shuffled(using: &generator).prefix(count)).sorted()
      for element in chosen {
        try compare(gradient[element], element, greatest * 1e-3, tolerance, &result)
      }
      results.append(result)
    }
    return GradientCheck(
      parameters: results, tolerance: tolerance, greatestGradient: greatest)
  }

  /// What a check may take unless told otherwise, as `Graph.steps` counts: about a minute.
  private static let mostSteps = 3e10

  /// How many elements of each parameter are compared unless told otherwise: of as many as can be, as many as can be.
  private func affordable(_ parameters: [Input]) -> [Int] {
    let costs = parameters.map { parameter -> Double in
      guard let input = objective.inputs.firstIndex(where: { $0.name == parameter.name }) else {
        return 0
      }
      return recalculation.nodes(changedBy: input).reduce(0) { $0 + 4 * objective.steps(of: $1) }
    }
    func isAffordable(_ counts: [Int]) -> Bool {
      zip(counts, costs).reduce(0) { $0 + Double($1.0) * $1.1 } <= GradientChecker.mostSteps
    }
    func counts(_ most: Int) -> [Int] { parameters.map { min(most, $0.type.shape.elementCount) } }
    for most in (1...12).reversed() where isAffordable(counts(most)) { return counts(most) }
    // Of a large model one element of some parameters, at even distances.
    for most in (2..<max(parameters.count, 3)).reversed() {
      let chosen = Set(Array(parameters.indices).spread(to: most))
      let some = parameters.indices.map { chosen.contains($0) ? 1 : 0 }
      if isAffordable(some) || most == 2 { return some }
    }
    return counts(1)
  }

  /// Compares the gradient of one element with differences.
  private func compare(
    _ computed: Double, _ element: Int, _ floor: Double, _ tolerance: Double,
    _ result: inout GradientCheck.ParameterResult
  ) throws(Diagnostic) {
    var least: (error: Double, numerical: Double)?
    for distance in [1e-4, 1e-6] {
      let slopes = try slopes(result.name, element, distance)
      // The extrapolation of both distances to none (Richardson, 1911).
      let numerical = (4 * slopes.near.mean - slopes.far.mean) / 3
      let scale = max(abs(computed), abs(numerical), floor, .leastNormalMagnitude)
      let difference = abs(computed - numerical) / scale
      // What is no number is as wrong as can be.
      let error = difference.isNaN ? .infinity : difference
      if error < least?.error ?? .greatestFiniteMagnitude || least == nil {
        least = (error, numerical)
      }
      if error <= tolerance { break }
      if distance == 1e-6, slopes.jump(tolerance * scale) {
        result.skipped += 1
        return
      }
    }
    guard let least else { return }
    result.compared += 1
    if result.worst == nil || least.error > result.error {
      result.error = max(result.error, least.error)
      result.worst = (element, computed, least.numerical)
    }
  }

  /// The slopes to the left and to the right.
  struct Sides {
    var left: Double
    var right: Double
    var mean: Double { (left + right) / 2 }
  }

  struct Slopes {
    /// Over the distance.
    var far: Sides
    /// Over its half.
    var near: Sides

    /// Whether the slope jumps: from one distance to the next, or at the place itself, where both sides stay as far apart
    /// as they are, while those of a smooth function come twice as near.
    func jump(_ least: Double) -> Bool {
      let (far, near) = (abs(far.right - far.left), abs(near.right - near.left))
      return abs(self.far.mean - self.near.mean) > least / 4 || (near > least && near > 0.75 * far)
    }
  }

  private func slopes(
    _ name: String, _ element: Int, _ distance: Double
  ) throws(Diagnostic) -> Slopes {
    func sides(_ distance: Double) throws(Diagnostic) -> Sides {
      Sides(
        left: (here - (try loss(name, element, -distance))) / distance,
        right: (try loss(name, element, distance) - here) / distance)
    }
    return Slopes(far: try sides(distance), near: try sides(distance / 2))
  }

  /// The loss with one element moved.
  private func loss(
    _ name: String, _ element: Int, _ distance: Double
  ) throws(Diagnostic) -> Double {
    guard let value = values[name],
      let input = objective.inputs.firstIndex(where: { $0.name == name })
    else { return here }
    var elements = value.doubles()
    elements[element] += distance
    let changed = Literal(value.type, doubles: elements)
    return try recalculation.outputs(changing: input, to: changed)[0].doubles()[0]
  }

  private static func inputs(
    _ graph: Graph, _ values: [String: Literal]
  ) throws(Diagnostic) -> [Literal] {
    var literals: [Literal] = []
    for input in graph.inputs {
      guard let value = values[input.name] else {
        throw Diagnostic(.internalError, "there is no value for '\(input.name)'")
      }
      literals.append(value)
    }
    return literals
  }
}

extension String {
  /// What follows a prefix; nil without it.
  fileprivate func dropping(prefix: String) -> String? {
    hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
  }
}
