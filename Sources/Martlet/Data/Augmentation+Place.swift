import GraphIR

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Changes of place. What moves by whole pixels, and turns of a square by 90 degrees, keep every bit.
extension Augmentation {
  /// The image turned over, left to right or top to bottom, each with a probability.
  public static func flip(horizontally: Double = 0.5, vertically: Double = 0) -> Augmentation {
    let isRight = (0...1).contains(horizontally) && (0...1).contains(vertically)
    return Augmentation(
      "flip", problem: isRight ? nil : "probabilities of \(horizontally) and \(vertically)"
    ) { example, random in
      let (isMirrored, isTurned) = (
        random.nextUniform() < horizontally, random.nextUniform() < vertically
      )
      guard isMirrored || isTurned else { return }
      let (height, width) = (example.height, example.width)
      example.resample(height: height, width: width, border: .edge) { row, column in
        (
          Double(isTurned ? height - 1 - row : row),
          Double(isMirrored ? width - 1 - column : column)
        )
      }
    }
  }

  /// The image rotated about its middle by some degrees, counter-clockwise.
  public static func rotation(
    _ degrees: ClosedRange<Double>, border: Border = .constant()
  ) -> Augmentation {
    affine("rotation", degrees: degrees, border: border)
  }

  /// The image moved down and to the right by some pixels, or up and to the left where they are negative.
  ///
  /// - Parameter isWhole: Whether only by whole pixels.
  public static func shift(
    rows: ClosedRange<Double>, columns: ClosedRange<Double>, isWhole: Bool = false,
    border: Border = .constant()
  ) -> Augmentation {
    affine("shift", rows: rows, columns: columns, isWhole: isWhole, border: border)
  }

  /// The image enlarged about its middle by a factor, at the same size: above 1 its rim is lost, below 1 there is a border.
  public static func scale(
    _ factor: ClosedRange<Double>, border: Border = .constant()
  ) -> Augmentation {
    affine("scale", scale: factor, border: border)
  }

  /// The image scaled and rotated about its middle, and then moved: all at once, and so interpolated only once.
  public static func affine(
    degrees: ClosedRange<Double> = 0...0, rows: ClosedRange<Double> = 0...0,
    columns: ClosedRange<Double> = 0...0, scale: ClosedRange<Double> = 1...1,
    border: Border = .constant()
  ) -> Augmentation {
    affine(
      "affine", degrees: degrees, rows: rows, columns: columns, scale: scale, border: border)
  }

  private static func affine(
    _ name: String, degrees: ClosedRange<Double> = 0...0, rows: ClosedRange<Double> = 0...0,
    columns: ClosedRange<Double> = 0...0, scale: ClosedRange<Double> = 1...1,
    isWhole: Bool = false, border: Border
  ) -> Augmentation {
    let isRight = scale.lowerBound >= 0.01 && scale.upperBound <= 100
    let problem =
      isRight
      ? problem(of: degrees, rows, columns)
      : "a factor of \(scale), which is to be from 0.01 to 100"
    return Augmentation(name, problem: problem) { example, random in
      let (sine, cosine) = sineAndCosine(degrees: random.next(in: degrees))
      var (down, right) = (random.next(in: rows), random.next(in: columns))
      if isWhole { (down, right) = (down.rounded(), right.rounded()) }
      let factor = random.next(in: scale)
      let middle = (row: Double(example.height - 1) / 2, column: Double(example.width - 1) / 2)
      example.resample(height: example.height, width: example.width, border: border) {
        row, column in
        // The way back: what was moved last is moved back first. Rows count downwards.
        let y = (Double(row) - middle.row - down) / factor
        let x = (Double(column) - middle.column - right) / factor
        return (middle.row + x * sine + y * cosine, middle.column + x * cosine - y * sine)
      }
    }
  }

  /// Exact for multiples of 90 degrees.
  private static func sineAndCosine(degrees: Double) -> (Double, Double) {
    switch degrees.truncatingRemainder(dividingBy: 360) {
    case 0: return (0, 1)
    case 90, -270: return (1, 0)
    case 180, -180: return (0, -1)
    case 270, -90: return (-1, 0)
    case let rest:
      let angle = rest * Double.pi / 180
      return (sin(angle), cos(angle))
    }
  }

  /// A part of the image, which has a border around it, from anywhere (as Krizhevsky et al., NIPS 2012, trained AlexNet).
  public static func crop(
    height: Int, width: Int, padding: Int = 0, border: Border = .constant()
  ) -> Augmentation {
    /// Cuts out the part that leaves so many rows above and columns at the left.
    @Sendable func cut(_ example: inout AugmentedExample, _ top: Int, _ left: Int) {
      example.resample(height: height, width: width, border: border) { row, column in
        (Double(row + top - padding), Double(column + left - padding))
      }
    }
    /// The rows and columns that are not taken.
    @Sendable func room(_ example: AugmentedExample) -> (rows: Int, columns: Int) {
      (example.height + 2 * padding - height, example.width + 2 * padding - width)
    }
    return Augmentation(
      "crop",
      outcome: { signature throws(Diagnostic) in
        var outcome = signature
        let extents = signature.input.shape.extents
        guard height <= extents[0] + 2 * padding, width <= extents[1] + 2 * padding else {
          throw Diagnostic(
            .shapeMismatch,
            "crop: \(height)x\(width) of images \(signature.input) with a border of \(padding)")
        }
        outcome.input = TensorType(.f32, [height, width, extents[2]])
        if AugmentedExample.isImage(signature.label, extents) {
          outcome.label = AugmentedExample.labelType(signature.label, height: height, width: width)
        }
        return outcome
      },
      problem: height >= 1 && width >= 1 && (0...1024).contains(padding)
        ? nil : "\(height)x\(width) with a border of \(padding), which is to be from 0 to 1024",
      act: { example, random, _ throws(Diagnostic) in
        let room = room(example)
        cut(&example, random.next(below: room.rows + 1), random.next(below: room.columns + 1))
      },
      rest: { example throws(Diagnostic) in
        let room = room(example)
        cut(&example, room.rows / 2, room.columns / 2)
      })
  }
}

extension Philox {
  /// Uniform in a range.
  mutating func next(in range: ClosedRange<Double>) -> Double {
    range.lowerBound + nextUniform() * (range.upperBound - range.lowerBound)
  }

  /// Uniform from 0 to `count - 1`.
  mutating func next(below count: Int) -> Int { Int(nextUniform() * Double(count)) }
}
