import GraphIR
import LoopIR

/// Emits one stage for the points of a tile at once.
struct StageEmitter {
  var body: BodyEmitter
  /// The locals that differ between the lanes of the outer vector dimension.
  let varyingLocals: Set<Int>
  let fault: PlantedFault?

  var builder: LoopsBuilder { body.builder }
  var kernel: Kernel { body.kernel }

  /// Emits a stage; scalar locals that it computes are put into the points.
  ///
  /// - Parameter beside: what else to do at each of the stage's steps, given what the step adds to a point.
  func emit(
    _ stage: KernelStage, _ plan: StagePlan, _ points: inout [Point],
    beside: ((Point) throws(Diagnostic) -> Void)? = nil
  ) throws(Diagnostic) {
    var results = [RegisterID?](repeating: nil, count: points.count)
    let dimensions = stage.dimensions.filter { $0 != plan.vector }
    let vector = stage.dimensions.contains { $0 == plan.vector } ? plan.vector : nil
    let own = InnerLoops(
      dimensions: dimensions, vector: vector, lanes: plan.lanes, unroll: plan.unroll)
    var tile = points
    for slot in tile.indices { tile[slot].ahead = plan.ahead }
    try iterate(own, Point()) { inner throws(Diagnostic) in
      let places = tile.map { $0.moved(to: inner) }
      switch stage.kind {
      case .map:
        try beside?(inner)
        for (slot, point) in places.enumerated() {
          let values = try body.emit(stage.body, at: point)
          try finish(values[values.count - 1], stage, point, &results[slot])
        }
      case .fold(let function, _):
        var values = try fold(stage, plan, function, places, beside: beside)
        if fault == .scheduleSwapsRows, let second = rowPair(places) { values.swapAt(0, second) }
        for (slot, point) in places.enumerated() {
          try finish(values[slot], stage, point, &results[slot])
        }
      case .argFold(let function, let over):
        for (slot, point) in places.enumerated() {
          let value = try argFold(stage, function, over, point)
          try finish(value, stage, point, &results[slot])
        }
      case .scatter(let function):
        for point in places { try scatter(stage, function, point) }
      }
    }
    guard case .local(let place) = stage.target, body.scratch[place] == nil else { return }
    for slot in points.indices { points[slot].locals[place] = results[slot] }
  }

  /// Emits one step of a map, for a point or the lanes of a vector.
  func step(_ stage: KernelStage, at point: Point) throws(Diagnostic) {
    let values = try body.emit(stage.body, at: point)
    try body.store(values[values.count - 1], to: stage.target, at: stage.index[0], point)
  }

  /// Takes the folded values of a stage for the points of a tile; scalar locals are put into the points.
  func finish(
    _ values: [RegisterID], _ stage: KernelStage, _ points: inout [Point]
  ) throws(Diagnostic) {
    for slot in points.indices {
      var result: RegisterID?
      let value = body.convert(values[slot], to: kernel.type(of: stage.target).dtype)
      try finish(value, stage, points[slot], &result)
      if case .local(let place) = stage.target, let result { points[slot].locals[place] = result }
    }
  }

  /// The first point of the second row, when its vectors are as those of the first.
  private func rowPair(_ points: [Point]) -> Int? {
    let first = points[0]
    return points.indices.dropFirst().first { place in
      guard let id = first.vector?.id else { return true }
      return points[place].counters[id] == first.counters[id]
    }
  }

  private func finish(
    _ value: RegisterID, _ stage: KernelStage, _ point: Point, _ result: inout RegisterID?
  ) throws(Diagnostic) {
    if case .local(let place) = stage.target, body.scratch[place] == nil {
      result = body.convert(value, to: kernel.locals[place].type.dtype)
    } else {
      try body.store(value, to: stage.target, at: stage.index[0], point)
    }
  }

  // MARK: Loops

  /// Runs loops over dimensions, the vector dimension innermost; the body gets what to add to a point.
  func iterate(
    _ loops: InnerLoops, _ point: Point, _ inside: (Point) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    var rest = loops
    let isLast = loops.dimensions.count + (loops.vector == nil ? 0 : 1) == 1
    if !rest.dimensions.isEmpty {
      let id = rest.dimensions.removeFirst()
      let extent = kernel.extent(id)
      let isUnrolled = loops.dimensions.count <= loops.unrolled
      // Outside of these a guard may fail, and what fails is best known.
      let interior = isUnrolled ? nil : loops.interiors[id]
      let (first, end) = (interior?.lowerBound ?? 0, interior?.upperBound ?? extent)
      let parts = isLast && !isUnrolled && first == 0 && end == extent ? loops.farSteps : 1
      let wide = parts > 1 ? parts : isLast ? loops.accumulators : 1
      let full = first + (end - first) / wide * wide
      let (distance, stride) = parts > 1 ? (extent / parts, 1) : (1, wide)
      let start = loops.skipsFirst && extent > 1 ? first + stride : first
      func step(_ counter: LoopIndex, _ size: Int, _ distance: Int = 1) throws(Diagnostic) {
        for offset in 0..<size {
          var moved = point
          moved.counters[id] = counter + LoopIndex(constant: offset * distance)
          if isLast { moved.slot = offset % loops.accumulators }
          rest.skipsFirst = false
          try iterate(rest, moved, inside)
        }
      }
      for at in 0..<first { try step(LoopIndex(constant: at), 1) }
      if isUnrolled {
        for at in Swift.stride(from: start, to: full, by: wide) {
          try step(LoopIndex(constant: at), wide)
        }
      } else {
        try builder.loop(
          kernel.dimensions[id.index].name, from: LoopIndex(constant: start),
          to: LoopIndex(constant: parts > 1 ? distance : full), step: stride,
          unroll: isLast ? loops.unroll : 1
        ) { counter throws(Diagnostic) in
          try step(counter, wide, distance)
        }
      }
      if full < end { try step(LoopIndex(constant: full), end - full) }
      for at in end..<extent { try step(LoopIndex(constant: at), 1) }
    } else if let id = loops.vector {
      try iterateVectors(id, loops, point, inside)
    } else {
      try inside(point)
    }
  }

  private func iterateVectors(
    _ id: DimensionID, _ loops: InnerLoops, _ point: Point,
    _ inside: (Point) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let extent = kernel.extent(id)
    let wide = loops.lanes * loops.accumulators
    let full = extent / wide * wide
    func vector(_ first: LoopIndex, _ number: Int, _ active: Int) throws(Diagnostic) {
      var moved = point
      moved.counters[id] = first + LoopIndex(constant: number * loops.lanes)
      moved.vector = VectorDimension(
        id: id, lanes: loops.lanes, active: active < loops.lanes ? active : nil)
      moved.slot = number
      try inside(moved)
    }
    try builder.loop(
      kernel.dimensions[id.index].name, from: loops.skipsFirst ? LoopIndex(constant: wide) : 0,
      to: LoopIndex(constant: full), step: wide, unroll: loops.unroll
    ) { counter throws(Diagnostic) in
      for number in 0..<loops.accumulators { try vector(counter, number, loops.lanes) }
    }
    var number = 0
    while full + number * loops.lanes < extent {
      let active = extent - full - number * loops.lanes
      try vector(LoopIndex(constant: full), number, active)
      number += 1
    }
  }
}

/// Loops inside of a stage.
struct InnerLoops {
  /// The dimensions, outermost first, without the vector dimension.
  var dimensions: [DimensionID]
  /// The innermost dimension when vectors run along it.
  var vector: DimensionID?
  var lanes = 1
  /// How many steps of the innermost loop are taken at once; the point's slot says which it is.
  var accumulators = 1
  /// From how many parts of the innermost loop's dimension steps are taken in turns.
  var farSteps = 1
  var unroll = 1
  /// How many of the innermost dimensions have no loop.
  var unrolled = 0
  /// The steps of dimensions at which no guard fails, where there are others too.
  var interiors: [DimensionID: Range<Int>] = [:]
  /// A planted fault: the first step of the outermost loop is left out.
  var skipsFirst = false
}

extension Point {
  /// The point with the counters, and the vector if there is one, of loops inside of a stage.
  func moved(to inner: Point) -> Point {
    var point = self
    point.counters.merge(inner.counters) { _, new in new }
    if let vector = inner.vector { point.vector = vector }
    return point
  }
}
