import Foundation
import GraphIR
import Martlet
import Testing

/// Layers and functions against PyTorch: outputs and gradients.
@Suite struct LayerReferenceTests {
  @Test(arguments: ReferenceCase.all("activations") as [ReferenceCase])
  func activations(_ reference: ReferenceCase) throws {
    let layers: [String: any Layer] = [
      "step": Activation.step, "sigmoid": Activation.sigmoid, "tanh": Activation.tanh,
      "hardSigmoid": Activation.hardSigmoid, "relu": Activation.relu,
      "relu6": Activation.relu6,
      "leakyReLU": Activation.leakyReLU(slope: 0.2), "elu": Activation.elu(alpha: 0.7),
      "selu": Activation.selu, "softplus": Activation.softplus, "swish": Activation.swish,
      "hardSwish": Activation.hardSwish, "gelu": Activation.gelu,
      "geluByTanh": Activation.geluByTanh, "softmax": Activation.softmax,
      "logSoftmax": Activation.logSoftmax, "PReLU": PReLU(), "Maxout": Maxout(3, pieces: 2),
    ]
    try hold(reference, layers)
  }

  @Test(arguments: ReferenceCase.all("composition") as [ReferenceCase])
  func composition(_ reference: ReferenceCase) throws {
    for dtype in [DType.f64, .f32] {
      try hold(
        reference,
        [
          "Dense": Dense(4, .sigmoid),
          "Residual": Residual(Dense(4, .tanh), Dense(2), shortcut: Dense(2, bias: false)),
          "Branches": Branches(Dense(2, bias: false), Dense(3, .tanh, bias: false)),
          "DenselyConnected": DenselyConnected([
            Dense(2, .tanh, bias: false), Dense(2, .tanh, bias: false),
          ]), "Embedding": Embedding(5, features: 3, dtype: dtype),
          "PositionEmbedding": PositionEmbedding(),
          "MultiHeadAttention": MultiHeadAttention(features: 4, heads: 2),
        ], in: [dtype])
    }
  }

  @Test(arguments: ReferenceCase.all("convolutions") as [ReferenceCase])
  func convolutions(_ reference: ReferenceCase) throws {
    try hold(
      reference,
      [
        "Conv1D valid": Conv1D(filters: 4, size: 3),
        "Conv1D full stride 2 dilation 2": Conv1D(
          filters: 4, size: 3, stride: 2, padding: .full, dilation: 2),
        "Conv2D same stride 2": Conv2D(filters: 3, size: 3, stride: 2, padding: .same),
        "Conv1D same size 2": Conv1D(filters: 3, size: 2, padding: .same),
        "Conv2D same dilation": Conv2D(filters: 2, size: 3, padding: .same, dilation: 2),
        "Conv3D same": Conv3D(filters: 2, size: [3, 2, 3], padding: .same),
        "Conv2D groups dilation": Conv2D(
          filters: 6, size: [3, 2], padding: .explicit([1, 2]), dilation: 2, groups: 2),
        "Conv2D full": Conv2D(filters: 2, size: [2, 3], padding: .full),
        "Conv2D half stride 2": Conv2D(filters: 2, size: 3, stride: 2, padding: .half),
        "Conv3D": Conv3D(filters: 3, size: [2, 3, 2], stride: [1, 2, 1], padding: .explicit(1)),
        "DepthwiseConv2D": DepthwiseConv2D(size: 3, multiplier: 2, padding: .same),
        "DepthwiseConv2D stride dilation": DepthwiseConv2D(
          size: [3, 2], stride: 2, padding: .explicit(1), dilation: [1, 2]),
        "DepthwiseConv3D": DepthwiseConv3D(size: [2, 2, 1]),
        "SeparableConv1D": SeparableConv1D(filters: 3, size: 3, stride: 2),
        "SeparableConv2D": SeparableConv2D(filters: 5, size: 3, padding: .same),
        "ConvTranspose1D": ConvTranspose1D(filters: 2, size: 3, stride: 2),
        "ConvTranspose2D": ConvTranspose2D(
          filters: 2, size: 3, stride: 2, padding: 1, outputPadding: 1),
        "ConvTranspose2D dilation": ConvTranspose2D(
          filters: 3, size: [2, 3], stride: [3, 1], padding: [0, 1], outputPadding: [2, 0],
          dilation: [1, 2]),
        "ConvTranspose3D": ConvTranspose3D(filters: 3, size: 2, stride: 2),
      ])
  }

  @Test(arguments: ReferenceCase.all("pooling") as [ReferenceCase])
  func pooling(_ reference: ReferenceCase) throws {
    let padded = Padding.explicit(1)
    try hold(
      reference,
      [
        "MaxPool1D": MaxPool1D(size: 2),
        "MaxPool2D": MaxPool2D(size: 3, stride: 2, padding: padded),
        "MaxPool2D ties": MaxPool2D(size: 3, stride: 2, padding: padded),
        "MaxPool3D": MaxPool3D(size: 2),
        "AvgPool1D padded": AvgPool1D(size: 3, stride: 2, padding: padded),
        "AvgPool1D": AvgPool1D(size: 3, stride: 2),
        "AvgPool2D": AvgPool2D(size: 3, stride: 2, padding: padded),
        "AvgPool3D": AvgPool3D(size: 2), "L2Pool1D": L2Pool1D(size: 3, stride: 2),
        "L2Pool2D": L2Pool2D(size: 2),
        "GlobalAvgPool": GlobalAvgPool(), "GlobalMaxPool": GlobalMaxPool(),
        "AdaptivePool average": AdaptivePool(.average, to: [3, 4]),
        "AdaptivePool max": AdaptivePool(.max, to: [3, 4]),
        "Upsample nearest": Upsample(by: [2, 3]), "Upsample linear": Upsample(by: [2, 3], .linear),
        "Upsample linear 1-D": Upsample(by: 4, .linear),
        // PyTorch divides the sum by the number of channels in it.
        "LocalResponseNorm": LocalResponseNorm(size: 5, alpha: 0.1),
      ])
  }

  @Test(arguments: ReferenceCase.all("normalization") as [ReferenceCase])
  func normalization(_ reference: ReferenceCase) throws {
    try hold(
      reference,
      [
        "LayerNorm": LayerNorm(epsilon: 1e-3), "GroupNorm": GroupNorm(groups: 2, epsilon: 1e-3),
        "InstanceNorm": InstanceNorm(epsilon: 1e-3), "RMSNorm": RMSNorm(epsilon: 1e-3),
        "BatchNorm": BatchNorm(epsilon: 1e-3), "BatchNorm inference": BatchNorm(epsilon: 1e-3),
      ])
  }

  /// Holds the layer of a case to it, in training unless its name says otherwise.
  private func hold(
    _ reference: ReferenceCase, _ layers: [String: any Layer], in dtypes: [DType] = [.f64, .f32]
  ) throws {
    let name = reference.name.replacingOccurrences(of: " at its kinks", with: "")
    let layer = try #require(layers[name], "no layer for \(reference.name)")
    let mode: Mode = reference.name.hasSuffix(" inference") ? .inference : .training
    try reference.expect(mode: mode, in: dtypes) { layer($0[0]) }
  }
}
