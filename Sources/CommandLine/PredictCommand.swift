import ArgumentParser
import GraphIR
import Martlet

/// `martlet predict`: shows a picture to a trained classifier.
struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict", abstract: "Show a picture to a trained classifier.",
    discussion: """
      The picture is scaled to the model's size; a dark digit on a light ground is turned around. The probabilities \
      are drawn as bars.

      EXAMPLE:
        martlet predict lenet digit.png --weights lenet.safetensors
      """)

  @Argument(help: "A sample's name (see `martlet list`).")
  var model: String

  @Argument(help: "A picture (.png).")
  var image: String

  @Option(help: "A checkpoint that `train --save` wrote.")
  var weights: String

  @OptionGroup var options: BackendOptions

  func run() throws {
    let sample = try LoadedModel.sample(named: model)
    let trainer = try sample.trainer(backend: options.makeBackend())
    try trainer.load(weights, for: sample.example)
    let picture = try Picture.read(image)
    let input = try picture.literal(for: sample.example)
    let probabilities = try trainer.predict(input).doubles()
    print(picture.drawing(for: sample.example))
    let best = probabilities.indices.max { probabilities[$0] < probabilities[$1] } ?? 0
    for (index, probability) in probabilities.enumerated() {
      let bar = String(repeating: "█", count: Int((probability * 40).rounded()))
      let mark = index == best ? " <" : ""
      print(
        "\(sample.classNames[index].leftPadded(to: 8)) "
          + "\((100 * probability).fixed(1).leftPadded(to: 5)) % \(bar)\(mark)")
    }
  }
}
