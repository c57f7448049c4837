import GraphIR
import LoopIR

/// Plans for what memory allows, rather than arithmetic.
extension VectorChoice {
  /// The bytes that caches move at once.
  static let lineBytes = Target.lineBytes
  /// How far a task of a transposition goes along the vectors, and across them: enough for whole lines and pages,
  /// and few enough for the lines that it has begun to stay in the first-level cache.
  private static let transposedBlock = (along: 128, across: 64)

  /// How many neighbouring bytes memory stores, and brings, about as fast as many more.
  private static let gatheredRunBytes = 256

  /// From here on a row is worth a stream of its own.
  private static let longRowBytes = 2048

  /// As many tasks keep the threads busy without pieces of rows.
  private static let wholeRowTasks = 16

  /// The bytes of a page of memory, and from how many places at once memory brings the most.
  private static let (pageBytes, farParts) = (4096, 4)

  // MARK: Transpositions

  /// The dimension across the vectors along which elements lie that are not contiguous along the vectors.
  func crossing(_ id: DimensionID) -> DimensionID? {
    let lanes = lanes(id, kernel.stages)
    guard kernel.stages.allSatisfy({ $0.kind == .map && $0.dimensions.isEmpty }) else { return nil }
    return kernel.outer.first { other in
      other != id && kernel.extent(other) >= lanes
        && kernel.stages.contains { stage in
          stage.body.instructions.contains { isCrossed($0, id, other) }
        }
    }
  }

  /// Whether a load steps along the vectors and is contiguous along another dimension.
  func isCrossed(_ instruction: ScalarInstruction, _ id: DimensionID, _ other: DimensionID) -> Bool
  {
    guard case .load(.parameter(let place), _, _) = instruction.operation,
      instruction.isCrossed(id, other)
    else { return false }
    return kernel.stages.allSatisfy { $0.target != .parameter(place) }
  }

  /// The plan with tiles that are transposed in registers, whole lines of them, in blocks.
  func transposing(_ plan: NestPlan, _ across: DimensionID) -> NestPlan {
    var plan = plan
    plan.crossing = across
    plan.work = kernel.work
    // Across innermost: the lines that are read are used up before the next ones are touched.
    if let place = plan.loops.firstIndex(where: { $0.id == across }) {
      plan.loops.append(plan.loops.remove(at: place))
    }
    let bytes = kernel.stages.map { kernel.type(of: $0.target).dtype.byteCount }.max() ?? 4
    let line = max(plan.lanes, VectorChoice.lineBytes / bytes)
    plan.stages = kernel.stages.map { StagePlan(folded: $0.folded) }
    let block = VectorChoice.transposedBlock
    if !plan.streamed.isEmpty { return gathering(plan, across, bytes) }
    var points = block.along * block.across
    for place in plan.loops.indices.reversed() {
      let id = plan.loops[place].id
      let extent = kernel.extent(id)
      var size = min(points, extent)
      if id == across {
        plan.loops[place].tile = plan.lanes
        plan.loops[place].staysTogether = true
        size = min(block.across, extent)
      } else if id == plan.vector {
        plan.loops[place].tile = extent >= line ? line : plan.lanes
        size = min(block.along, extent)
      }
      plan.loops[place].block = size
      points = max(points / size, 1)
    }
    return plan
  }

  /// The plan whose tasks put a block together in scratch: rows of it that are worth storing at once, from rows that
  /// are worth reading at once.
  private func gathering(_ plan: NestPlan, _ across: DimensionID, _ bytes: Int) -> NestPlan {
    var plan = plan
    plan.isGathered = true
    for place in plan.loops.indices {
      let id = plan.loops[place].id
      let extent = kernel.extent(id)
      let isTransposed = id == across || id == plan.vector
      plan.loops[place].tile = isTransposed ? plan.lanes : 1
      let run = max(VectorChoice.gatheredRunBytes / bytes, plan.lanes)
      plan.loops[place].block =
        !isTransposed ? 1 : id == across && extent <= 4 * run ? extent : min(run, extent)
    }
    return plan
  }

  // MARK: Rows

  /// The first stage that reads rows which an earlier one has brought from memory: meanwhile the next ones can come.
  func readAgain(_ plan: NestPlan) -> Int? {
    let bytes = kernel.parameterBytes
    guard bytes > target.secondLevelCacheBytes, !kernel.outer.isEmpty else { return nil }
    var known: Set<Int> = []
    for (place, stage) in kernel.stages.enumerated() {
      guard let vector = plan.stages[place].vector else { continue }
      let rows = stage.body.instructions.compactMap { instruction -> Int? in
        guard case .load(.parameter(let parameter), let index, _) = instruction.operation,
          index[0].dependence(on: vector) == .affine(1)
        else { return nil }
        return parameter
      }
      if rows.contains(where: known.contains) { return place }
      known.formUnion(rows)
    }
    return nil
  }

  /// Whether small windows of a tensor come from memory: their rows are so many streams that no prefetcher follows
  /// them all.
  var readsWindows: Bool {
    let bytes = kernel.parameterBytes
    return bytes > target.lastLevelCacheBytes
      && kernel.stages.contains { 2...64 ~= kernel.points($0.folded) }
  }

  /// Whether what the kernel reads and writes does not stay in the second-level cache.
  var isFar: Bool {
    kernel.parameterBytes > target.secondLevelCacheBytes
  }

  // MARK: Long columns

  /// Whether the kernel begins with folds over many rows, contiguous along the vectors, that come from memory: a
  /// column after the other, each line would be asked for on its own.
  private func readsLongColumns(_ id: DimensionID) -> Bool {
    let folds = kernel.stages.prefix(kernel.leadingFolds)
    guard let rows = folds.first.map({ kernel.points($0.folded) }), rows >= 64 else { return false }
    let row = kernel.extent(id) * 4
    return rows * row > target.firstLevelCacheBytes
      && rows * row * kernel.points(kernel.outer.filter { $0 != id }) > target.secondLevelCacheBytes
      && folds.allSatisfy { stage in
        let body = stage.body
        return body.varying(with: id).last ?? false
          && body.instructions.contains { instruction in
            guard case .load(.parameter, let index, _) = instruction.operation else { return false }
            return index[0].dependence(on: id) == .affine(1)
          }
      }
  }

  /// Whether registers hold all results of a row while columns are folded.
  func registersHoldRow(_ id: DimensionID) -> Bool {
    let vectors = ceilingQuotient(kernel.extent(id), lanes(id, kernel.stages))
    return vectors * kernel.leadingFolds <= 8 && readsLongColumns(id)
  }

  /// From how many parts of the rows that a fold goes through in registers its steps come in turns.
  func farSteps(_ stage: KernelStage, _ id: DimensionID) -> Int {
    guard registersHoldRow(id), let rows = stage.folded.last, areFar(rows, id) else { return 1 }
    return VectorChoice.farParts
  }

  /// Whether columns are to be folded row by row, as no registers hold a row's results.
  func foldsLongColumns(_ id: DimensionID) -> Bool {
    let bytes = kernel.extent(id) * kernel.leadingFolds * 4
    return readsLongColumns(id) && !registersHoldRow(id) && bytes <= target.secondLevelCacheBytes
  }

  /// Whether the parts of a dimension of rows are worth a stream each: what is foreseen of a stream ends with its page.
  private func areFar(_ rows: DimensionID, _ id: DimensionID) -> Bool {
    kernel.extent(rows) / VectorChoice.farParts * kernel.extent(id) * 4 >= VectorChoice.pageBytes
  }

  /// The plan that folds rows: the results so far of a block stay in the first-level cache.
  func foldingRows(_ plan: NestPlan, _ id: DimensionID) -> NestPlan {
    var plan = plan
    plan.rowFolds = kernel.leadingFolds
    plan.stages = kernel.stages.map { StagePlan(folded: $0.folded) }
    let rows = kernel.stages[0].folded.dropLast(plan.foldsInRow)
    plan.rowsAreFar = rows.last.map { areFar($0, id) } ?? false
    // Long rows are read several at once; short ones one after the other, as they lie.
    plan.rowsAtOnce =
      plan.rowsAreFar
      ? VectorChoice.farParts : kernel.extent(id) * 4 >= VectorChoice.longRowBytes ? 8 : 1
    let last = plan.loops.count - 1
    plan.loops[last].tile = plan.lanes * (plan.lanes * 2 <= kernel.extent(id) ? 2 : 1)
    plan = split(plan)
    let most = target.firstLevelCacheBytes / (8 * plan.rowFolds)
    let tiles = max(most / plan.loops[last].tile, 1)
    let tile = plan.loops[last].tile
    // A task reads no less of a row than what is worth a stream, and all of it where there are enough others: a
    // prefetcher then runs on into the next row.
    let others = plan.loops.dropLast().reduce(1) {
      $0 * ceilingQuotient(kernel.extent($1.id), $1.block)
    }
    let worthwhile = others >= VectorChoice.wholeRowTasks ? .max : VectorChoice.longRowBytes / 4
    let least = min(worthwhile / tile * tile, kernel.extent(id))
    plan.loops[last].block = min(max(plan.loops[last].block, least), tiles * tile)
    return plan
  }

  // MARK: Streams

  /// The vectors that make a line of what is stored, where a dimension has so many points: a line that goes past the
  /// caches is to be written at once.
  func vectorsOfLine(_ id: DimensionID, _ lanes: Int) -> Int {
    let bytes = kernel.stages.map { kernel.type(of: $0.target).dtype.byteCount }.max() ?? 4
    let vectors = max(VectorChoice.lineBytes / (bytes * lanes), 1)
    return kernel.extent(id) >= vectors * lanes ? vectors : 1
  }

  /// The outer dimensions in the order of what is read, where it is in another than the result; nil elsewhere.
  ///
  /// Pieces of rows are streamed about as fast in any order, but read fast only one after the other.
  func readingOrder(last id: DimensionID) -> [DimensionID]? {
    let bytes = kernel.stages.map { kernel.type(of: $0.target).dtype.byteCount }.min() ?? 4
    guard kernel.stages.allSatisfy({ $0.kind == .map && $0.dimensions.isEmpty }),
      kernel.extent(id) * bytes >= VectorChoice.gatheredRunBytes
    else { return nil }
    let others = kernel.outerByStride.filter { $0 != id }
    let size = kernel.points(others + [id])
    var found: [DimensionID]?
    for instruction in kernel.stages.flatMap(\.body.instructions) {
      guard case .load(.parameter(let place), let index, _) = instruction.operation,
        kernel.parameters[place].type.shape.elementCount >= size, index[0].isAffine,
        index[0].dependence(on: id) == .affine(1)
      else { continue }
      func step(_ other: DimensionID) -> Int {
        if case .affine(let step) = index[0].dependence(on: other) { step } else { 0 }
      }
      let order = others.enumerated().sorted { a, b in
        let (first, second) = (step(a.element), step(b.element))
        return first != second ? first > second : a.offset < b.offset
      }.map(\.element)
      // Where operands differ, none is better than the order of the result.
      if order == others || order != found ?? order { return nil }
      found = order
    }
    return found.map { $0 + [id] }
  }

  /// The outputs that no cache could hold, where they are written in whole lines along a dimension.
  ///
  /// Half of the last cache is too much: with what is read, and what others keep there, most of it is driven out again.
  func streamed(along id: DimensionID) -> Set<Int> {
    var places: Set<Int> = []
    for stage in kernel.stages {
      guard case .parameter(let place) = stage.target, !stage.isScatter,
        kernel.parameters[place].role == .output
      else { continue }
      let type = kernel.parameters[place].type
      if type.byteCount >= target.lastLevelCacheBytes / 2,
        kernel.extent(id) * type.dtype.byteCount >= VectorChoice.lineBytes,
        stage.index[0].dependence(on: id) == .affine(1)
      {
        places.insert(place)
      }
    }
    return places
  }
}

extension ScalarInstruction {
  /// Whether a load steps along a dimension, and is contiguous along another.
  func isCrossed(_ id: DimensionID, _ other: DimensionID) -> Bool {
    guard case .load(.parameter, let index, let guards) = operation,
      guards.allSatisfy({ $0.isShared(along: other) }), index[0].isAffine,
      index[0].dependence(on: other) == .affine(1),
      case .affine(let step) = index[0].dependence(on: id)
    else { return false }
    return step > 1
  }
}

extension IndexGuard {
  /// Whether it says the same of all neighbours along a dimension, and follows from counters alone.
  func isShared(along id: DimensionID) -> Bool {
    expression.isAffine && expression.dependence(on: id) == .affine(0)
  }
}
