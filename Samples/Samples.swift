import Martlet

/// The models that come with Martlet, from a single neuron to the latest.
public enum Samples {
  /// Samples that belong together.
  public struct Family: Sendable {
    /// What they have in common.
    public let title: String
    /// The samples, in the order in which a course goes through them.
    public let samples: [Sample]
  }

  /// All samples, in the order of a course.
  public static let families = [
    Family(title: "Foundations", samples: foundations),
    Family(title: "Convolutional networks", samples: convolutional),
    Family(title: "Transfer", samples: [transfer]),
    Family(title: "Segmentation", samples: segmentation),
    Family(title: "Pictures of what happens", samples: [pictures]),
    Family(title: "Language", samples: language),
  ]

  static let foundations = [
    neuron, perceptronGates, perceptron, linearRegression, polynomial, softmaxRegression, xor, mlp,
    initializers, lossSurface, optimizers, regularization, batchNorm, hyperparameterSearch,
  ]
  static let convolutional = [
    leNet, modernLeNet, alexNet, smallAlexNet, vgg11, vgg16, vgg19, smallVGG11, smallVGG16,
    smallVGG19, nin, smallNiN, googLeNet, smallGoogLeNet, inceptionV3, smallInception, resNet18,
    resNet18ImageNet, resNet50, smallResNet, smallBottlenecks, denseNet121, smallDenseNet,
    squeezeNet, smallSqueezeNet, mobileNetV1, smallMobileNetV1, mobileNetV2, smallMobileNetV2,
  ]
  static let segmentation = [fcn, unet]
  static let language = [gpt, smallGPT, bert, smallBERT]

  /// All samples.
  public static let all = families.flatMap(\.samples)

  /// Those that train in minutes on two cores: all but networks at their published size and what benchmarks measure.
  package static let small = all.filter { sample in
    !large.contains { $0.name == sample.name }
  }
  private static let large = [
    alexNet, vgg11, vgg16, vgg19, nin, googLeNet, inceptionV3, resNet18, resNet18ImageNet, resNet50,
    denseNet121, squeezeNet, mobileNetV1, mobileNetV2, gpt, bert,
  ]

  /// Models that the interpreter can follow, which use all of the samples' code that matters to a compiler.
  package static let quick = [
    perceptron, softmaxRegression, mlp, leNet, tinyResNet, smallGPT, smallBERT,
  ]

  /// The models above, and those that benchmarks measure.
  package static let measured = quick + [resNet18, gpt, bert]

  /// The recipe of a name: a sample's, whose first it is, or `sample/recipe`; nil when there is none.
  public static func recipe(named name: String) -> Recipe? {
    let parts = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    let sample = (all + quick).first { $0.name == parts[0] }
    return sample?.recipe(named: parts.count > 1 ? String(parts[1]) : "")
  }

  /// The sample of a name, or one of a single recipe of a sample, `sample/recipe`; nil when there is none.
  public static func named(_ name: String) -> Sample? {
    if let sample = all.first(where: { $0.name == name }) { return sample }
    guard name.contains("/"), let recipe = recipe(named: name) else { return nil }
    return Sample(name, recipe.name, recipe)
  }
}
