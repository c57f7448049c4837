import GraphIR

/// Where the slices that `gather` reads and `scatter` writes begin in x, and how their elements
/// lie.
private struct SlicePlaces {
  /// For each index vector, in row-major order: the position of its slice; nil where it is out of
  /// range.
  var starts: [Int?]
  /// The distance of each of a slice's elements from its start.
  var steps: [Int]

  init?(_ shape: Shape, _ indices: CarriedTensor, dimensions: [Int], batch: Int, clamps: Bool) {
    guard case .signed(let coordinates) = indices.storage else { return nil }
    let strides = shape.strides
    let window = Positions.remaining(rank: shape.rank, without: Array(0..<batch) + dimensions)
    steps = Positions.along(window, of: shape)
    let batchStarts = Positions.along(Array(0..<batch), of: shape)
    let vectors = indices.shape.extents.dropLast().reduce(1, *)
    let vectorsPerBatch = indices.shape.extents.dropLast().dropFirst(batch).reduce(1, *)
    starts = (0..<vectors).map { vector in
      var start = batchStarts[vector / vectorsPerBatch]
      for (k, dimension) in dimensions.enumerated() {
        let extent = Int64(shape[dimension])
        let coordinate = coordinates[vector * dimensions.count + k]
        if !clamps, coordinate < 0 || coordinate >= extent { return nil }
        start += Int(Swift.max(0, Swift.min(coordinate, extent - 1))) * strides[dimension]
      }
      return start
    }
  }
}

extension Evaluator {
  package mutating func visit(_ op: Gather) throws(Diagnostic) -> [CarriedTensor] {
    let places = SlicePlaces(
      operands[0].shape, operands[1], dimensions: op.dimensions, batch: op.batch, clamps: true)
    guard let places else { throw notDefined("gather") }
    var positions: [Int] = []
    positions.reserveCapacity(types[0].shape.elementCount)
    for start in places.starts {
      guard let start else { continue }
      for step in places.steps { positions.append(start + step) }
    }
    return keep(operands[0].storage.picking(positions))
  }

  package mutating func visit(_ op: Scatter) throws(Diagnostic) -> [CarriedTensor] {
    let places = SlicePlaces(
      operands[0].shape, operands[1], dimensions: op.dimensions, batch: op.batch, clamps: false)
    guard let places else { throw notDefined("scatter") }
    func combine<T>(_ x: [T], _ updates: [T], _ function: (T, T) -> T) -> [T] {
      var result = x
      for (slice, start) in places.starts.enumerated() {
        guard let start else { continue }
        for (k, step) in places.steps.enumerated() {
          let update = updates[slice * places.steps.count + k]
          result[start + step] = function(result[start + step], update)
        }
      }
      return result
    }
    func numbers<T: NumericCarrier>(_ x: [T], _ updates: [T]) -> [T] {
      switch op.function {
      case .assign: combine(x, updates) { _, update in update }
      case .sum: combine(x, updates, T.sum)
      case .product: combine(x, updates, T.product)
      case .max: combine(x, updates, T.maximum)
      case .min: combine(x, updates, T.minimum)
      }
    }
    let takesMagnitudes = absolute && op.function == .sum
    let x = takesMagnitudes ? operands[0].storage.magnitudes : operands[0].storage
    let updates = takesMagnitudes ? operands[2].storage.magnitudes : operands[2].storage
    switch (x, updates) {
    case (.floats(let x), .floats(let updates)): return store(.floats(numbers(x, updates)))
    case (.signed(let x), .signed(let updates)): return store(.signed(numbers(x, updates)))
    case (.unsigned(let x), .unsigned(let updates)): return store(.unsigned(numbers(x, updates)))
    case (.bools(let x), .bools(let updates)):
      switch op.function {
      case .assign: return keep(.bools(combine(x, updates) { _, update in update }))
      case .max: return keep(.bools(combine(x, updates) { $0 || $1 }))
      case .min: return keep(.bools(combine(x, updates) { $0 && $1 }))
      case .sum, .product: throw notDefined("scatter \(op.function.rawValue)")
      }
    case (.floats, _), (.signed, _), (.unsigned, _), (.bools, _): throw notDefined("scatter")
    }
  }
}
