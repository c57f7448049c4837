import Differentiation
import GraphIR

/// Builds training steps as the library traces them: forward, loss, backward, Adam, all donated.
struct StepBuilder {
  var builder: GraphBuilder
  var parameters: [Value] = []
  var names: [String] = []
  /// For each parameter its two moments.
  var moments: [(Value, Value)] = []

  init(_ name: String) { builder = GraphBuilder(name: name) }

  mutating func at(_ path: String) { builder.location = Location(path: path) }

  /// An input whose new value is output `3 i + k`.
  mutating func parameter(_ name: String, _ shape: Shape) -> Value {
    let type = TensorType(.f32, shape)
    let place = 3 * parameters.count
    parameters.append(builder.input(name, type, donatedTo: place))
    moments.append(
      (
        builder.input(name + ".m", type, donatedTo: place + 1),
        builder.input(name + ".v", type, donatedTo: place + 2)
      ))
    names.append(name)
    return parameters[parameters.count - 1]
  }

  mutating func dense(
    _ x: Value, _ name: String, _ units: Int, _ activation: UnaryFunction?
  ) throws -> Value {
    at(name)
    let shape = builder.type(of: x).shape
    let weight = parameter(name + ".weight", [shape[1], units])
    let bias = parameter(name + ".bias", [units])
    let product = try builder.dot(x, weight, contracting: [[1], [0]])
    return try activate(product, bias, activation)
  }

  mutating func convolution(
    _ x: Value, _ name: String, _ size: Int, _ filters: Int, padding: Int,
    _ activation: UnaryFunction?
  ) throws -> Value {
    at(name)
    let shape = builder.type(of: x).shape
    let filter = parameter(name + ".filter", [size, size, shape[3], filters])
    let bias = parameter(name + ".bias", [filters])
    let attributes = Convolution(
      stride: [1, 1], padding: [[padding, padding], [padding, padding]])
    return try activate(builder.convolution(x, filter, attributes), bias, activation)
  }

  private mutating func activate(
    _ x: Value, _ bias: Value, _ activation: UnaryFunction?
  ) throws -> Value {
    let shape = builder.type(of: x).shape
    let sum = try builder.add(
      x, builder.broadcast(bias, to: shape, dimensions: [shape.rank - 1]))
    return try activation.map { try builder.unary($0, sum) } ?? sum
  }

  mutating func averagePool(_ x: Value) throws -> Value {
    at("pool")
    let window = Window(size: [1, 2, 2, 1], stride: [1, 2, 2, 1])
    let sum = try builder.reduceWindow(.sum, x, window: window)
    return try builder.multiply(sum, builder.splat(0.25, builder.type(of: sum)))
  }

  /// The mean over rows of the cross-entropy of logits with labels.
  mutating func crossEntropy(_ logits: Value, labels: Value) throws -> Value {
    at("loss")
    return try builder.composite("softmax_cross_entropy", [logits, labels]) {
      (body, x) throws(Diagnostic) in
      let shape = body.type(of: x[0]).shape
      let rows: Shape = [shape[0]]
      let most = try body.reduce(.max, x[0], dimensions: [1])
      let shifted = try body.subtract(x[0], body.broadcast(most, to: shape, dimensions: [0]))
      let sum = try body.reduce(.sum, body.unary(.exp, shifted), dimensions: [1])
      let logSum = try body.broadcast(body.unary(.log, sum), to: shape, dimensions: [0])
      let logits = try body.subtract(shifted, logSum)
      let index = try body.reshape(x[1], [shape[0], 1])
      let picked = try body.gather(logits, index, dimensions: [1], batch: 1)
      let loss = try body.negate(body.reshape(picked, rows))
      let total = try body.reduce(.sum, loss, dimensions: [0])
      return [try body.divide(total, body.scalar(Double(shape[0]), .f32))]
    }[0]
  }

  /// Ends the step with the gradients of the loss and Adam's updates.
  mutating func finish(_ loss: Value) throws -> Graph {
    let gradients = try appendGradients(to: &builder, of: loss, withRespectTo: parameters)
    let step = builder.input("step", TensorType(.f32, []))
    var outputs: [Output] = []
    at("adam")
    let beta = [try builder.scalar(0.9, .f32), try builder.scalar(0.999, .f32)]
    let one = try builder.scalar(1, .f32)
    var scale: [Value] = []
    for b in beta { scale.append(try builder.subtract(one, builder.binary(.power, b, step))) }
    for (place, parameter) in parameters.enumerated() {
      at(names[place])
      let type = builder.type(of: parameter)
      func wide(_ x: Value) throws -> Value {
        try builder.broadcast(x, to: type.shape, dimensions: [])
      }
      let g = gradients[place]
      let m = try builder.add(
        builder.multiply(wide(beta[0]), moments[place].0),
        builder.multiply(builder.splat(0.1, type), g))
      let v = try builder.add(
        builder.multiply(wide(beta[1]), moments[place].1),
        builder.multiply(builder.splat(0.001, type), builder.multiply(g, g)))
      let root = try builder.unary(.sqrt, builder.divide(v, wide(scale[1])))
      let rate = try builder.multiply(
        builder.splat(0.002, type), builder.divide(m, wide(scale[0])))
      let change = try builder.divide(rate, builder.add(root, builder.splat(1e-8, type)))
      outputs.append(Output("\(names[place]).new", try builder.subtract(parameter, change)))
      outputs.append(Output("\(names[place]).m.new", m))
      outputs.append(Output("\(names[place]).v.new", v))
    }
    outputs.append(Output("loss", loss))
    let result = builder
    return try result.finish(outputs)
  }
}

/// A training step of a multilayer perceptron with one hidden layer.
func perceptronStep(batch: Int, inputs: Int, hidden: Int, classes: Int) throws -> Graph {
  var step = StepBuilder("perceptron")
  let image = step.builder.input("image", TensorType(.f32, [batch, inputs]))
  let labels = step.builder.input("labels", TensorType(.i32, [batch]))
  let inner = try step.dense(image, "hidden", hidden, .tanh)
  let logits = try step.dense(inner, "output", classes, nil)
  return try step.finish(step.crossEntropy(logits, labels: labels))
}

/// A training step of LeNet-5 with sigmoids and average pooling, for images of `size` (28 for digits).
func lenetStep(batch: Int, size: Int = 28, filters: (Int, Int) = (6, 16)) throws -> Graph {
  var step = StepBuilder("lenet")
  let image = step.builder.input("image", TensorType(.f32, [batch, size, size, 1]))
  let labels = step.builder.input("labels", TensorType(.i32, [batch]))
  var x = try step.convolution(image, "conv1", 5, filters.0, padding: 2, .sigmoid)
  x = try step.averagePool(x)
  x = try step.convolution(x, "conv2", 5, filters.1, padding: 0, .sigmoid)
  x = try step.averagePool(x)
  let shape = step.builder.type(of: x).shape
  x = try step.builder.reshape(x, [batch, shape.elementCount / batch])
  x = try step.dense(x, "head.0", 120, .sigmoid)
  x = try step.dense(x, "head.1", 84, .sigmoid)
  x = try step.dense(x, "head.2", 10, nil)
  return try step.finish(step.crossEntropy(x, labels: labels))
}
