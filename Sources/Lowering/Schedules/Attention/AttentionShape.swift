import GraphIR
import LoopIR

/// A kernel around a matrix of scores, which has a row for each query and a column for each key.
///
/// Its stages compute the scores, other matrices of them element by element, values of each row, and products of
/// matrices with other factors. No matrix leaves the kernel: the emitter computes them for a block of rows at a time.
struct Attention {
  /// What a stage computes.
  enum Role: Equatable {
    /// A matrix, each element a sum over `step` of a product of two factors: the row's and the key's.
    case scores(row: Int, key: Int, step: DimensionID)
    /// A matrix, element by element.
    case elements
    /// A value for each row, folded over the keys.
    case rowFold(ReduceFunction)
    /// A value for each row, of other ones.
    case rowValue
    /// For each row and column a sum over the keys.
    case rowProduct(Product)
    /// For each key and column a sum over the rows.
    case keyProduct(Product)
    /// What becomes of the sums of a product, the stage `of`.
    case result(of: Int)
  }

  /// A sum of products of a matrix's elements with a factor that steps through memory along a column dimension.
  struct Product: Equatable {
    /// The local that is the matrix.
    var matrix: Int
    /// The instruction of the other factor.
    var factor: Int
    /// The dimension of the columns.
    var column: DimensionID
  }

  /// What one pass over a block of rows does.
  enum Step {
    /// The stages, for one tile of keys after the other.
    case sweep([Int])
    /// A value of each row.
    case rowValue(Int)
    /// A product over the keys and the results made of it.
    case rowProduct(Int)
    /// Adds a block's products over the rows.
    case keyProduct(Int)
  }

  /// The kernel.
  private(set) var kernel: Kernel
  /// The dimension of the queries.
  let row: DimensionID
  /// The dimension of the keys.
  let key: DimensionID
  /// The other outer dimensions.
  let batch: [DimensionID]
  /// What each stage computes.
  private(set) var roles: [Role] = []
  /// The stage that computes each local.
  private(set) var writers: [Int: Int] = [:]

  /// The type of the sums.
  var dtype: DType { kernel.stages[0].body.instructions.last?.dtype ?? .f32 }
  /// Whether sums over rows are kept for all keys, so that one task computes all rows.
  var sumsOverRows: Bool { roles.contains { if case .keyProduct = $0 { true } else { false } } }

  /// The kernel read as attention; nil when it is anything else.
  static func find(in kernel: Kernel) -> Attention? {
    guard let first = kernel.stages.first, case .fold(.sum, _) = first.kind,
      let factors = first.factors,
      let key = kernel.stages.dropFirst().lazy.flatMap(\.folded).first(where: {
        first.dimensions.contains($0)
      })
    else { return nil }
    var rows = first.dimensions.filter { $0 != key }
    if rows.isEmpty {
      let sides = factors.map { place in
        kernel.outer.filter { first.body.varying(with: $0)[place] }
      }
      let isKeys = factors.map { first.body.varying(with: key)[$0] }
      guard isKeys[0] != isKeys[1] else { return nil }
      let (own, other) = isKeys[0] ? (sides[1], sides[0]) : (sides[0], sides[1])
      rows = own.filter { !other.contains($0) }.suffix(1)
    }
    guard rows.count == 1 else { return nil }
    var attention = Attention(kernel, row: rows[0], key: key)
    return attention.assignRoles() ? attention : nil
  }

  private init(_ kernel: Kernel, row: DimensionID, key: DimensionID) {
    self.kernel = kernel
    self.row = row
    self.key = key
    batch = kernel.outer.filter { $0 != row }
  }

  /// Finds each stage's role; false when one has none.
  private mutating func assignRoles() -> Bool {
    for place in kernel.stages.indices {
      alignDimensions(of: place)
      guard let role = role(of: kernel.stages[place]), readsInPlace(place, role) else {
        return false
      }
      switch (role, kernel.stages[place].target) {
      case (_, .local(let local)): writers[local] = place
      case (.rowProduct, .parameter), (.keyProduct, .parameter), (.result, .parameter): break
      case (.scores, .parameter), (.elements, .parameter), (.rowFold, .parameter),
        (.rowValue, .parameter):
        return false
      }
      roles.append(role)
    }
    return roles.contains { if case .rowProduct = $0 { true } else { false } }
  }

  private func space(of stage: KernelStage) -> Set<DimensionID> {
    Set(stage.dimensions + (kernel.outer.contains(row) ? [row] : []))
  }

  private func role(of stage: KernelStage) -> Role? {
    let space = space(of: stage)
    switch stage.kind {
    case .argFold, .scatter:
      return nil
    case .map:
      if space == [row, key] { return .elements }
      if space == [row] { return .rowValue }
      return stage.localsRead.lazy.compactMap(product).first.map { .result(of: $0) }
    case .fold(let function, let over):
      guard over.count == 1 else { return nil }
      if space == [row], over == [key] { return .rowFold(function) }
      guard function == .sum, space.count == 2, let factors = stage.factors,
        let last = stage.body.instructions.last, last.dtype == dtype,
        StageEmitter.accumulator(dtype, .sum) == dtype
      else { return nil }
      if space == [row, key] { return scores(stage, factors, step: over[0]) }
      if space.contains(row), over == [key] {
        return product(stage, factors, kept: row, folded: key).map { .rowProduct($0) }
      }
      if space.contains(key), over == [row] {
        return product(stage, factors, kept: key, folded: row).map { .keyProduct($0) }
      }
      return nil
    }
  }

  private func scores(_ stage: KernelStage, _ factors: [Int], step: DimensionID) -> Role? {
    let varies = [row, key].map { id in factors.map { stage.body.varying(with: id)[$0] } }
    guard stage.localsRead.isEmpty, varies[0][0] != varies[0][1], varies[1][0] != varies[1][1],
      varies[0][0] != varies[1][0]
    else { return nil }
    let (row, key) = varies[0][0] ? (factors[0], factors[1]) : (factors[1], factors[0])
    return .scores(row: row, key: key, step: step)
  }

  private func product(
    _ stage: KernelStage, _ factors: [Int], kept: DimensionID, folded: DimensionID
  ) -> Product? {
    for (own, other) in [(factors[0], factors[1]), (factors[1], factors[0])] {
      guard case .load(.local(let matrix), _, _) = stage.body.instructions[own].operation,
        case let slice = stage.body.slice(endingAt: other), slice.localsRead.isEmpty,
        slice.varying(with: kept).last == false,
        let column = stage.dimensions.last(where: {
          $0 != kept
        })
      else { continue }
      return Product(matrix: matrix, factor: other, column: column)
    }
    return nil
  }

  /// The product that a local holds, or is made of.
  private func product(_ local: Int) -> Int? {
    guard let writer = writers[local] else { return nil }
    switch roles[writer] {
    case .rowProduct, .keyProduct: return writer
    case .result(let product): return product
    case .scores, .elements, .rowFold, .rowValue: return nil
    }
  }

  /// The stages that are made of a product, in order.
  func results(of product: Int) -> [Int] {
    roles.indices.filter { roles[$0] == .result(of: product) }
  }

  /// The columns of a product.
  func column(of stage: Int) -> DimensionID? {
    switch roles[stage] {
    case .rowProduct(let product), .keyProduct(let product): product.column
    case .result(let product): column(of: product)
    case .scores, .elements, .rowFold, .rowValue: nil
    }
  }

  /// Gives a stage that is made of a product the product's own dimensions, by their steps through the local that it
  /// reads.
  private mutating func alignDimensions(of place: Int) {
    let stage = kernel.stages[place]
    guard stage.kind == .map, let (local, index) = stage.body.localLoads.first,
      product(local) != nil, let writer = writers[local]
    else { return }
    var moved: [DimensionID: DimensionID] = [:]
    for term in index.terms {
      guard case .dimension(let own) = term.atom, stage.dimensions.contains(own),
        let other = kernel.stages[writer].index[0].terms.first(where: {
          $0.coefficient == term.coefficient
        }), case .dimension(let id) = other.atom, kernel.extent(own) == kernel.extent(id)
      else { continue }
      moved[own] = id
    }
    guard Set(moved.values).count == stage.dimensions.count else { return }
    let bounds = kernel.bounds
    func replaced(_ index: IndexExpression) -> IndexExpression {
      index.substituting(in: bounds) { atom in
        guard case .dimension(let own) = atom, let id = moved[own] else { return nil }
        return .dimension(id)
      }
    }
    kernel.stages[place].dimensions = stage.dimensions.compactMap { moved[$0] }
    kernel.stages[place].index = stage.index.map(replaced)
    kernel.stages[place].body.mapExpressions(replaced)
  }

  /// Whether a stage reads each local at its own point, and only those that its role gives it.
  private func readsInPlace(_ place: Int, _ role: Role) -> Bool {
    let stage = kernel.stages[place]
    if case .result(let product) = role, let column = column(of: product) {
      let isSum = space(of: stage) == space(of: kernel.stages[product])
      guard isSum, stage.dimensions.contains(column) else { return false }
    }
    return stage.body.instructions.allSatisfy { instruction in
      guard case .load(.local(let local), let index, let guards) = instruction.operation else {
        return true
      }
      guard guards.isEmpty, let writer = writers[local], index == kernel.stages[writer].index else {
        return false
      }
      switch (roles[writer], role) {
      case (.scores, .elements), (.scores, .rowFold), (.scores, .rowProduct),
        (.scores, .keyProduct), (.elements, .elements), (.elements, .rowFold),
        (.elements, .rowProduct), (.elements, .keyProduct):
        return true
      case (.rowFold, .elements), (.rowFold, .rowFold), (.rowFold, .rowValue),
        (.rowValue, .elements), (.rowValue, .rowFold), (.rowValue, .rowValue):
        return true
      case (.rowFold, .result(let product)), (.rowValue, .result(let product)):
        if case .rowProduct = roles[product] { return writer < product }
        return false
      case (.rowProduct, .result(let product)), (.keyProduct, .result(let product)):
        return writer == product
      case (.result(let other), .result(let product)):
        return other == product
      default:
        return false
      }
    }
  }
}

extension Attention {
  /// The stages, in the passes over a block of rows that they need: a stage that reads a value of the row comes in a
  /// later pass than the fold that computes it.
  var steps: [Step] {
    var steps: [Step] = []
    var sweep: [Int] = []
    func finish() {
      if !sweep.isEmpty { steps.append(.sweep(sweep)) }
      sweep = []
    }
    for (place, role) in roles.enumerated() {
      switch role {
      case .scores, .elements, .rowFold:
        let readsFold = kernel.stages[place].localsRead.contains { local in
          guard let writer = writers[local], case .rowFold = roles[writer] else { return false }
          return sweep.contains(writer)
        }
        if readsFold { finish() }
        sweep.append(place)
      case .rowValue:
        finish()
        steps.append(.rowValue(place))
      case .rowProduct:
        finish()
        steps.append(.rowProduct(place))
      case .keyProduct:
        finish()
        steps.append(.keyProduct(place))
      case .result: break
      }
    }
    finish()
    return steps
  }
}

extension KernelStage {
  /// The places of the two factors, when the body is a product.
  var factors: [Int]? {
    guard let last = body.instructions.last, last.operation == .binary(.multiply) else {
      return nil
    }
    return last.operands
  }

  /// The locals that the body reads.
  var localsRead: [Int] { body.localsRead }
}

extension ScalarBody {
  /// The locals that are read, each once for each load.
  var localsRead: [Int] { localLoads.map(\.local) }

  /// The loads of locals, with their flat index.
  fileprivate var localLoads: [(local: Int, index: IndexExpression)] {
    instructions.compactMap { instruction in
      guard case .load(.local(let place), let index, _) = instruction.operation else { return nil }
      return (place, index.first ?? 0)
    }
  }
}
