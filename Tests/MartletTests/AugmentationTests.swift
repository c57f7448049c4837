import GraphIR
import Martlet
import Testing

/// Random changes of examples: each against values computed by hand, and by what must hold of it.
@Suite struct AugmentationTests {
  /// What changes make of one image of pixels `[height, width, channels]` and its label.
  func change(
    _ extents: Shape, _ pixels: [Float], label: Literal = Literal([], [Int32(0)]),
    by changes: Augmentation..., epoch: Int = 0, seed: UInt64 = 0
  ) throws -> (input: Literal, label: Literal) {
    let data = try Dataset(
      inputs: f32(Shape([1] + extents.extents), pixels),
      labels: try #require(
        Literal(
          TensorType(label.type.dtype, Shape([1] + label.type.shape.extents)), bytes: label.bytes)))
    return try data.augmented(by: changes, seed: seed).augmentedExample(0, epoch: epoch)
  }

  @Test func flipsTurnImagesAndTheirLabelsOver() throws {
    let label = Literal([2, 3], [Int32(1), 2, 3, 4, 5, 6])
    let across = try change(
      [2, 3, 1], [1, 2, 3, 4, 5, 6], label: label, by: .flip(horizontally: 1))
    #expect(across.input == f32([2, 3, 1], [3, 2, 1, 6, 5, 4]))
    #expect(across.label == Literal([2, 3], [Int32(3), 2, 1, 6, 5, 4]))
    let down = try change(
      [2, 3, 1], [1, 2, 3, 4, 5, 6], label: label, by: .flip(horizontally: 0, vertically: 1))
    #expect(down.input == f32([2, 3, 1], [4, 5, 6, 1, 2, 3]))
    let pixels = (0..<18).map { Float($0) * 0.37 }
    let twice = try change(
      [2, 3, 3], pixels, label: label, by: .flip(horizontally: 1, vertically: 1),
      .flip(horizontally: 1, vertically: 1))
    #expect(twice.input == f32([2, 3, 3], pixels) && twice.label == label)
    let flipped = try (0..<400).count { epoch in
      try change([1, 2, 1], [0, 1], by: .flip(), epoch: epoch).input.doubles() == [1, 0]
    }
    #expect((150...250).contains(flipped), "about half of 400: \(flipped)")
  }

  @Test(arguments: [2, 3])
  func quarterTurnsMovePixelsExactly(side: Int) throws {
    let pixels = (0..<side * side).map { Float($0) * 0.1 + 0.05 }
    let shape: Shape = [side, side, 1]
    let label = Literal([side, side], (0..<side * side).map { UInt8($0) })
    let turned = try change(shape, pixels, label: label, by: .rotation(90...90))
    // Counter-clockwise, what stood at the right stands on top.
    let places = (0..<side).flatMap { row in
      (0..<side).map { column in column * side + side - 1 - row }
    }
    #expect(turned.input == f32(shape, places.map { pixels[$0] }))
    #expect(turned.label == Literal([side, side], places.map { UInt8($0) }))
    let back = try change(shape, pixels, by: .rotation(90...90), .rotation(-90 ... -90)).input
    let round = try change(shape, pixels, by: .rotation(180...180), .rotation(-180 ... -180)).input
    #expect(back == f32(shape, pixels) && round == f32(shape, pixels))
    let half = try change(shape, pixels, by: .rotation(180...180)).input
    #expect(half == f32(shape, pixels.reversed()))
  }

  @Test func shiftsFillTheBorderAsTold() throws {
    func shifted(_ columns: Double, _ border: Augmentation.Border) throws -> [Double] {
      try change(
        [1, 4, 1], [1, 2, 3, 5], by: .shift(rows: 0...0, columns: columns...columns, border: border)
      ).input.doubles()
    }
    #expect(try shifted(2, .constant(9)) == [9, 9, 1, 2])
    #expect(try shifted(-2, .edge) == [3, 5, 5, 5])
    #expect(try shifted(2, .mirror) == [3, 2, 1, 2])
    #expect(try shifted(-7, .mirror) == [2, 3, 5, 3])
    // Between pixels, linearly.
    #expect(try shifted(0.5, .edge) == [1, 1.5, 2.5, 4])
    #expect(try shifted(0.25, .constant(9)) == [3, 1.75, 2.75, 4.5])
    let label = Literal([3, 1], [Int16(1), 2, 3])
    let down = try change(
      [3, 1, 1], [1, 2, 3], label: label,
      by: .shift(rows: 1...1, columns: 0...0, border: .constant(0.5, label: -1)))
    #expect(
      down.input.doubles() == [0.5, 1, 2] && down.label == Literal([3, 1], [Int16(-1), 1, 2]))
    for epoch in 0..<20 {
      let whole = try change(
        [1, 4, 1], [1, 2, 3, 5], by: .shift(rows: 0...0, columns: -2...2, isWhole: true),
        epoch: epoch
      ).input.doubles()
      #expect(whole.allSatisfy { [0, 1, 2, 3, 5].contains($0) }, "\(whole)")
    }
  }

  @Test func scalingIsAboutTheMiddle() throws {
    let line: [Float] = [0, 1, 4, 9, 16]
    let larger = try change([1, 5, 1], line, by: .scale(2...2)).input
    #expect(larger.doubles() == [1, 2.5, 4, 6.5, 9])
    let smaller = try change([1, 5, 1], line, by: .scale(0.5...0.5, border: .constant(7))).input
    #expect(smaller.doubles() == [7, 0, 4, 16, 7])
    let label = Literal([1, 5], [Int32(0), 1, 2, 3, 4])
    let near = try change([1, 5, 1], line, label: label, by: .scale(2...2)).label
    #expect(near == Literal([1, 5], [Int32(1), 2, 2, 3, 3]), "halves are rounded up")
    // Half the size, a quarter turn, one pixel down: all at once.
    let all = try change(
      [3, 3, 1], [0, 1, 0, 2, 5, 3, 0, 4, 0],
      by: .affine(degrees: 90...90, rows: 1...1, scale: 0.5...0.5))
    #expect(all.input.doubles() == [0, 0, 0, 0, 0, 0, 0, 5, 0])
  }

  @Test func cropsAreFromAnywhereAndInTheMiddleWhenLookedAt() throws {
    let data = try Dataset(
      inputs: f32([1, 3, 3, 1], [1, 2, 3, 4, 5, 6, 7, 8, 9]),
      labels: Literal([1, 3, 3], [Int32(1), 2, 3, 4, 5, 6, 7, 8, 9])
    ).augmented(by: .crop(height: 1, width: 2, padding: 1))
    #expect(data.signature.input.shape == [1, 2, 1] && data.signature.label.shape == [1, 2])
    #expect(try data.example(0).input == f32([1, 2, 1], [4, 5]))
    var seen: Set<[Double]> = []
    for epoch in 0..<300 {
      let (input, label) = try data.augmentedExample(0, epoch: epoch)
      #expect(input.doubles() == label.doubles(), "the label is cropped alike")
      seen.insert(input.doubles())
    }
    let inside: [[Double]] = [
      [0, 1], [1, 2], [2, 3], [3, 0], [0, 4], [4, 5], [5, 6], [6, 0], [0, 7], [7, 8], [8, 9],
      [9, 0],
    ]
    #expect(seen == Set(inside + [[0, 0]]), "each place, and none else")
    let same = try Dataset(inputs: f32([1, 2, 2, 1], [1, 2, 3, 4]), labels: f32([1], [0]))
      .augmented(by: .crop(height: 2, width: 2, padding: 3))
    #expect(try same.example(0).input == f32([2, 2, 1], [1, 2, 3, 4]))
  }

  @Test func lightAndColoursChange() throws {
    func changed(_ pixels: [Float], _ change: Augmentation) throws -> Literal {
      try self.change([1, pixels.count / 3, 3], pixels, by: change).input
    }
    let bright = try change([1, 2, 1], [0.5, 0.9], by: .brightness(0.25...0.25)).input
    #expect(bright == f32([1, 2, 1], [0.75, 1]))
    let flat = try change([1, 2, 1], [0.2, 0.6], by: .contrast(0.5...0.5)).input
    #expect(flat.isClose(to: [0.3, 0.5]))
    let colours: [Float] = [0.8, 0.4, 0.2, 0.1, 0.3, 0.9]
    let grey = [0.4706, 0.3008].flatMap { [$0, $0, $0] }
    #expect(try changed(colours, .saturation(0...0)).isClose(to: grey))
    #expect(try changed(colours, .saturation(1...1)).isClose(to: colours.map { Double($0) }))
    // As Python's colorsys computes it.
    #expect(try changed([0.8, 0.4, 0.2], .hue(0.1...0.1)).isClose(to: [0.8, 0.76, 0.2]))
    #expect(try changed([0.1, 0.3, 0.9], .hue(-0.3 ... -0.3)).isClose(to: [0.14, 0.9, 0.1]))
    #expect(try changed([0.5, 0.5, 0.5], .hue(0.4...0.4)).isClose(to: [0.5, 0.5, 0.5]))
    #expect(try changed(colours, .hue(1...1)).isClose(to: colours.map { Double($0) }))
  }

  @Test func noiseHasItsDeviation() throws {
    let zeros = [Float](repeating: 0, count: 10_000)
    let noise = try change([100, 100, 1], zeros, by: .noise(0.5)).input.doubles()
    let mean = noise.reduce(0, +) / 10_000
    let square = noise.reduce(0) { $0 + $1 * $1 } / 10_000
    #expect(abs(mean) < 0.02 && abs(square - 0.25) < 0.02, "\(mean), \(square)")
    let other = try change([100, 100, 1], zeros, by: .noise(0.5), epoch: 1).input.doubles()
    #expect(zip(noise, other).count { $0 != $1 } > 9_900, "each epoch draws anew")
    let row = try Dataset(inputs: f32([1, 4], [1, 2, 3, 4]), labels: f32([1], [0]))
    #expect(
      try row.augmented(by: .noise(0)).augmentedExample(0, epoch: 3).input
        == f32([4], [1, 2, 3, 4]))
  }

  @Test func cutoutCoversARectangle() throws {
    let ones = [Float](repeating: 1, count: 50)
    var counts: Set<Int> = []
    for epoch in 0..<200 {
      let image = try change(
        [5, 5, 2], ones, by: .cutout(height: 3, width: 2, value: 0.25), epoch: epoch
      ).input.doubles()
      let covered = image.indices.filter { image[$0] == 0.25 }
      let rows = Set(covered.map { $0 / 10 })
      let columns = Set(covered.map { $0 % 10 / 2 })
      #expect(covered.count == 2 * rows.count * columns.count, "all channels of a rectangle")
      #expect(image.allSatisfy { $0 == 0.25 || $0 == 1 })
      counts.insert(rows.count * 10 + columns.count)
    }
    #expect(counts == [22, 32, 21, 31], "also over the rim")
  }

  @Test func mixedExamplesHaveMixedLabels() throws {
    let data = try Dataset(
      inputs: f32([2, 2], [0, 10, 1, 20]), labels: Literal([2], [Int32(0), 2]))
    for (alpha, variance) in [(0.2, 0.25 / 1.4), (1, 1.0 / 12), (8, 0.25 / 17)] {
      let mixed = try data.augmented(by: .mixUp(alpha: alpha, classes: 3))
      #expect(mixed.signature.label == TensorType(.f32, [3]))
      #expect(try mixed.example(1).label == f32([3], [0, 0, 1]), "not mixed when looked at")
      #expect(try mixed.classes() == [0, 2])
      var squares = 0.0
      for epoch in 0..<2000 {
        let (input, label) = try mixed.augmentedExample(0, epoch: epoch)
        let (values, shares) = (input.doubles(), label.doubles())
        if abs(values[0] - shares[2]) > 1e-6 || abs(values[1] - 10 - 10 * shares[2]) > 1e-5
          || shares[1] != 0 || abs(shares[0] + shares[2] - 1) > 1e-6
        {
          Issue.record("\(values) with \(shares)")
        }
        squares += shares[2] * shares[2] / 2000
      }
      // Every other time the partner is the example itself.
      #expect(abs(squares - 0.5 * (variance + 0.25)) < 0.03, "alpha \(alpha): \(squares)")
    }
    let part = try data.augmented(by: .mixUp(classes: 3))[0..<1]
    #expect(
      try part.augmentedExample(0, epoch: 1).input.isClose(to: [0, 10]), "only with its part")
  }

  static let all: [Augmentation] = [
    .affine(degrees: -20...20, rows: -1...1, columns: -1...1, scale: 0.8...1.2), .flip(),
    .brightness(-0.1...0.1), .contrast(0.5...1.5), .noise(0.1), .cutout(height: 1, width: 1),
    .mixUp(classes: 2),
  ]

  @Test func drawsFollowFromSeedsEpochAndExample() throws {
    let plain = try Images.dataset(
      f32([6, 4, 4], (0..<96).map { Float($0 % 11) / 11 }),
      labels: Literal([6], [Int32(0), 1, 0, 1, 1, 0]))
    let data = try plain.augmented(by: AugmentationTests.all, seed: 5)
    let first = try data.augmentedExample(2, epoch: 7)
    #expect(try data.augmentedExample(2, epoch: 7) == first)
    let reordered = data.shuffled(seed: 1)
    let place = try #require(
      (0..<6).first { (try? reordered.example($0).input) == (try? data.example(2).input) })
    let single = try plain.augmented(by: Array(AugmentationTests.all.dropLast()), seed: 5)
    #expect(
      try single.shuffled(seed: 1).augmentedExample(place, epoch: 7).input
        == single.augmentedExample(2, epoch: 7).input, "the order does not matter")
    let others = [
      try data.augmentedExample(2, epoch: 8), try data.augmentedExample(2, epoch: 7, seed: 1),
      try data.augmentedExample(3, epoch: 7),
      try plain.augmented(by: AugmentationTests.all, seed: 6).augmentedExample(2, epoch: 7),
    ]
    #expect(others.allSatisfy { $0.input != first.input })
    #expect(try data.example(2).input == plain.example(2).input, "evaluation changes nothing")
  }

  @Test func normalizationComesBehindOtherChanges() throws {
    let data = try Dataset(inputs: f32([2, 1, 1, 1], [0.2, 0.6]), labels: f32([2], [0, 1]))
    let augmented = try data.augmented(by: .brightness(0.2...0.2), seed: 4)
    let normalization = try Normalization(fitting: augmented)
    #expect(abs(normalization.mean[0] - 0.4) < 1e-7, "measured without random changes")
    let normalized = try normalization.applied(to: augmented)
    #expect(try normalized.example(0).input.isClose(to: [-1]))
    #expect(try normalized.augmentedExample(1, epoch: 0).input.isClose(to: [2]))
  }

  @Test func aSourceSaysWhatItsExamplesBecome() throws {
    let plain = try Images.dataset(
      Literal([2, 3, 3], (0..<18).map { UInt8($0) }), labels: Literal([2], [Int32(0), 1]))
    let source = ExampleSource(example: plain.signature) { () throws(Diagnostic) in
      DataSplit(train: plain[0..<1], validation: plain, test: plain[1..<2])
    }
    .augmented(by: .crop(height: 2, width: 2), .noise(1), .mixUp(classes: 2), seed: 2)
    .normalized(per: .whole)
    let data = try source.load()
    for part in [data.train, try #require(data.validation), data.test] {
      #expect(part.signature == source.example)
    }
    #expect(source.example.input.shape == [2, 2, 1] && source.example.label.shape == [2])
    let normalized = try data.train.example(0).input.doubles()
    #expect(abs(normalized.reduce(0, +)) < 1e-6 && normalized[0] < -1)
    #expect(try data.train.augmentedExample(0, epoch: 0).input.doubles() != normalized)
    let wrong = ExampleSource(example: plain.signature) { () throws(Diagnostic) in
      DataSplit(train: plain, test: plain)
    }.augmented(by: .hue(0...1))
    #expect(throws: Diagnostic.self) { try wrong.load() }
  }

  @Test func whatDoesNotFitIsTold() throws {
    let grey = try Dataset(
      inputs: f32([1, 2, 2, 1], [1, 2, 3, 4]), labels: Literal([1], [Int32(5)]))
    let row = try Dataset(inputs: f32([1, 2], [1, 2]), labels: f32([1], [0]))
    let bytes = try Dataset(inputs: Literal([1, 1, 1, 1], [UInt8(1)]), labels: f32([1], [0]))
    let wrong: [Augmentation] = [
      .flip(horizontally: 2), .scale(0...1), .rotation(0...1e9), .crop(height: 3, width: 2),
      .crop(height: 0, width: 1), .hue(0...0.1), .saturation(0...1), .noise(-1),
      .cutout(height: 0, width: 1), .mixUp(alpha: 0, classes: 3), .brightness(0...(.infinity)),
    ]
    for change in wrong {
      #expect(throws: Diagnostic.self, "\(change)") { try grey.augmented(by: change) }
    }
    #expect(throws: Diagnostic.self) { try row.augmented(by: .flip()) }
    #expect(throws: Diagnostic.self) { try bytes.augmented(by: .noise(1)) }
    let outside = try grey.augmented(by: .mixUp(classes: 5))
    #expect(throws: Diagnostic.self, "class 5 of 5") { try outside.example(0) }
    let masks = try Dataset(
      inputs: f32([1, 1, 1, 1], [0]), labels: Literal([1, 1, 1], [Int32(0)]))
    #expect(throws: Diagnostic.self) { try masks.augmented(by: .mixUp(classes: 2)) }
    #expect(throws: Diagnostic.self) { try outside.appending(grey) }
    #expect(throws: Diagnostic.self) { try outside.augmented(by: .flip(), seed: 9) }
  }
}
