import GraphIR
import LoopIR

/// The dimension whose neighbouring points lie in the lanes of vectors.
struct VectorDimension: Hashable {
  var id: DimensionID
  var lanes: Int
  /// Only the first lanes are points of the iteration space; nil: all.
  var active: Int?
}

/// A point of the iteration space, or the lanes of a vector of neighbouring ones.
struct Point {
  /// The counter of each dimension that has one here; of the vector dimension, its first lane's.
  var counters: [DimensionID: LoopIndex] = [:]
  /// The dimension along which the lanes go.
  var vector: VectorDimension?
  /// The values of scalar locals.
  var locals: [Int: RegisterID] = [:]
  /// The outer dimension along which the next elements are asked for.
  var ahead: DimensionID?
  /// The neighbours across the vectors that are computed together.
  var crossing: Crossing?
  /// Guards of which it is known that they hold.
  var holding: Set<IndexGuard> = []
  /// Which of the points computed together this is: the place of its ranked locals in scratch.
  var slot = 0
}

/// Emits the scalar computations of stages, for one point or for a vector of points.
///
/// A value that is the same in all lanes stays a scalar until it meets a vector.
struct BodyEmitter {
  let builder: LoopsBuilder
  let kernel: Kernel
  /// The worker memory of each local of more than one element.
  let scratch: [Int: Int]
  /// The lanes of ranked locals: each element is stored once for each lane of the outer vector dimension.
  let localLanes: Int
  /// Memories that may be read in lanes beyond the last point.
  let padded: Set<Int>
  /// Parameters that are stored past the caches.
  var streamed: Set<Int> = []
  /// Parameters of which a block is put together in scratch.
  var gathered: [Int: GatheredBlock] = [:]

  /// Emits a body and gives the register of each instruction.
  ///
  /// - Parameter count: how many instructions to emit; all unless said otherwise.
  func emit(
    _ body: ScalarBody, at point: Point, count: Int? = nil
  ) throws(Diagnostic) -> [RegisterID] {
    var values: [RegisterID] = []
    for instruction in body.instructions.prefix(count ?? body.instructions.count) {
      let operands = instruction.operands.map { values[$0] }
      values.append(try emit(instruction, operands, values, body, at: point))
    }
    return values
  }

  private func emit(
    _ instruction: ScalarInstruction, _ operands: [RegisterID], _ values: [RegisterID],
    _ body: ScalarBody, at point: Point
  ) throws(Diagnostic) -> RegisterID {
    let indices = IndexEmitter(builder: builder, point: point, values: values)
    let dtype = instruction.dtype
    switch instruction.operation {
    case .constant(let bits):
      return builder.define(.constant(bits), LoopType(dtype))
    case .index(let expression):
      return convert(indices.register(indices.evaluate(expression)), to: dtype)
    case .load(let tensor, let index, let guards):
      return try load(
        Load(tensor: tensor, index: index[0], guards: guards, dtype: dtype), indices,
        otherwise: operands.first.map { ($0, isZero(body, instruction.operands[0])) })
    case .unary(let function):
      return builder.define(.unary(function, operands[0]), builder.type(of: operands[0]))
    case .binary(let function):
      return binary(function, operands[0], operands[1])
    case .compare(let function):
      let both = unify(operands)
      let lanes = builder.type(of: both[0]).lanes
      return builder.define(
        .compare(function, both[0], both[1]), LoopType(.bool, lanes: lanes))
    case .select:
      let all = unify(operands)
      return builder.define(.select(all[0], all[1], all[2]), builder.type(of: all[1]))
    case .clamp:
      return binary(.minimum, binary(.maximum, operands[1], operands[0]), operands[2])
    case .convert:
      return convert(operands[0], to: dtype)
    case .random(let stream, let expression):
      let index = indices.register(indices.evaluate(expression))
      return builder.define(
        .random(stream: stream, index: index, seed: operands[0], step: operands[1]),
        LoopType(dtype, lanes: builder.type(of: index).lanes))
    }
  }

  private func isZero(_ body: ScalarBody, _ place: Int) -> Bool {
    body.instructions[place].operation == .constant(0)
  }

  /// Whether guards are known to fail at a point of so much that the body's value is zero.
  func isZero(_ body: ScalarBody, at point: Point) -> Bool {
    let indices = IndexEmitter(builder: builder, point: point, values: [])
    func fails(_ condition: IndexGuard) -> Bool {
      var isKnown = true
      condition.expression.forEachLeaf { if case .instruction = $0 { isKnown = false } }
      return isKnown && indices.fails(condition)
    }
    func isZero(_ place: Int) -> Bool {
      let operands = body.instructions[place].operands
      switch body.instructions[place].operation {
      case .constant(let bits): return bits == 0
      case .load(_, _, let guards):
        return operands.first.map(isZero) ?? false && guards.contains(where: fails)
      case .binary(let function):
        return function == .multiply && operands.contains(where: isZero)
          && operands.allSatisfy { isZero($0) || body.keepsZero($0) }
      case .select: return operands.dropFirst().allSatisfy(isZero)
      case .convert: return isZero(operands[0])
      case .index, .unary, .compare, .clamp, .random: return false
      }
    }
    return isZero(body.instructions.count - 1)
  }
}

// MARK: - Small instructions

extension BodyEmitter {
  /// A function of two registers, of which one may be a scalar and the other a vector.
  func binary(_ function: BinaryFunction, _ a: RegisterID, _ b: RegisterID) -> RegisterID {
    let both = unify([a, b])
    return builder.define(.binary(function, both[0], both[1]), builder.type(of: both[0]))
  }

  /// `a * b + c`, with scalars broadcast.
  func multiplyAdd(_ a: RegisterID, _ b: RegisterID, _ c: RegisterID) -> RegisterID {
    let all = unify([a, b, c])
    return builder.define(.multiplyAdd(all[0], all[1], all[2]), builder.type(of: all[2]))
  }

  /// The registers with equal lane counts.
  func unify(_ registers: [RegisterID]) -> [RegisterID] {
    let lanes = registers.map { builder.type(of: $0).lanes }.max() ?? 1
    return registers.map { widen($0, to: lanes) }
  }

  /// A scalar in every lane; a vector as it is.
  func widen(_ register: RegisterID, to lanes: Int) -> RegisterID {
    let type = builder.type(of: register)
    if type.lanes == lanes { return register }
    return builder.define(.broadcast(register), LoopType(type.dtype, lanes: lanes))
  }

  /// The register in another type.
  func convert(_ register: RegisterID, to dtype: DType) -> RegisterID {
    let type = builder.type(of: register)
    if type.dtype == dtype { return register }
    return builder.define(.convert(register), LoopType(dtype, lanes: type.lanes))
  }
}

// MARK: - Loads

/// A load of a body, with its one flat index.
private struct Load {
  var tensor: TensorReference
  var index: IndexExpression
  var guards: [IndexGuard]
  var dtype: DType
}

extension BodyEmitter {
  private func load(
    _ load: Load, _ indices: IndexEmitter, otherwise: (value: RegisterID, isZero: Bool)?
  ) throws(Diagnostic) -> RegisterID {
    if case .local(let place) = load.tensor, scratch[place] == nil {
      guard let value = indices.point.locals[place] else {
        throw Diagnostic(
          .internalError, "kernel @\(kernel.name): local \(place) is read before it is written")
      }
      return value
    }
    if let otherwise, load.guards.contains(where: indices.fails) { return otherwise.value }
    if case .parameter(let memory) = load.tensor,
      let lanes = loadCrossed(
        memory, load.index, load.guards, load.dtype, indices.point,
        otherwiseZero: otherwise?.isZero ?? false)
    {
      return lanes
    }
    let (scalar, lanes) = conditions(load.guards, indices)
    let index = indices.evaluate(load.index)
    guard let otherwise, scalar != nil || lanes != nil else {
      return access(load, index, indices, mask: nil)
    }
    guard let lanes else {
      let wide = isLanewise(load, index) || builder.type(of: otherwise.value).lanes > 1
      return try conditionalLoad(load, index, indices, scalar, otherwise.value, wide: wide)
    }
    let mask = scalar.map { binary(.and, $0, lanes) } ?? lanes
    let value = access(load, index, indices, mask: mask)
    if otherwise.isZero { return value }
    let all = unify([mask, value, otherwise.value])
    return builder.define(.select(all[0], all[1], all[2]), builder.type(of: all[1]))
  }

  /// Loads under a condition that all lanes share.
  private func conditionalLoad(
    _ load: Load, _ index: IndexValue, _ indices: IndexEmitter, _ condition: RegisterID?,
    _ otherwise: RegisterID, wide: Bool
  ) throws(Diagnostic) -> RegisterID {
    guard let condition else { return access(load, index, indices, mask: nil) }
    let lanes = wide ? indices.point.vector?.lanes ?? 1 : 1
    let variable = builder.makeVariable(LoopType(load.dtype, lanes: lanes))
    builder.assign(variable, widen(otherwise, to: lanes))
    try builder.conditional(condition) { () throws(Diagnostic) in
      let value = access(load, index, indices, mask: nil)
      builder.assign(variable, widen(value, to: lanes))
    }
    return builder.read(variable)
  }

  /// Whether the lanes of a load differ.
  private func isLanewise(_ load: Load, _ index: IndexValue) -> Bool {
    if case .local = load.tensor, localLanes > 1 { return true }
    return !index.isUniform
  }

  private func access(
    _ load: Load, _ index: IndexValue, _ indices: IndexEmitter, mask: RegisterID?
  ) -> RegisterID {
    let (memory, index) = place(load.tensor, index, indices.point)
    let vector = indices.point.vector
    let lanes = vector?.lanes ?? 1
    if index.isUniform, mask == nil {
      return builder.define(
        .load(LoopAccess(memory: memory, offset: index.base)), LoopType(load.dtype))
    }
    let type = LoopType(load.dtype, lanes: lanes)
    // Room behind a memory helps only who reads on without gaps.
    let readsOn = padded.contains(memory) && index.lanes == nil && index.stride == 1
    let active = readsOn ? nil : vector?.active
    if index.lanes == nil, index.stride > 0 {
      if case .parameter = load.tensor, index.stride == 1, let ahead = indices.point.ahead,
        case .affine(let step) = load.index.dependence(on: ahead), step > 0
      {
        builder.prefetch(memory, index.base + LoopIndex(constant: step))
      }
      let access = LoopAccess(
        memory: memory, offset: index.base, stride: index.stride, active: active, mask: mask)
      return builder.define(.load(access), type)
    }
    if mask == nil, let known = index.known {
      let places = known.enumerated().map { $0 * index.stride + $1 }
      return loadSpread(memory, index.base, places, active: vector?.active, type)
    }
    var mask = mask
    if let active {
      let inside = indices.lanes(below: active)
      mask = mask.map { binary(.and, $0, inside) } ?? inside
    }
    let offsets = indices.offsets(index)
    return builder.define(
      .gather(memory: memory, offset: index.base, offsets: offsets, mask: mask), type)
  }

  /// The memory of a tensor, and the index there.
  private func place(
    _ tensor: TensorReference, _ index: IndexValue, _ point: Point
  ) -> (Int, IndexValue) {
    switch tensor {
    case .parameter(let place):
      return (place, index)
    case .local(let place):
      let first = LoopIndex(constant: point.slot * kernel.locals[place].type.shape.elementCount)
      var index = index
      index.base = (index.base + first) * localLanes
      index.stride *= localLanes
      if localLanes > 1 { index.stride += 1 }
      if let lanes = index.lanes, localLanes > 1 {
        let factor = builder.define(
          .constant(UInt64(localLanes)), LoopType(.i64))
        index.lanes = binary(.multiply, lanes, factor)
      }
      return (scratch[place] ?? 0, index)
    }
  }

  /// Guards as a scalar condition and a condition for each lane; nil where nothing needs to be checked.
  func conditions(
    _ guards: [IndexGuard], _ indices: IndexEmitter
  ) -> (scalar: RegisterID?, lanes: RegisterID?) {
    var (scalar, lanes): (RegisterID?, RegisterID?) = (nil, nil)
    for condition in guards where !indices.point.holding.contains(condition) {
      guard let register = indices.condition(condition) else { continue }
      if builder.type(of: register).lanes == 1 {
        scalar = scalar.map { binary(.and, $0, register) } ?? register
      } else {
        lanes = lanes.map { binary(.and, $0, register) } ?? register
      }
    }
    return (scalar, lanes)
  }
}

extension BodyEmitter {
  /// Asks for what the stages after the first read of parameters at points, vector by vector of each row: it comes while
  /// the first one is computed.
  func ask(for parameters: Set<Int>, at points: [Point]) {
    if parameters.isEmpty { return }
    var known: Set<ScalarInstruction> = []
    for instruction in kernel.stages.dropFirst().flatMap(\.body.instructions) {
      guard case .load(.parameter(let memory), let index, _) = instruction.operation,
        parameters.contains(memory), known.insert(instruction).inserted
      else { continue }
      let line = VectorChoice.lineBytes / instruction.dtype.byteCount
      var last: LoopIndex?
      for point in points {
        let place = IndexEmitter(builder: builder, point: point, values: []).evaluate(index[0]).base
        if let last, case let distance = place - last, distance.isConstant,
          (0..<line).contains(distance.constant)
        {
          continue
        }
        builder.prefetch(memory, place)
        last = place
      }
    }
  }
}

// MARK: - Stores

extension BodyEmitter {
  /// Stores the value of a stage at a point.
  func store(
    _ value: RegisterID, to tensor: TensorReference, at expression: IndexExpression,
    _ point: Point
  ) throws(Diagnostic) {
    let indices = IndexEmitter(builder: builder, point: point, values: [])
    let dtype = kernel.type(of: tensor).dtype
    let (memory, index) = place(tensor, indices.evaluate(expression), point)
    let value = convert(value, to: dtype)
    if case .parameter(let place) = tensor, let block = gathered[place], let vector = point.vector {
      // There is room for the lanes behind the last point.
      return builder.store(widen(value, to: vector.lanes), block.access(point, builder))
    }
    if index.isUniform {
      if builder.type(of: value).lanes == 1 {
        return builder.store(value, LoopAccess(memory: memory, offset: index.base))
      }
    } else if index.lanes == nil, index.stride > 0 {
      var active = point.vector?.active
      if case .local = tensor, localLanes > 1 { active = nil }
      let access = LoopAccess(
        memory: memory, offset: index.base, stride: index.stride, active: active,
        isStreamed: index.stride == 1 && streamed.contains(memory))
      return builder.store(widen(value, to: point.vector?.lanes ?? 1), access)
    }
    throw Diagnostic(
      .internalError,
      "kernel @\(kernel.name): lanes cannot be stored at \(kernel.text(of: expression))")
  }
}
