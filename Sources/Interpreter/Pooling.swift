import GraphIR

/// The elements that each window covers.
private struct WindowPlaces {
  /// For each dimension and window: the positions inside of the tensor, times the dimension's
  /// distance in elements.
  private var places: [[[Int]]]
  private var counts: [Int]

  init(_ window: Window, on shape: Shape, windows: Shape) {
    counts = windows.extents
    if windows.elementCount == 0 {
      places = []
      counts = [0]
      return
    }
    places = shape.extents.indices.map { dimension in
      let (size, dilation) = (window.size[dimension], window.dilation[dimension])
      return (0..<windows[dimension]).map { number in
        let start = number * window.stride[dimension] - window.padding[dimension][0]
        // Of a large window on a small tensor most taps lie outside: they are not listed.
        let first = start < 0 ? (dilation - 1 - start) / dilation : 0
        let end = min(size, max(first, (shape[dimension] - start + dilation - 1) / dilation))
        return (min(first, end)..<end).map {
          (start + $0 * dilation) * shape.strides[dimension]
        }
      }
    }
  }

  /// Calls the body for every window in row-major order, with the positions covered in row-major
  /// order.
  func forEach(_ body: (_ window: Int, _ positions: [Int]) -> Void) {
    var number = 0
    visit(dimension: 0, [0], &number, body)
  }

  private func visit(
    dimension: Int, _ prefixes: [Int], _ number: inout Int, _ body: (Int, [Int]) -> Void
  ) {
    guard dimension < counts.count else {
      body(number, prefixes)
      number += 1
      return
    }
    var positions: [Int] = []
    for window in 0..<counts[dimension] {
      positions.removeAll(keepingCapacity: true)
      for prefix in prefixes {
        for place in places[dimension][window] { positions.append(prefix + place) }
      }
      visit(dimension: dimension + 1, positions, &number, body)
    }
  }
}

extension Evaluator {
  package mutating func visit(_ op: ReduceWindow) throws(Diagnostic) -> [CarriedTensor] {
    let x = operands[0]
    let places = WindowPlaces(op.window, on: x.shape, windows: types[0].shape)
    let bits = x.type.dtype.bitCount
    func fold<T: BitwiseCopyable>(_ x: [T], _ initial: T, _ combine: (T, T) -> T) -> [T] {
      var result = [T](repeating: initial, count: types[0].shape.elementCount)
      x.withUnsafeBufferPointer { x in
        places.forEach { window, positions in
          var value = initial
          for position in positions { value = combine(value, x[position]) }
          result[window] = value
        }
      }
      return result
    }
    func numbers<T: NumericCarrier>(_ x: [T], least: T, greatest: T) -> [T] {
      switch op.function {
      case .sum: fold(x, T.additiveIdentity, T.sum)
      case .product: fold(x, T.multiplicativeIdentity, T.product)
      case .max: fold(x, least, T.maximum)
      case .min: fold(x, greatest, T.minimum)
      }
    }
    switch absolute && op.function == .sum ? x.storage.magnitudes : x.storage {
    case .floats(let x):
      return store(.floats(numbers(x, least: -.infinity, greatest: .infinity)))
    case .signed(let x):
      return store(
        .signed(numbers(x, least: .min >> Int64(64 - bits), greatest: .max >> Int64(64 - bits))))
    case .unsigned(let x):
      return store(.unsigned(numbers(x, least: 0, greatest: .max >> UInt64(64 - bits))))
    case .bools(let x):
      switch op.function {
      case .max: return keep(.bools(fold(x, false) { $0 || $1 }))
      case .min: return keep(.bools(fold(x, true) { $0 && $1 }))
      case .sum, .product: throw notDefined("reduce_window_\(op.function.rawValue)")
      }
    }
  }

  package mutating func visit(_ op: ReduceWindowGradient) throws(Diagnostic) -> [CarriedTensor] {
    guard case .floats(let x) = operands[0].storage,
      case .floats(let gradient) = absolute
        ? operands[1].storage.magnitudes : operands[1].storage
    else { throw notDefined("reduce_window_gradient") }
    let places = WindowPlaces(op.window, on: operands[0].shape, windows: operands[1].shape)
    var result = [Double](repeating: 0, count: x.count)
    places.forEach { window, positions in
      let winner = firstExtreme(positions.lazy.map { x[$0] }, greatest: op.function == .max)
      if let winner { result[positions[winner]] += gradient[window] }
    }
    return store(.floats(result))
  }
}
