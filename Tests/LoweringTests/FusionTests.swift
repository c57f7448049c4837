import GraphIR
import LoopIR
import Lowering
import Testing

/// Which nodes share a kernel.
@Suite struct FusionTests {
  private let matrix = TensorType(.f32, [64, 10])

  /// The names of the kernels in the order of their launches.
  private func kernels(_ program: Program) -> [String] {
    program.launches.map { program.kernels[$0.kernel].name }
  }

  @Test func anElementwiseChainIsOneKernelWithoutLocals() throws {
    let graph = try makeGraph([matrix, TensorType(.f32, [10])]) { builder, x in
      let wide = try builder.broadcast(x[1], to: [64, 10], dimensions: [1])
      let sum = try builder.add(x[0], wide)
      return [try builder.unary(.tanh, builder.multiply(builder.unary(.exp, sum), x[0]))]
    }
    let program = try expectSame(graph)
    #expect(program.launches.count == 1)
    #expect(program.kernels[0].stages.count == 1)
    #expect(program.arenaBytes == 0)
  }

  @Test func sharedSubexpressionsAreComputedOnce() throws {
    let graph = try makeGraph([matrix]) { builder, x in
      let y = try builder.unary(.sigmoid, x[0])
      let rest = try builder.subtract(builder.splat(1, matrix), y)
      return [y, try builder.multiply(y, rest)]
    }
    let program = try expectSame(graph)
    #expect(program.launches.count == 1)
    let sigmoids = program.kernels[0].stages.flatMap(\.body.instructions).filter {
      $0.operation == .unary(.sigmoid)
    }
    #expect(sigmoids.count == 1)
  }

  @Test func aLongDoublingChainStaysSmall() throws {
    let graph = try makeGraph([matrix]) { builder, x in
      var y = x[0]
      for _ in 0..<200 { y = try builder.add(y, y) }
      return [y]
    }
    let program = try lower(graph)
    #expect(program.launches.count == 1)
    #expect(program.kernels[0].stages.map(\.body.instructions.count).reduce(0, +) < 400)
  }

  @Test func movedAndAddedAgainAndAgainStaysSmall() throws {
    let square = TensorType(.f32, [8, 8])
    let graph = try makeGraph([square]) { builder, x in
      var y = x[0]
      for step in 0..<30 {
        let turned = try builder.transpose(y, [1, 0])
        let moved = try builder.reverse(y, dimensions: [step % 2])
        y = try builder.add(builder.add(turned, moved), y)
      }
      return [y]
    }
    let program = try lower(graph)
    #expect(program.kernels.flatMap(\.stages).map(\.body.instructions.count).reduce(0, +) < 1000)
  }

  @Test func softmaxIsOneKernelOverRows() throws {
    let graph = try makeGraph([matrix]) { builder, x in
      let most = try builder.reduce(.max, x[0], dimensions: [1])
      let shifted = try builder.subtract(
        x[0], builder.broadcast(most, to: [64, 10], dimensions: [0]))
      let powers = try builder.unary(.exp, shifted)
      let sum = try builder.reduce(.sum, powers, dimensions: [1])
      return [
        try builder.divide(powers, builder.broadcast(sum, to: [64, 10], dimensions: [0]))
      ]
    }
    let program = try expectSame(graph)
    #expect(program.launches.count == 1)
    let kernel = program.kernels[0]
    #expect(kernel.outer.map { kernel.dimensions[$0.index].extent } == [64])
    #expect(kernel.stages.count == 4)
  }

  @Test func layerNormIsOneKernelOverRows() throws {
    let type = TensorType(.f32, [4, 8, 32])
    let graph = try makeGraph([type, TensorType(.f32, [32])]) { builder, x in
      func wide(_ value: Value) throws -> Value {
        try builder.broadcast(value, to: type.shape, dimensions: [0, 1])
      }
      func mean(_ value: Value) throws -> Value {
        let sum = try builder.reduce(.sum, value, dimensions: [2])
        return try builder.divide(sum, builder.splat(32, TensorType(.f32, [4, 8])))
      }
      let centered = try builder.subtract(x[0], wide(mean(x[0])))
      let variance = try mean(builder.multiply(centered, centered))
      let scale = try builder.unary(.rsqrt, variance)
      let normal = try builder.multiply(centered, wide(scale))
      return [
        try builder.multiply(normal, builder.broadcast(x[1], to: type.shape, dimensions: [2]))
      ]
    }
    let program = try expectSame(graph, tolerance: 1e-5)
    #expect(program.launches.count == 1)
  }

  @Test func rowsThatAreTooLargeAreNotKept() throws {
    let graph = try makeGraph([TensorType(.f32, [2, 40_000])]) { builder, x in
      let powers = try builder.unary(.exp, x[0])
      let sum = try builder.reduce(.sum, powers, dimensions: [1])
      let wide = try builder.broadcast(sum, to: [2, 40_000], dimensions: [0])
      return [try builder.divide(powers, wide)]
    }
    let program = try lower(graph)
    #expect(program.launches.count > 1)
  }

  @Test func crossEntropyIsOneKernelAndItsMeanAnother() throws {
    var step = StepBuilder("loss")
    let logits = step.builder.input("logits", matrix)
    let labels = step.builder.input("labels", TensorType(.i32, [64]))
    let loss = try step.crossEntropy(logits, labels: labels)
    let builder = step.builder
    let program = try expectSame(builder.finish([Output("loss", loss)]), tolerance: 1e-5)
    #expect(program.launches.count == 2)
    #expect(program.arenaBytes == 256, "only the losses of the rows are in memory")
  }

  @Test func crossEntropyWithOneHotLabelsKeepsOnlyTheLosses() throws {
    let graph = try makeGraph([matrix, TensorType(.i32, [64])]) { builder, x in
      let shape = matrix.shape
      let most = try builder.reduce(.max, x[0], dimensions: [1])
      let shifted = try builder.subtract(
        x[0], builder.broadcast(most, to: shape, dimensions: [0]))
      let isLabel = try builder.compare(
        .equal, builder.broadcast(x[1], to: shape, dimensions: [0]),
        builder.iota(TensorType(.i32, shape), dimension: 1))
      let picked = try builder.reduce(
        .sum, builder.select(isLabel, shifted, builder.splat(0, matrix)), dimensions: [1])
      let sum = try builder.reduce(.sum, builder.unary(.exp, shifted), dimensions: [1])
      let losses = try builder.subtract(builder.unary(.log, sum), picked)
      return [try builder.reduce(.sum, losses, dimensions: [0])]
    }
    let program = try expectSame(graph, tolerance: 1e-5)
    #expect(program.launches.count == 2)
    #expect(program.arenaBytes == 256)
  }

  @Test func aContractionTakesItsEpilogue() throws {
    let graph = try makeGraph([
      TensorType(.f32, [16, 8]), TensorType(.f32, [12, 8]), TensorType(.f32, [12]),
      TensorType(.f32, [16, 12]),
    ]) { builder, x in
      let turned = try builder.transpose(x[1], [1, 0])
      let product = try builder.dot(x[0], turned, contracting: [[1], [0]])
      let sum = try builder.add(product, builder.broadcast(x[2], to: [16, 12], dimensions: [1]))
      let activated = try builder.unary(.sigmoid, sum)
      return [activated, try builder.add(activated, x[3])]
    }
    let program = try expectSame(graph, tolerance: 1e-5)
    #expect(program.launches.count == 1)
    let kernel = program.kernels[0]
    #expect(kernel.stages[0].body.instructions.map(\.operation).last == .binary(.multiply))
    #expect(kernel.stages[0].body.instructions.count == 3)
    #expect(kernel.parameters.filter { $0.role == .output }.count == 2)
  }

  @Test func contractionsLoadWithoutGuardsAndDivisions() throws {
    let program = try lower(lenetStep(batch: 4))
    for kernel in program.kernels where kernel.name.contains("conv") || kernel.name.contains("dot")
    {
      for stage in kernel.stages {
        guard case .fold(.sum, _) = stage.kind, !kernel.name.contains("reduce") else { continue }
        for instruction in stage.body.instructions {
          guard case .load(_, let index, let guards) = instruction.operation else { continue }
          #expect(guards.isEmpty, "\(kernel)")
          let isAffine = index.allSatisfy(\.isAffine)
          #expect(isAffine, "\(kernel)")
        }
      }
    }
  }

  @Test func theUpdateOfAParameterIsInTheKernelOfItsGradient() throws {
    let graph = try perceptronStep(batch: 8, inputs: 12, hidden: 16, classes: 5)
    let program = try expectSame(graph, tolerance: 1e-4)
    // Two products forward and one back, two of weights and two sums of biases with their updates, the loss, its
    // mean, two for the labels' gradient, and Adam's two scalars.
    #expect(program.launches.count == 12, "\(kernels(program))")
    #expect(Set(program.outputs).isSuperset(of: program.inputs.dropFirst(2).dropLast()))
  }

  @Test func equalKernelsAreStoredOnce() throws {
    let graph = try makeGraph([matrix, TensorType(.f32, [10, 10])]) { builder, x in
      var y = x[0]
      for _ in 0..<6 {
        y = try builder.unary(.tanh, builder.dot(y, x[1], contracting: [[1], [0]]))
      }
      return [y]
    }
    let program = try expectSame(graph, tolerance: 1e-4)
    #expect(program.launches.count == 6)
    #expect(program.kernels.count == 1)
  }

  /// Both passes over a layer with groups pad its input in the layout in which it lies, once, and read it there.
  @Test(arguments: [1, 2]) func bothPassesSharePadding(channels: Int) throws {
    let (groups, all) = (3, 3 * channels)
    let graph = try makeGraph([
      TensorType(.f32, [2, 5, 4, all]), TensorType(.f32, [3, 3, channels, 6]),
      TensorType(.f32, [2, 5, 4, 6]),
    ]) { builder, x in
      let around = [[1, 1], [1, 1]]
      let layer = Convolution(stride: [1, 1], padding: around, groups: groups)
      let split = try builder.reshape(x[0], [2, 5, 4, groups, channels])
      let turned = try builder.transpose(split, [4, 1, 2, 3, 0])
      let images = try builder.reshape(turned, [channels, 5, 4, groups * 2])
      let filters = try builder.transpose(x[2], [1, 2, 0, 3])
      return [
        try builder.convolution(x[0], x[1], layer), try builder.convolution(images, filters, layer),
      ]
    }
    let program = try expectSame(graph, tolerance: 1e-5)
    #expect(kernels(program).count { $0.hasPrefix("pad") } == 1)
    #expect(!kernels(program).contains { $0.hasPrefix("transpose") })
  }

  /// Windows of single channels are read under guards, where few reach beyond the ends; many channels are padded.
  @Test func windowsNeedNoPaddedCopy() throws {
    for (groups, size, copies) in [(4, 9, 0), (4, 5, 1), (1, 9, 1)] {
      let graph = try makeGraph([
        TensorType(.f32, [2, size, size, 4]), TensorType(.f32, [3, 3, 4 / groups, 4]),
      ]) { builder, x in
        let layer = Convolution(
          stride: [1, 1], padding: [[1, 1], [1, 1]], groups: groups)
        let sum = try builder.add(x[0], x[0])
        return [try builder.unary(.tanh, builder.convolution(sum, x[1], layer))]
      }
      let program = try expectSame(graph, tolerance: 1e-5)
      #expect(kernels(program).count { $0.hasPrefix("pad") } == copies, "\(groups) \(size)")
    }
  }

  /// Rows of many channels are copied into blocks in any case: what a window reads beyond the ends is left out there.
  @Test func windowsOfManyChannelsNeedNoPaddedCopy() throws {
    for (channels, copies) in [(352, 0), (64, 1)] {
      let graph = try makeGraph([
        TensorType(.f32, [5, 7, 1, channels]), TensorType(.f32, [3, 1, channels, 64]),
      ]) { builder, x in
        let layer = Convolution(stride: [1, 1], padding: [[1, 1], [0, 0]], groups: 1)
        return [try builder.unary(.tanh, builder.convolution(x[0], x[1], layer))]
      }
      let program = try expectSame(graph, tolerance: 1e-4)
      #expect(kernels(program).count { $0.hasPrefix("pad") } == copies, "\(channels)")
    }
  }

  /// So are the images of the gradient of such filters.
  @Test func filterGradientsNeedNoPaddedCopy() throws {
    let graph = try makeGraph([
      TensorType(.f32, [2, 12, 10, 4]), TensorType(.f32, [2, 12, 10, 4]),
    ]) { builder, x in
      let layer = Convolution(stride: [1, 1], padding: [[1, 1], [1, 1]], groups: 4)
      let split = try builder.reshape(x[0], [2, 12, 10, 4, 1])
      let turned = try builder.transpose(split, [4, 1, 2, 3, 0])
      let images = try builder.reshape(turned, [1, 12, 10, 8])
      let filters = try builder.transpose(x[1], [1, 2, 0, 3])
      let taps = try builder.convolution(images, filters, layer)
      return [try builder.transpose(taps, [1, 2, 0, 3])]
    }
    let program = try expectSame(graph, tolerance: 1e-5)
    #expect(program.kernels.count == 1, "\(kernels(program))")
  }

  /// A convolution of each channel for itself steps over the places between the elements of its input: one kernel.
  @Test(arguments: [DType.f32, .f64, .bf16]) func channelsMeetElementsApart(dtype: DType) throws {
    for (size, dilation, low) in [(3, 2, 1), (2, 3, 0), (1, 2, 0), (5, 3, 2)] {
      let graph = try makeGraph([
        TensorType(dtype, [2, 4, 5, 8]), TensorType(dtype, [size, size, 1, 8]),
      ]) { builder, x in
        let layer = Convolution(
          stride: [1, 1], padding: [[low, size], [low, size]],
          inputDilation: [dilation, dilation], groups: 8)
        return [try builder.convolution(x[0], x[1], layer)]
      }
      let program = try expectSame(graph, tolerance: dtype == .bf16 ? 1e-2 : 1e-5)
      #expect(program.kernels.count == 1, "\(kernels(program))")
    }
  }

  @Test func largeConstantsAreComputedOnce() throws {
    let graph = try makeGraph([TensorType(.f32, [4, 16])]) { builder, x in
      let data = try builder.constant(
        Literal([16, 16], (0..<256).map { Float($0) / 256 }))
      let weights = try builder.unary(.exp, data)
      return [try builder.dot(x[0], weights, contracting: [[1], [0]])]
    }
    let program = try expectSame(graph, tolerance: 1e-5)
    #expect(program.prologue.count == 1)
    #expect(program.launches.count == 1)
  }

  /// What follows from large constants alone has kernels of its own, however it is read.
  @Test func whatFollowsFromConstantsIsApartFromWhatDependsOnInputs() throws {
    let count = 20_000
    func data(_ builder: inout GraphBuilder, _ shape: Shape) throws -> Value {
      try builder.constant(
        Literal(shape, (0..<shape.elementCount).map { Float($0 % 97) / 97 }))
    }
    typealias Build = (inout GraphBuilder, Value) throws -> Value
    let cases: [(extents: [Int], once: Int, build: Build)] = [
      (
        [count], 1,
        { builder, x in
          let c = try data(&builder, [count])
          return try builder.add(x, builder.multiply(builder.unary(.tanh, c), c))
        }
      ),
      // A sibling reads the same constant.
      (
        [count], 1,
        { builder, x in
          let c = try data(&builder, [count])
          let sum = try builder.add(x, c)
          return try builder.multiply(builder.unary(.exp, c), sum)
        }
      ),
      (
        [200, 100], 1,
        { builder, x in
          let c = try data(&builder, [100, 200])
          let turned = try builder.append(.transpose(Transpose(permutation: [1, 0])), [c])[0]
          return try builder.add(x, turned)
        }
      ),
      // A product of constants is no part of the sum's kernel.
      (
        [8, 8], 1,
        { builder, x in
          let a = try data(&builder, [8, 20_000])
          return try builder.add(x, builder.dot(a, a, contracting: [[1], [1]]))
        }
      ),
      // What is larger than its constants is computed where it is read.
      (
        [200, 200], 0,
        { builder, x in
          let c = try data(&builder, [200])
          let rows = try builder.broadcast(c, to: [200, 200], dimensions: [0])
          let columns = try builder.broadcast(c, to: [200, 200], dimensions: [1])
          return try builder.add(x, builder.multiply(rows, columns))
        }
      ),
    ]
    for (place, test) in cases.enumerated() {
      let graph = try makeGraph([TensorType(.f32, Shape(test.extents))]) { builder, x in
        [try test.build(&builder, x[0])]
      }
      let program = try expectSame(graph, tolerance: 1e-4)
      #expect(program.prologue.count == test.once, "\(place): \(program)")
      #expect(program.launches.count == 1, "\(place): \(program)")
    }
  }

  @Test func namesComeFromModulesAndOperations() throws {
    let names = kernels(try lower(lenetStep(batch: 2)))
    #expect(names.contains("conv1.convolution"))
    #expect(names.contains("head.0.dot"))
    #expect(Set(names).count == names.count)
  }
}
