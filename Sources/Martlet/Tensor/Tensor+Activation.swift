import GraphIR

/// Nonlinear functions of each element, of floating-point tensors of any shape.
extension Tensor {
  /// 1 where x >= 0, else 0: the threshold of the first artificial neurons (McCulloch and Pitts, "A logical calculus of
  /// the ideas immanent in nervous activity", 1943).
  ///
  /// NaN stays NaN. No gradient flows through it: the slope is 0 wherever there is one.
  public func step(file: String = #fileID, line: Int = #line) -> Tensor {
    let isOn = isAtLeast(0, file: file, line: line)
    let value = isOn.converted(to: dtype, file: file, line: line)
    let isNumber = isEqual(to: self, file: file, line: line)
    return isNumber.select(value, otherwise: stoppingGradient(file: file, line: line))
  }

  /// max(x, 0) (Nair and Hinton, "Rectified linear units improve restricted Boltzmann machines", ICML 2010).
  public func relu(file: String = #fileID, line: Int = #line) -> Tensor {
    maximum(0, file: file, line: line)
  }

  /// x, held within 0 and 6 (Krizhevsky, "Convolutional deep belief networks on CIFAR-10", 2010).
  public func relu6(file: String = #fileID, line: Int = #line) -> Tensor {
    maximum(0, file: file, line: line).minimum(6, file: file, line: line)
  }

  /// x where it is positive, else `slope * x` (Maas, Hannun and Ng, "Rectifier nonlinearities improve neural network
  /// acoustic models", ICML 2013).
  public func leakyReLU(
    slope: Double = 0.01, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    isGreater(than: 0, file: file, line: line).select(
      self, otherwise: self * slope, file: file, line: line)
  }

  /// x where it is positive, else `slope * x` with a tensor that broadcasts to this one's shape (He et al., "Delving
  /// deep into rectifiers", ICCV 2015).
  public func leakyReLU(
    slope: Tensor, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    isGreater(than: 0, file: file, line: line).select(
      self, otherwise: self * slope, file: file, line: line)
  }

  /// x where it is positive, else `alpha * (e^x - 1)` (Clevert, Unterthiner and Hochreiter, "Fast and accurate deep
  /// network learning by exponential linear units", ICLR 2016).
  public func elu(alpha: Double = 1, file: String = #fileID, line: Int = #line) -> Tensor {
    // The exponential of large positive numbers would be infinite, and its gradient 0 times infinity.
    let isAbove = isGreater(than: 0, file: file, line: line)
    let rest = isAbove.select(Tensor(0, dtype), otherwise: self, file: file, line: line)
    let below = rest.expm1(file: file, line: line) * alpha
    return isAbove.select(self, otherwise: below, file: file, line: line)
  }

  /// `elu` scaled so that layers keep mean 0 and variance 1 (Klambauer et al., "Self-normalizing neural networks", NIPS
  /// 2017, whose appendix gives both constants).
  public func selu(file: String = #fileID, line: Int = #line) -> Tensor {
    elu(alpha: 1.6732632423543772, file: file, line: line) * 1.0507009873554805
  }

  /// x / 6 + 1/2, held within 0 and 1: a sigmoid of straight lines (Courbariaux et al., "BinaryConnect", NIPS 2015, with
  /// the slope of Howard et al., "Searching for MobileNetV3", ICCV 2019).
  public func hardSigmoid(file: String = #fileID, line: Int = #line) -> Tensor {
    (self * (1.0 / 6) + 0.5).maximum(0, file: file, line: line).minimum(1, file: file, line: line)
  }

  /// x * sigmoid(x), also called SiLU (Ramachandran et al., "Searching for activation functions", 2017).
  public func swish(file: String = #fileID, line: Int = #line) -> Tensor {
    Tensor.binary(.multiply, self, sigmoid(file: file, line: line), Caller(file, line))
  }

  /// x * hardSigmoid(x) (Howard et al., "Searching for MobileNetV3", ICCV 2019).
  public func hardSwish(file: String = #fileID, line: Int = #line) -> Tensor {
    Tensor.binary(.multiply, self, hardSigmoid(file: file, line: line), Caller(file, line))
  }

  /// x times the standard normal distribution function of x, by the error function (Hendrycks and Gimpel,
  /// "Gaussian error linear units", 2016).
  public func gelu(file: String = #fileID, line: Int = #line) -> Tensor {
    Tensor.composite("gelu", [self], Caller(file, line)) { operands in
      let x = operands[0]
      return 0.5 * x * (1 + (x * 0.5.squareRoot()).erf())
    }
  }

  /// `gelu` by a hyperbolic tangent, within 5e-4 of it: `x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))`
  /// (Hendrycks and Gimpel, "Gaussian error linear units", 2016).
  public func geluByTanh(file: String = #fileID, line: Int = #line) -> Tensor {
    let inner =
      (self + squared(file: file, line: line) * self * 0.044715) * (2 / Double.pi).squareRoot()
    return self * 0.5 * (1 + inner.tanh(file: file, line: line))
  }
}
