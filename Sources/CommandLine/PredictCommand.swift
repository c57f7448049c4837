import ArgumentParser
import GraphIR
import Martlet

/// `martlet predict`: shows a picture to a trained classifier.
struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict", abstract: "Show a picture to a trained classifier.",
    discussion: """
      The picture is scaled to the model's size; dark strokes on a light ground are turned around. The \
      probabilities are drawn as bars.

      EXAMPLE:
        martlet predict lenet digit.png --weights lenet.safetensors
      """)

  @Argument(help: "A sample's name (see `martlet list`).")
  var model: String

  @Argument(help: "A picture (.png, .ppm or .pgm).")
  var image: String

  @Option(help: "A checkpoint that `train --save` wrote.")
  var weights: String

  @OptionGroup var options: BackendOptions

  @OptionGroup var report: ReportOptions

  func run() throws {
    let recipe = try LoadedModel.recipe(named: model)
    let shape = recipe.example.input.shape
    guard shape.rank == 3, shape[2] == 1 else {
      throw Diagnostic(.unsupported, "\(model) does not look at grey pictures")
    }
    let trainer = try recipe.trainer(Recipe.Options(backend: options.makeBackend(report)))
    // The optimizer may have been another one.
    try trainer.loadParameters(from: weights, for: recipe.example)
    let input = try Picture(contentsOf: image).digit(height: shape[0], width: shape[1])
    let output = try trainer.predict(input)
    guard output.type.shape.rank == 2 else {
      throw Diagnostic(.unsupported, "\(model) does not tell classes of whole pictures apart")
    }
    let probabilities = output.doubles()
    print(drawing(of: input.doubles(), width: shape[1]))
    let best = probabilities.indices.max { probabilities[$0] < probabilities[$1] } ?? 0
    for (index, probability) in probabilities.enumerated() {
      // What is no probability has a bar, too: weights may be of any values.
      let length = min(max(Int(saturating: (probability * 40).rounded()), 0), 40)
      let bar = String(repeating: "█", count: length)
      let name = index < recipe.classNames.count ? recipe.classNames[index] : "\(index)"
      print(
        "\(name.leftPadded(to: 8)) \((100 * probability).fixed(1).leftPadded(to: 5)) % \(bar)"
          + (index == best ? "  <" : ""))
    }
  }

  /// Pixels from 0 to 1 as text, two characters each, so that they look square.
  private func drawing(of pixels: [Double], width: Int) -> String {
    let shades = Array(" ░▒▓█")
    return stride(from: 0, to: pixels.count, by: width).map { row in
      String(
        pixels[row..<row + width].flatMap { pixel in
          let shade = shades[min(max(Int(pixel * 5), 0), 4)]
          return [shade, shade]
        })
    }.joined(separator: "\n")
  }
}
