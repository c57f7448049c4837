import GraphIR

/// Changes of light and colour, of images whose numbers are from 0 to 1 and stay there; and of what covers images.
extension Augmentation {
  /// The image brighter by a number that is added to each pixel, or darker where it is negative.
  public static func brightness(_ added: ClosedRange<Double>) -> Augmentation {
    Augmentation("brightness", problem: problem(of: added)) { example, random in
      let added = Float(random.next(in: added))
      for index in example.values.indices {
        example.values[index] = (example.values[index] + added).within01
      }
    }
  }

  /// Each pixel's distance from the image's mean brightness times a factor.
  public static func contrast(_ factor: ClosedRange<Double>) -> Augmentation {
    Augmentation("contrast", problem: problem(of: factor)) { example, random in
      let factor = Float(random.next(in: factor))
      let pixels = example.height * example.width
      let sum = (0..<pixels).reduce(0.0) { $0 + Double(example.grey($1)) }
      let mean = Float(sum / Double(pixels))
      for index in example.values.indices {
        example.values[index] = (mean + (example.values[index] - mean) * factor).within01
      }
    }
  }

  /// Each colour's distance from grey of the same brightness times a factor: 0 takes the colours away.
  ///
  /// Images have three channels, red, green and blue.
  public static func saturation(_ factor: ClosedRange<Double>) -> Augmentation {
    ofColours("saturation", problem(of: factor)) { example, random in
      let factor = Float(random.next(in: factor))
      for pixel in 0..<example.height * example.width {
        let grey = example.grey(pixel)
        for index in 3 * pixel..<3 * pixel + 3 {
          example.values[index] = (grey + (example.values[index] - grey) * factor).within01
        }
      }
    }
  }

  /// Each colour turned on the wheel from red over green and blue to red, by a share of the whole turn.
  ///
  /// Images have three channels, red, green and blue.
  public static func hue(_ turn: ClosedRange<Double>) -> Augmentation {
    ofColours("hue", problem(of: turn)) { example, random in
      let turn = random.next(in: turn)
      for pixel in 0..<example.height * example.width {
        let colour = (0..<3).map { Double(example.values[3 * pixel + $0]) }
        for (channel, value) in Augmentation.turned(colour, by: turn).enumerated() {
          example.values[3 * pixel + channel] = Float(value).within01
        }
      }
    }
  }

  private static func ofColours(
    _ name: String, _ problem: String?,
    _ act: @escaping @Sendable (inout AugmentedExample, inout Philox) -> Void
  ) -> Augmentation {
    Augmentation(
      name,
      outcome: { signature throws(Diagnostic) in
        guard signature.input.shape[2] == 3 else {
          throw Diagnostic(
            .typeMismatch, "\(name): images are \(signature.input)",
            hint: "colours have three channels: red, green and blue")
        }
        return signature
      }, problem: problem,
      act: { example, random, _ throws(Diagnostic) in act(&example, &random) }, rest: { _ in })
  }

  /// A colour of another hue, with the same saturation and value (Smith, "Color gamut transform pairs", SIGGRAPH 1978).
  private static func turned(_ colour: [Double], by turn: Double) -> [Double] {
    let (red, green, blue) = (colour[0], colour[1], colour[2])
    let (most, least) = (max(red, green, blue), min(red, green, blue))
    let span = most - least
    guard span > 0 else { return colour }
    // Sixths of the turn, from red.
    var hue =
      most == red
      ? (green - blue) / span : most == green ? 2 + (blue - red) / span : 4 + (red - green) / span
    hue += 6 * turn
    return [5.0, 3, 1].map { offset in
      var sixth = (offset + hue).truncatingRemainder(dividingBy: 6)
      if sixth < 0 { sixth += 6 }
      return most - span * max(0, min(sixth, 4 - sixth, 1))
    }
  }

  /// A number from the normal distribution of mean 0 added to each element of the input, of any shape.
  public static func noise(_ deviation: Double) -> Augmentation {
    let isRight = deviation >= 0 && deviation.isFinite
    return Augmentation(
      "noise", ofImages: false, problem: isRight ? nil : "a standard deviation of \(deviation)"
    ) { example, random in
      for index in example.values.indices {
        example.values[index] += Float(deviation * random.nextGaussian())
      }
    }
  }

  /// A rectangle of the image covered, whose middle may be any pixel (DeVries and Taylor, "Improved regularization of
  /// convolutional neural networks with cutout", 2017).
  ///
  /// - Parameter value: What covers it.
  public static func cutout(height: Int, width: Int, value: Double = 0) -> Augmentation {
    Augmentation(
      "cutout", problem: height >= 1 && width >= 1 ? nil : "a rectangle of \(height)x\(width)"
    ) { example, random in
      let top = random.next(below: example.height) - height / 2
      let left = random.next(below: example.width) - width / 2
      for row in max(top, 0)..<min(top + height, example.height) {
        for column in max(left, 0)..<min(left + width, example.width) {
          for channel in 0..<example.channels {
            let index = (row * example.width + column) * example.channels + channel
            example.values[index] = Float(value)
          }
        }
      }
    }
  }
}

extension AugmentedExample {
  /// The brightness of a pixel: of three channels as `Picture.grey` has it, else their mean.
  fileprivate func grey(_ pixel: Int) -> Float {
    if channels == 3 {
      return 0.2126 * values[3 * pixel] + 0.7152 * values[3 * pixel + 1] + 0.0722
        * values[3 * pixel + 2]
    }
    let start = pixel * channels
    return values[start..<start + channels].reduce(0, +) / Float(channels)
  }
}

extension Float {
  fileprivate var within01: Float { min(max(self, 0), 1) }
}
