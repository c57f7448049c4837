import GraphIR
import LoopIR

extension Kernel {
  /// The number of points of some dimensions.
  func points(_ list: [DimensionID]) -> Int {
    list.reduce(1) { $0 * dimensions[$1.index].extent }
  }

  func extent(_ id: DimensionID) -> Int { dimensions[id.index].extent }

  /// Replaces every index expression; those of guards and targets too.
  mutating func mapExpressions(_ transform: (IndexExpression) -> IndexExpression) {
    for place in stages.indices {
      stages[place].index = stages[place].index.map(transform)
      stages[place].body.mapExpressions(transform)
    }
  }

  /// Calls a function with every index expression.
  func forEachExpression(_ body: (IndexExpression) -> Void) {
    for stage in stages {
      stage.index.forEach(body)
      for instruction in stage.body.instructions { instruction.forEachExpression(body) }
    }
  }

  /// Adds a dimension; the caller puts it into a list.
  mutating func addDimension(_ name: String, _ extent: Int) -> DimensionID {
    dimensions.append(KernelDimension(name: name, extent: extent))
    return DimensionID(dimensions.count - 1)
  }

  /// Replaces a dimension, wherever dimensions are listed, by others.
  mutating func replace(_ id: DimensionID, by others: [DimensionID]) {
    func replaced(_ list: [DimensionID]) -> [DimensionID] {
      list.flatMap { $0 == id ? others : [$0] }
    }
    outer = replaced(outer)
    for place in stages.indices {
      stages[place].dimensions = replaced(stages[place].dimensions)
      if case .fold(let function, let over) = stages[place].kind {
        stages[place].kind = .fold(function, over: replaced(over))
      }
    }
  }
}

extension Kernel {
  /// How many of the first stages are folds over the same dimensions that do not wait for each other.
  var leadingFolds: Int {
    guard let over = stages.first?.folded, !over.isEmpty else { return 0 }
    return stages.prefix { $0.isFold(over: over) }.count
  }

  /// Moves folds that wait for nothing to the front, where they run together.
  mutating func leadWithFolds() {
    guard let over = stages.first?.folded, !over.isEmpty else { return }
    let leading = stages.filter { $0.isFold(over: over) }
    guard leading.count > 1 else { return }
    stages = leading + stages.filter { !$0.isFold(over: over) }
  }
}

extension KernelStage {
  /// Whether the stage folds memory alone, to one value for each outer point, over just these dimensions.
  fileprivate func isFold(over dimensions: [DimensionID]) -> Bool {
    guard case .fold(_, dimensions) = kind, self.dimensions.isEmpty else { return false }
    return body.instructions.allSatisfy { instruction in
      guard case .load(.local, _, _) = instruction.operation else { return true }
      return false
    }
  }

  /// The dimensions that a fold runs over.
  var folded: [DimensionID] {
    switch kind {
    case .map, .scatter: []
    case .fold(_, let over): over
    case .argFold(_, let over): [over]
    }
  }

  var isScatter: Bool {
    if case .scatter = kind { true } else { false }
  }
}

extension ScalarBody {
  mutating func mapExpressions(_ transform: (IndexExpression) -> IndexExpression) {
    for place in instructions.indices {
      switch instructions[place].operation {
      case .index(let index):
        instructions[place].operation = .index(transform(index))
      case .load(let tensor, let index, let guards):
        instructions[place].operation = .load(
          tensor, index.map(transform),
          guards: guards.map { IndexGuard(transform($0.expression), below: $0.extent) })
      case .random(let stream, let index):
        instructions[place].operation = .random(stream: stream, index: transform(index))
      case .constant, .unary, .binary, .compare, .select, .clamp, .convert:
        break
      }
    }
  }
}

extension ScalarInstruction {
  func forEachExpression(_ body: (IndexExpression) -> Void) {
    switch operation {
    case .index(let index), .random(_, let index):
      body(index)
    case .load(_, let index, let guards):
      index.forEach(body)
      for condition in guards { body(condition.expression) }
    case .constant, .unary, .binary, .compare, .select, .clamp, .convert:
      break
    }
  }

  /// What the instruction costs, in simple operations.
  var cost: Int {
    switch operation {
    case .constant, .index, .load: 0
    case .unary(let function):
      switch function {
      case .negate, .abs, .sign, .floor, .ceil, .round, .not: 1
      case .sqrt, .rsqrt: 8
      case .exp, .expm1, .log, .log1p, .sin, .cos, .tanh, .sigmoid, .softplus, .erf: 16
      }
    case .binary(let function):
      switch function {
      case .divide, .remainder: 6
      case .power: 40
      case .add, .subtract, .multiply, .maximum, .minimum, .and, .or, .xor, .shiftLeft,
        .shiftRightArithmetic, .shiftRightLogical:
        1
      }
    case .compare, .select, .convert: 1
    case .clamp: 2
    case .random: 30
    }
  }
}

/// How an index depends on a dimension.
enum Dependence: Equatable {
  /// `coefficient * dimension`, and the rest without it; 0 when it does not occur.
  case affine(Int)
  /// Inside of a quotient, remainder or an instruction.
  case other
}

extension IndexExpression {
  /// How the index depends on a dimension; `varying` says which instructions depend on it.
  func dependence(on id: DimensionID, varying: (Int) -> Bool = { _ in false }) -> Dependence {
    var coefficient = 0
    for term in terms {
      switch term.atom {
      case .dimension(let other):
        if other == id { coefficient += term.coefficient }
      case .instruction(let place):
        if varying(place) { return .other }
      case .quotient(let inner, _), .remainder(let inner, _):
        if inner.dependence(on: id, varying: varying) != .affine(0) { return .other }
      }
    }
    return .affine(coefficient)
  }
}

extension ScalarBody {
  /// For each instruction whether its value depends on a dimension; `locals` says which locals do.
  func varying(with id: DimensionID, locals: (Int) -> Bool = { _ in false }) -> [Bool] {
    var varies: [Bool] = []
    for instruction in instructions {
      var depends = instruction.operands.contains { varies[$0] }
      instruction.forEachExpression { expression in
        if expression.dependence(on: id, varying: { varies[$0] }) != .affine(0) { depends = true }
      }
      if case .load(.local(let place), _, _) = instruction.operation, locals(place) {
        depends = true
      }
      varies.append(depends)
    }
    return varies
  }
}
