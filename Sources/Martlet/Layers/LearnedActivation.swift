import GraphIR

/// A leaky ReLU whose slope on the negative side is learned, one for each channel (He et al., "Delving deep into
/// rectifiers", ICCV 2015).
///
/// Maps `[..., channels]` to its own type. Parameter: `slope` `[channels]`.
public struct PReLU: Layer {
  /// The layer's identity and line.
  public let place: Place
  let slope: Parameter

  /// Makes a layer whose slopes begin at a number: 0.25 in the paper.
  public init(slope: Double = 0.25, file: String = #fileID, line: Int = #line) {
    place = Place(file: file, line: line)
    self.slope = Parameter(.constant(slope))
  }

  /// The function applied to a tensor `[..., channels]`.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      input.checked("PReLU takes floats [..., channels]") {
        $0.shape.rank >= 1 && $0.dtype.isFloat
      } then: {
        input.leakyReLU(slope: slope([input.shape[-1]], input.dtype))
      }
    }
  }
}

/// A fully connected layer that takes the greatest of several linear functions for each output (Goodfellow et al.,
/// "Maxout networks", ICML 2013): a convex activation that is itself learned.
///
/// Maps `[..., inputs]` to `[..., units]`. Parameters: `weight` `[inputs, units * pieces]` and `bias`
/// `[units * pieces]`; the pieces of one output lie side by side.
public struct Maxout: Layer {
  /// The number of outputs.
  public let units: Int
  /// The number of linear functions for each output.
  public let pieces: Int
  /// The layer's identity and line.
  public let place: Place
  let weight: Parameter
  let bias: Parameter

  /// Makes a layer; `weights` draws the weights, and the biases begin at 0.
  public init(
    _ units: Int, pieces: Int = 2, weights: Initializer = .xavier, file: String = #fileID,
    line: Int = #line
  ) {
    self.units = units
    self.pieces = pieces
    place = Place(file: file, line: line)
    weight = Parameter(weights)
    bias = Parameter(.zeros)
  }

  /// The outputs for inputs `[..., inputs]`.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      input.checked("Maxout of \(pieces) pieces takes [..., inputs] and makes at least one output")
      {
        units >= 1 && pieces >= 1 && units.multipliedReportingOverflow(by: pieces).overflow == false
          && $0.shape.rank >= 2 && $0.dtype.isFloat
      } then: {
        let count = units * pieces
        let linear = input.matmul(weight([input.shape[-1], count], input.dtype))
        let outer = Array(input.shape.extents.dropLast())
        return (linear + bias([count], input.dtype)).reshaped(to: outer + [units, pieces]).max(-1)
      }
    }
  }
}
