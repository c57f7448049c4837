import GraphIR

/// What is computed together: one loop nest.
///
/// All its stages share the outer dimensions; at each point of
/// these, the stages run in order.
///
/// A stage computes one value for each point of its own dimensions. A local holds what a stage gives to later
/// stages at the same outer point: it never leaves the registers or the cache. So
/// * an elementwise chain has all dimensions outer and map stages without dimensions of their own;
/// * softmax over rows has the rows outer: fold max over c; map exp over c into a local; fold sum; map over c;
/// * a contraction has all dimensions of its result outer: a fold of a product into a scalar local, then map
///   stages for bias and activation (the epilogue);
/// * a sum over leading dimensions has the last ones outer and folds over the leading ones.
///
/// How the outer dimensions are tiled, vectorized and split is the schedule's choice.
public struct Kernel: Hashable, Sendable {
  /// The name, unique in the program.
  public var name: String
  /// The tensors read and written in memory.
  public var parameters: [KernelParameter]
  /// Values passed between stages at one outer point.
  public var locals: [KernelLocal]
  /// The dimensions of the iteration space: outer ones and those of the stages.
  public var dimensions: [KernelDimension]
  /// The shared outer dimensions; every point may run at the same time as every other one.
  public var outer: [DimensionID]
  /// What is computed, in order.
  public var stages: [KernelStage]

  /// Makes a kernel.
  public init(
    name: String, parameters: [KernelParameter] = [], locals: [KernelLocal] = [],
    dimensions: [KernelDimension] = [], outer: [DimensionID] = [], stages: [KernelStage] = []
  ) {
    self.name = name
    self.parameters = parameters
    self.locals = locals
    self.dimensions = dimensions
    self.outer = outer
    self.stages = stages
  }
}

extension Kernel {
  /// The bytes of all tensors that the kernel reads or writes; half of `Int.max` where they are more than that.
  public var parameterBytes: Int {
    parameters.reduce(0) { total, parameter in
      let (sum, isTooLarge) = total.addingReportingOverflow(parameter.type.byteCount)
      return isTooLarge ? .max / 2 : min(sum, .max / 2)
    }
  }
}

/// A dimension of a kernel's iteration space.
public struct KernelDimension: Hashable, Sendable {
  /// A short name for printing: `n`, `h`, `c`.
  public var name: String
  /// The number of points; at least 1 (nothing is launched for empty tensors).
  public var extent: Int
  /// Makes a dimension.
  public init(name: String, extent: Int) {
    self.name = name
    self.extent = extent
  }
}

/// A tensor in memory that a kernel reads or writes: dense, row-major.
public struct KernelParameter: Hashable, Sendable {
  /// Whether the kernel reads or writes it.
  public enum Role: Hashable, Sendable {
    /// Only read.
    case input
    /// Every element is written exactly once; never read, but for `update`.
    case output
    /// Read and written in place: scatter's target.
    case update
  }
  /// A name for printing.
  public var name: String
  /// The type.
  public var type: TensorType
  /// Whether the kernel reads or writes it.
  public var role: Role
  /// Whether it holds the same at every run: a copy of it in another order may be made once.
  public var isConstant: Bool
  /// Makes a parameter.
  public init(name: String, type: TensorType, role: Role, isConstant: Bool = false) {
    self.name = name
    self.type = type
    self.role = role
    self.isConstant = isConstant
  }
}

/// A value that a stage gives to later stages at the same outer point.
public struct KernelLocal: Hashable, Sendable {
  /// A name for printing.
  public var name: String
  /// The element type and the extents over the dimensions of the stage that writes it; rank 0 for a scalar.
  public var type: TensorType
  /// Makes a local.
  public init(name: String, type: TensorType) {
    self.name = name
    self.type = type
  }
}

/// A tensor that a stage reads or writes.
public enum TensorReference: Hashable, Sendable {
  /// A parameter, by its place in `Kernel.parameters`.
  case parameter(Int)
  /// A local, by its place in `Kernel.locals`.
  case local(Int)
}

/// One computation at each outer point: for each point of `dimensions`, the body's value, folded over `over`
/// when the stage is a fold, is stored at `index` of `target`.
public struct KernelStage: Hashable, Sendable {
  /// How the body's values become the stage's.
  public enum Kind: Hashable, Sendable {
    /// One value for each point.
    case map
    /// The values over the points of dimensions, combined; the order is the schedule's choice and depends on
    /// the extents alone. Sums and products of f16, bf16 are accumulated in f32 and of other types in their own.
    case fold(ReduceFunction, over: [DimensionID])
    /// The index, along the one dimension folded, of the extreme; ties and NaN as `ArgReduce` says.
    case argFold(ArgReduceFunction, over: DimensionID)
    /// Combines into `target` (an `update` parameter) in the order of the dimensions' points, where `index` is
    /// inside; a point outside is dropped. Its kernel runs serially.
    case scatter(ScatterFunction)
  }

  /// Where the values go.
  public var target: TensorReference
  /// The element of the target, an expression per dimension of the target.
  public var index: [IndexExpression]
  /// The stage's own dimensions inside of the outer ones (without those that are folded).
  public var dimensions: [DimensionID]
  /// How the body's values become the stage's.
  public var kind: Kind
  /// The scalar computation.
  public var body: ScalarBody
  /// The graph value that this stage materializes, when it stores to a parameter.
  public var materializes: Value?
  /// The node that the stage comes from.
  public var location: Location

  /// Makes a stage.
  public init(
    target: TensorReference, index: [IndexExpression], dimensions: [DimensionID], kind: Kind,
    body: ScalarBody, materializes: Value? = nil, location: Location = .unknown
  ) {
    self.target = target
    self.index = index
    self.dimensions = dimensions
    self.kind = kind
    self.body = body
    self.materializes = materializes
    self.location = location
  }
}
