/// A part of a model: a function of a tensor, with parameters that its properties hold.
///
/// A layer is a value and holds no tensor. Its parameters are identified by tokens, so a copy is the same layer, and
/// using it twice ties its parameters. A parameter's name is the path of properties that leads to it
/// (`conv1.filter`), and its size is inferred from the input when the layer is traced.
///
/// ```swift
/// struct Block: Layer {
///   let inner = Dense(64, .relu)
///   let outer = Dense(64)
///   func callAsFunction(_ x: Tensor) -> Tensor { (x + outer(inner(x))).relu() }
/// }
/// ```
public protocol Layer: Sendable {
  /// The output for an input; called while the model is traced, never on numbers.
  func callAsFunction(_ input: Tensor) -> Tensor
}
