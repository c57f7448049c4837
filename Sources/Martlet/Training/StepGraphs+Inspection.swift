import GraphIR

/// Graphs by which one looks into a model: what its layers give, and how a number depends on its input.
extension StepTracer {
  /// The output of each layer for a batch, under the layer's path; see `TraceContext.keep`.
  func layerOutputs() throws(Diagnostics) -> StepGraph {
    let context = context("layers", .inference)
    let graph = try context.trace(at: location) { context in
      context.keepLayerOutputs()
      _ = model(input(context))
      return context.finish(context.layerOutputs.map { ($0.path, $0.tensor) }, at: location)
    }
    return StepGraph(graph: graph, variables: context.variables, optimizerState: [])
  }

  /// A number that is computed from the model's outputs for a batch, and its gradient with respect to the inputs.
  func inputGradient(of objective: (Tensor) -> Tensor) throws(Diagnostics) -> StepGraph {
    let context = context("input_gradient", .inference)
    let graph = try context.trace(at: location) { context -> Result<Graph, Diagnostic> in
      let input = input(context)
      let number = at("objective", context) { objective(model(input)) }
      guard number.type == nil || (number.rank == 0 && number.dtype.isFloat) else {
        return .failure(
          Diagnostic(
            .shapeMismatch,
            "the gradient of one number is asked for, and it is \(number.describedType)",
            at: location, hint: "add up its elements: sum()"))
      }
      let gradients = context.gradients(of: number, withRespectTo: [input], at: location)
      return context.finish(
        zip([StepTracer.objectiveName, "gradient"], [number] + gradients).map { ($0, $1) },
        at: location)
    }
    return StepGraph(graph: graph, variables: context.variables, optimizerState: [])
  }

  /// What a training step sees in a model and does not tell: the norm of each parameter's gradient and the elements of each
  /// layer's output, thinned to at most `elements`.
  ///
  /// Outputs: `gradient.conv1.filter`, then `layer.conv1`.
  func probe(elements: Int) throws(Diagnostics) -> StepGraph {
    let context = context("probe", .training)
    let graph = try context.trace(at: location) { context in
      context.keepLayerOutputs()
      let (output, label) = forward(context)
      var results: [(name: String, tensor: Tensor)] = []
      let number = at("loss", context) {
        loss.reduced(loss.perExample(output, label), loss.reduction)
      }
      let trained = context.variables.filter { isTrained($0) }
      let gradients = at("loss", context) {
        context.gradients(
          of: number, withRespectTo: trained.map { context.tensor(of: $0) }, at: location)
      }
      at("probe", context) {
        for (variable, gradient) in zip(trained, gradients) {
          results.append(
            ("\(StepTracer.gradientPrefix)\(variable.name)", gradient.squared().sum().sqrt()))
        }
        for (path, tensor) in context.layerOutputs where tensor.shape.elementCount > 0 {
          results.append(("\(StepTracer.layerPrefix)\(path)", tensor.thinned(to: elements)))
        }
      }
      return context.finish(results, at: location)
    }
    return StepGraph(graph: graph, variables: context.variables, optimizerState: [])
  }

  static let objectiveName = "objective"
  static let gradientPrefix = "gradient."
  static let layerPrefix = "layer."
}

extension Tensor {
  /// Every so many elements in row-major order, so that at most `count` are left.
  fileprivate func thinned(to count: Int) -> Tensor {
    let total = shape.elementCount
    var stride = (total + count - 1) / count
    // A step that shares a factor with an extent would leave out whole channels.
    func sharesFactor(_ a: Int, _ b: Int) -> Bool { b == 0 ? a > 1 : sharesFactor(b, a % b) }
    while stride > 1, stride < total, sharesFactor(stride, total) { stride += 1 }
    return reshaped(to: [total]).sliced(0..<total, stride: stride)
  }
}
