import GraphIR

extension Evaluator {
  package mutating func visit(_ op: Dot) throws(Diagnostic) -> [CarriedTensor] {
    let (lhs, rhs) = (operands[0], operands[1])
    let lhsFree = Positions.remaining(
      rank: lhs.shape.rank, without: op.lhsBatch + op.lhsContracting)
    let rhsFree = Positions.remaining(
      rank: rhs.shape.rank, without: op.rhsBatch + op.rhsContracting)
    let products = MatrixProducts(
      count: op.lhsBatch.map { lhs.shape[$0] }.reduce(1, *),
      rows: lhsFree.map { lhs.shape[$0] }.reduce(1, *),
      columns: rhsFree.map { rhs.shape[$0] }.reduce(1, *),
      depth: op.lhsContracting.map { lhs.shape[$0] }.reduce(1, *))
    // The operands as [batch, row, depth] and [batch, depth, column].
    let x = lhs.transposed(op.lhsBatch + lhsFree + op.lhsContracting)
    let y = rhs.transposed(op.rhsBatch + op.rhsContracting + rhsFree)
    switch absolute ? (x.magnitudes, y.magnitudes) : (x, y) {
    case (.floats(let x), .floats(let y)): return store(.floats(products(x, y)))
    case (.signed(let x), .signed(let y)): return store(.signed(products(x, y)))
    case (.unsigned(let x), .unsigned(let y)): return store(.unsigned(products(x, y)))
    case (.floats, _), (.signed, _), (.unsigned, _), (.bools, _): throw notDefined("dot")
    }
  }

  package mutating func visit(_ op: Convolution) throws(Diagnostic) -> [CarriedTensor] {
    let (input, filter) = (operands[0], operands[1])
    let sums = ConvolutionSums(op, input: input.shape, filter: filter.shape, result: types[0].shape)
    switch absolute
      ? (input.storage.magnitudes, filter.storage.magnitudes) : (input.storage, filter.storage)
    {
    case (.floats(let x), .floats(let f)): return store(.floats(sums(x, f)))
    case (.signed(let x), .signed(let f)): return store(.signed(sums(x, f)))
    case (.unsigned(let x), .unsigned(let f)): return store(.unsigned(sums(x, f)))
    case (.floats, _), (.signed, _), (.unsigned, _), (.bools, _): throw notDefined("convolution")
    }
  }
}

/// `z[b, i, j] = sum over k of x[b, i, k] * y[b, k, j]`, the terms added in the order of k.
private struct MatrixProducts {
  var count: Int
  var rows: Int
  var columns: Int
  var depth: Int

  func callAsFunction<T: NumericCarrier>(_ x: [T], _ y: [T]) -> [T] {
    var z = [T](repeating: T.additiveIdentity, count: count * rows * columns)
    z.withUnsafeMutableBufferPointer { z in
      x.withUnsafeBufferPointer { x in
        y.withUnsafeBufferPointer { y in
          guard let z = z.baseAddress, let x = x.baseAddress, let y = y.baseAddress else { return }
          for row in 0..<count * rows {
            let matrix = y + row / rows * (depth * columns)
            if columns == 1 {
              var sum = T.additiveIdentity
              for k in 0..<depth { sum = T.sum(sum, T.product(x[row * depth + k], matrix[k])) }
              z[row] = sum
              continue
            }
            for k in 0..<depth {
              addProducts(z + row * columns, x[row * depth + k], matrix + k * columns, columns)
            }
          }
        }
      }
    }
    return z
  }
}

/// Adds a multiple of a row: `z[j] += factor * y[j]`.
@inline(__always)
private func addProducts<T: NumericCarrier>(
  _ z: UnsafeMutablePointer<T>, _ factor: T, _ y: UnsafePointer<T>, _ count: Int
) {
  for j in 0..<count { z[j] = T.sum(z[j], T.product(factor, y[j])) }
}

/// The sums of a convolution, whose terms are added in row-major order of (tap, input channel).
private struct ConvolutionSums {
  let batch: Int
  /// The numbers of elements of the input's, the filter's and the result's spatial dimensions.
  let inputPoints: Int
  let taps: Int
  let points: Int
  let inputChannels: Int
  let channels: Int
  let groups: Int
  /// For each spatial dimension, [point, tap]: the input's index, `zero` or `gap`.
  let sources: [[Int]]
  /// The index of a zero of the padding.
  private static let zero = -1
  /// The index of a place between elements, which takes part in no product.
  private static let gap = -2
  let inputExtents: [Int]
  let tapExtents: [Int]
  let pointExtents: [Int]

  init(_ op: Convolution, input: Shape, filter: Shape, result: Shape) {
    let spatial = 1..<(input.rank - 1)
    inputExtents = Array(input.extents[spatial])
    tapExtents = Array(filter.extents[..<(filter.rank - 2)])
    pointExtents = Array(result.extents[spatial])
    batch = input[0]
    inputPoints = inputExtents.reduce(1, *)
    taps = tapExtents.reduce(1, *)
    points = pointExtents.reduce(1, *)
    inputChannels = input[input.rank - 1]
    channels = filter[filter.rank - 1]
    groups = op.groups
    var sources: [[Int]] = []
    for dimension in inputExtents.indices {
      var list: [Int] = []
      for point in 0..<pointExtents[dimension] {
        for tap in 0..<tapExtents[dimension] {
          let place =
            point * op.stride[dimension] + tap * op.kernelDilation[dimension]
            - op.padding[dimension][0]
          let index = place / op.inputDilation[dimension]
          let isElement = place >= 0 && index < inputExtents[dimension]
          let isGap = place % op.inputDilation[dimension] != 0
          list.append(isGap ? Self.gap : isElement ? index : Self.zero)
        }
      }
      sources.append(list)
    }
    self.sources = sources
  }

  /// For one point of the result and each tap: the input point that it reads, `zero` or `gap`.
  private func inputPoints(at point: Int) -> [Int] {
    var rest = point
    var coordinates = pointExtents
    for dimension in pointExtents.indices.reversed() {
      coordinates[dimension] = rest % pointExtents[dimension]
      rest /= pointExtents[dimension]
    }
    var list = [0]
    for dimension in pointExtents.indices {
      let first = coordinates[dimension] * tapExtents[dimension]
      let indices = sources[dimension][first..<(first + tapExtents[dimension])]
      list = list.flatMap { outer in
        indices.map {
          outer < 0 || $0 < 0 ? min(outer, $0, Self.zero) : outer * inputExtents[dimension] + $0
        }
      }
    }
    return list
  }

  func callAsFunction<T: NumericCarrier>(_ input: [T], _ filter: [T]) -> [T] {
    var result = [T](repeating: T.additiveIdentity, count: batch * points * channels)
    let zeros = [T](repeating: T.additiveIdentity, count: inputChannels)
    // A product with a zero is a term too, which shows when the filter is infinite or NaN.
    let skipsZeros = filter.allSatisfy(\.vanishesTimesZero)
    let tapSize = inputChannels / groups * channels
    result.withUnsafeMutableBufferPointer { result in
      input.withUnsafeBufferPointer { input in
        filter.withUnsafeBufferPointer { filter in
          zeros.withUnsafeBufferPointer { zeros in
            guard let result = result.baseAddress, let filter = filter.baseAddress,
              let zeros = zeros.baseAddress
            else { return }
            for point in 0..<points {
              let sources = inputPoints(at: point)
              for image in 0..<batch {
                let sums = result + (image * points + point) * channels
                for tap in 0..<taps where sources[tap] >= (skipsZeros ? 0 : Self.zero) {
                  let pixel =
                    sources[tap] < 0
                    ? zeros
                    : input.baseAddress.map {
                      $0 + (image * inputPoints + sources[tap]) * inputChannels
                    } ?? zeros
                  addTap(sums, pixel, filter + tap * tapSize)
                }
              }
            }
          }
        }
      }
    }
    return result
  }

  /// Adds one tap's products: `sums[o] += sum over k of pixel[group(o), k] * filter[k, o]`.
  @inline(__always)
  private func addTap<T: NumericCarrier>(
    _ sums: UnsafeMutablePointer<T>, _ pixel: UnsafePointer<T>, _ filter: UnsafePointer<T>
  ) {
    if groups == inputChannels, groups == channels {
      for c in 0..<channels { sums[c] = T.sum(sums[c], T.product(pixel[c], filter[c])) }
      return
    }
    let depth = inputChannels / groups
    let width = channels / groups
    for group in 0..<groups {
      for k in 0..<depth {
        addProducts(
          sums + group * width, pixel[group * depth + k],
          filter + k * channels + group * width, width)
      }
    }
  }
}
