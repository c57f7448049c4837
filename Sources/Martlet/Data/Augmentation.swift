import GraphIR

/// A random change of an example that leaves it what its label says, so that a model sees more than there is.
///
/// ```swift
/// let data = try split.augmented(by: .flip(), .rotation(-10...10), .noise(0.05), seed: 1)
/// ```
///
/// Changes act in training alone, in the order in which they are named, and are drawn anew for each example in each epoch:
/// from the seeds, the epoch and the example, and nothing else. Where an example is only looked at, as in evaluation, it is
/// as it was, but for what changes its type: it is cropped in the middle, and classes become probabilities.
///
/// Inputs are f32; those of most changes are images `[height, width, channels]`. Changes of place also act on labels that
/// are images `[height, width, ...]`, of which they take the nearest pixel; images are interpolated linearly.
public struct Augmentation: Sendable {
  let name: String
  /// What examples look like afterwards; throws when the change is not one for them, or its numbers make no sense.
  let outcome: @Sendable (ExampleSignature) throws(Diagnostic) -> ExampleSignature
  /// Changes an example at random.
  ///
  /// `partner` gives another example, as it is before this change, for a number from 0 to 1.
  let act:
    @Sendable (
      _ example: inout AugmentedExample, _ random: inout Philox,
      _ partner: (Double) throws(Diagnostic) -> AugmentedExample
    ) throws(Diagnostic) -> Void
  /// Makes of an example that is not to be changed the type that it would have.
  let rest: @Sendable (_ example: inout AugmentedExample) throws(Diagnostic) -> Void

  /// Makes a change that leaves the type of examples as it is.
  init(
    _ name: String, ofImages: Bool = true, problem: String? = nil,
    _ act: @escaping @Sendable (inout AugmentedExample, inout Philox) -> Void
  ) {
    self.init(
      name, outcome: { $0 }, ofImages: ofImages, problem: problem,
      act: { example, random, _ throws(Diagnostic) in act(&example, &random) }, rest: { _ in })
  }

  /// Makes a change.
  ///
  /// - Parameters:
  ///   - ofImages: Whether inputs have to be images.
  ///   - problem: What is wrong with its numbers.
  init(
    _ name: String,
    outcome: @escaping @Sendable (ExampleSignature) throws(Diagnostic) -> ExampleSignature,
    ofImages: Bool = true, problem: String? = nil,
    act:
      @escaping @Sendable (
        inout AugmentedExample, inout Philox, (Double) throws(Diagnostic) -> AugmentedExample
      ) throws(Diagnostic) -> Void,
    rest: @escaping @Sendable (inout AugmentedExample) throws(Diagnostic) -> Void
  ) {
    self.name = name
    self.act = act
    self.rest = rest
    self.outcome = { signature throws(Diagnostic) in
      if let problem { throw Diagnostic(.argument, "\(name): \(problem)") }
      let input = signature.input
      guard input.dtype == .f32,
        !ofImages || input.shape.rank == 3 && input.shape.extents.allSatisfy({ $0 > 0 })
      else {
        throw Diagnostic(
          .typeMismatch, "\(name): inputs are \(input)",
          hint: ofImages ? "images are f32 [height, width, channels]" : "inputs are to be f32")
      }
      return try outcome(signature)
    }
  }

  /// What is wrong with the ranges from which numbers are drawn; nil when nothing is.
  static func problem(of ranges: ClosedRange<Double>...) -> String? {
    ranges.first { max(-$0.lowerBound, $0.upperBound) > 100_000 }.map {
      "a range of \($0), which is to be within 100,000"
    }
  }

  /// What lies around an image.
  public enum Border: Hashable, Sendable {
    /// A number, and around images of classes a class.
    case constant(Double = 0, label: Double = 0)
    /// The nearest pixel.
    case edge
    /// The image as in a mirror, whose outermost pixels stand once.
    case mirror

    /// The place inside an image for one on its line, which may lie outside; nil where it is a constant.
    @inline(__always)
    func place(_ place: Int, of count: Int) -> Int? {
      if place >= 0, place < count { return place }
      switch self {
      case .constant: return nil
      case .edge: return min(max(place, 0), count - 1)
      case .mirror:
        let period = max(2 * (count - 1), 1)
        let rest = (place % period + period) % period
        return min(rest, period - rest) % count
      }
    }
  }
}

/// An example while it is changed.
struct AugmentedExample {
  /// The extents of the input.
  var extents: [Int]
  /// The elements of the input.
  var values: [Float]
  var label: Literal

  /// The rows and columns of the input, which is an image.
  var height: Int { extents[0] }
  var width: Int { extents[1] }
  var channels: Int { extents[2] }

  /// Takes pixels from other places: for each of an image of the given size, `source` tells the row and the column, which
  /// may lie between pixels or outside of the image.
  mutating func resample(
    height newHeight: Int, width newWidth: Int, border: Augmentation.Border,
    _ source: (_ row: Int, _ column: Int) -> (row: Double, column: Double)
  ) {
    let (old, channels) = (values, channels)
    let (height, width) = (height, width)
    var outside: Float = 0
    if case .constant(let value, _) = border { outside = Float(value) }
    func pixel(_ row: Int?, _ column: Int?, _ channel: Int) -> Float {
      guard let row, let column else { return outside }
      return old[(row * width + column) * channels + channel]
    }
    values = [Float](repeating: 0, count: newHeight * newWidth * channels)
    for row in 0..<newHeight {
      for column in 0..<newWidth {
        let place = source(row, column)
        let (top, left) = (place.row.rounded(.down), place.column.rounded(.down))
        let (down, right) = (Float(place.row - top), Float(place.column - left))
        let upper = border.place(Int(top), of: height)
        let lower = border.place(Int(top) + 1, of: height)
        let first = border.place(Int(left), of: width)
        let second = border.place(Int(left) + 1, of: width)
        for channel in 0..<channels {
          // On a pixel exactly, the terms of its neighbours vanish: what is only moved keeps its bits.
          let start = pixel(upper, first, channel)
          let above = start + (pixel(upper, second, channel) - start) * right
          let next = pixel(lower, first, channel)
          let below = next + (pixel(lower, second, channel) - next) * right
          values[(row * newWidth + column) * channels + channel] = above + (below - above) * down
        }
      }
    }
    resampleLabel(height: newHeight, width: newWidth, border: border, source)
    extents = [newHeight, newWidth, channels]
  }

  /// Does to a label that is an image what was done to the input.
  private mutating func resampleLabel(
    height newHeight: Int, width newWidth: Int, border: Augmentation.Border,
    _ source: (_ row: Int, _ column: Int) -> (row: Double, column: Double)
  ) {
    guard AugmentedExample.isImage(label.type, extents) else { return }
    let (height, width) = (height, width)
    let type = AugmentedExample.labelType(label.type, height: newHeight, width: newWidth)
    let pixelBytes = label.bytes.count / (height * width)
    var outside: [UInt8] = []
    if case .constant(_, let value) = border {
      let element = Literal.scalar(value, type.dtype).bytes
      outside = (0..<pixelBytes).map { element[$0 % element.count] }
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(type.byteCount)
    for row in 0..<newHeight {
      for column in 0..<newWidth {
        let place = source(row, column)
        let near = border.place(Int((place.row + 0.5).rounded(.down)), of: height)
        let beside = border.place(Int((place.column + 0.5).rounded(.down)), of: width)
        if let near, let beside {
          let start = (near * width + beside) * pixelBytes
          bytes += label.bytes[start..<start + pixelBytes]
        } else {
          bytes += outside
        }
      }
    }
    label = Literal(type, bytes: bytes) ?? label
  }

  /// Whether a label is an image as large as an input.
  static func isImage(_ label: TensorType, _ input: [Int]) -> Bool {
    label.shape.rank >= 2 && label.shape.extents.prefix(2) == input.prefix(2)
  }

  /// The type of an image of another size.
  static func labelType(_ type: TensorType, height: Int, width: Int) -> TensorType {
    TensorType(type.dtype, Shape([height, width] + type.shape.extents.dropFirst(2)))
  }
}
