import GraphIR

/// To look into a model: what its layers make of inputs, and which part of an input decides.
extension Trainer {
  /// The output of each layer that has a place, in the order in which they end, for inputs `[n, ...]`.
  ///
  /// A layer is named by its path in the model (`conv1`, `head.0`); its second use is `pool_2`. Dropout and the like do not
  /// act.
  ///
  /// - Throws: when the inputs do not fit the model, or everything that is wrong with the model.
  public func layerOutputs(
    for inputs: Literal
  ) throws(Diagnostics) -> [(path: String, output: Literal)] {
    let (example, count) = try signature(of: inputs.type)
    let program = try program(.layerOutputs, example, batch: count)
    return try Diagnostics.collecting { () throws(Diagnostic) in
      try program.run(input: inputs.bytes[...])
      return zip(program.outputNames, program.outputs).map { ($0, $1.literal()) }
    }
  }

  /// Compiles the gradient of a number with respect to the model's input: which way each element of an input pushes it.
  ///
  /// ```swift
  /// let push = try trainer.inputGradient(for: images.type) { ($0 * Tensor(oneHot)).sum() }
  /// let (score, gradient) = try push(images)
  /// ```
  ///
  /// Parameters are the trainer's, also when it trains on later; dropout and the like do not act.
  ///
  /// - Parameters:
  ///   - inputs: The type of a batch of inputs, `[n, ...]`.
  ///   - objective: Makes a floating-point scalar from the model's outputs `[n, ...]`.
  /// - Throws: when the inputs do not fit the model, or everything that is wrong with the model or the objective.
  public func inputGradient(
    for inputs: TensorType, of objective: (Tensor) -> Tensor
  ) throws(Diagnostics) -> InputGradient {
    let (example, count) = try signature(of: inputs)
    let step = try tracer(example, count).inputGradient(of: objective)
    return InputGradient(inputs, try program(of: step, .prediction, example, batch: count))
  }

  /// The norms of gradients and the outputs of layers for the first examples; see `StepTracer.probe`.
  func probe(_ examples: Dataset, count: Int) throws(Diagnostics) -> Probe {
    let count = min(count, examples.count)
    let program = try program(.probe, examples.signature, batch: count)
    try Diagnostics.collecting { () throws(Diagnostic) in
      try program.run(BatchFeed(examples), 0..<count, of: Array(0..<count))
    }
    var probe = Probe()
    for (name, buffer) in zip(program.outputNames, program.outputs) {
      let values = buffer.literal().doubles()
      if name.hasPrefix(StepTracer.gradientPrefix) {
        let parameter = String(name.dropFirst(StepTracer.gradientPrefix.count))
        probe.gradientNorms.append((parameter, values.first ?? 0))
      } else {
        probe.layers.append((String(name.dropFirst(StepTracer.layerPrefix.count)), values))
      }
    }
    return probe
  }

  /// What a look into a training step finds.
  struct Probe {
    /// The root of the sum of squares of each trained parameter's gradient.
    var gradientNorms: [(parameter: String, norm: Double)] = []
    /// Elements of each layer's output.
    var layers: [(path: String, values: [Double])] = []
  }

  /// What one example of a batch of inputs looks like, and how many there are.
  func signature(
    of inputs: TensorType
  ) throws(Diagnostics) -> (example: ExampleSignature, count: Int) {
    guard let count = inputs.shape.extents.first, count > 0 else {
      throw Diagnostics([
        Diagnostic(.shapeMismatch, "\(inputs) holds no inputs", hint: "inputs are [n, ...]")
      ])
    }
    let input = TensorType(inputs.dtype, Shape(Array(inputs.shape.extents.dropFirst())))
    return (ExampleSignature(input: input, label: TensorType(.i32, [])), count)
  }
}

/// The gradient of a number that a model computes with respect to its input, compiled; see `Trainer.inputGradient`.
public final class InputGradient {
  /// The type of the inputs and of their gradient.
  public let inputs: TensorType
  private let program: Program

  init(_ inputs: TensorType, _ program: Program) {
    self.inputs = inputs
    self.program = program
  }

  /// The number for a batch of inputs, and its gradient of the inputs' type.
  ///
  /// - Throws: when the inputs are of another type.
  public func callAsFunction(
    _ inputs: Literal
  ) throws(Diagnostics) -> (objective: Double, gradient: Literal) {
    guard inputs.type == self.inputs else {
      throw Diagnostics([
        Diagnostic(.shapeMismatch, "the inputs are \(inputs.type) and must be \(self.inputs)")
      ])
    }
    return try Diagnostics.collecting { () throws(Diagnostic) in
      try program.run(input: inputs.bytes[...])
      let objective = program.outputs[0].literal().doubles().first ?? .nan
      return (objective, program.outputs[1].literal())
    }
  }
}
