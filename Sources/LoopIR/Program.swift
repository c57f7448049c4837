import GraphIR

/// A buffer of a program, by its place in `Program.buffers`.
public struct BufferID: Hashable, Sendable, Comparable {
  /// The place in `Program.buffers`.
  public let index: Int
  /// Names the buffer at a place.
  public init(_ index: Int) { self.index = index }
  /// Earlier buffers are smaller.
  public static func < (a: BufferID, b: BufferID) -> Bool { a.index < b.index }
}

/// What runs: kernels in order, the buffers between them, and where these lie.
public struct Program: Hashable, Sendable {
  /// The graph's name.
  public var name: String
  /// The tensors in memory.
  public var buffers: [ProgramBuffer]
  /// The kernels, each once however often it is launched.
  public var kernels: [Kernel]
  /// What runs once before the first run: constant subgraphs too large to fold, and the packing of constant operands.
  public var prologue: [Launch]
  /// What runs, in order.
  public var launches: [Launch]
  /// The buffer of each of the graph's inputs.
  public var inputs: [BufferID]
  /// The buffer of each of the graph's outputs; a donated input's output has the input's buffer.
  public var outputs: [BufferID]
  /// The size of the arena, in bytes.
  public var arenaBytes: Int
  /// The largest sum of the bytes of arena buffers live at one launch: no plan needs less.
  public var lowerBoundBytes: Int

  /// Makes a program without a plan.
  public init(name: String) {
    self.name = name
    buffers = []
    kernels = []
    prologue = []
    launches = []
    inputs = []
    outputs = []
    arenaBytes = 0
    lowerBoundBytes = 0
  }
}

/// A tensor in memory.
public struct ProgramBuffer: Hashable, Sendable {
  /// Where a buffer lies.
  public enum Placement: Hashable, Sendable {
    /// In the caller's memory for input i.
    case input(Int)
    /// In the caller's memory for output i.
    case output(Int)
    /// In the executable: data that never changes.
    case constant(Literal)
    /// In the executable, written by the prologue.
    case persistent
    /// In the executable, written by the prologue: constants in the order in which a kernel reads them.
    case packed
    /// In the arena, at a byte offset that is a multiple of 64.
    case arena(offset: Int)
  }
  /// The type.
  public var type: TensorType
  /// Where it lies.
  public var placement: Placement
  /// The graph value that it holds first.
  public var value: Value?
  /// Makes a buffer.
  public init(_ type: TensorType, _ placement: Placement, value: Value? = nil) {
    self.type = type
    self.placement = placement
    self.value = value
  }
}

/// One run of a kernel on buffers.
public struct Launch: Hashable, Sendable {
  /// The kernel, by its place in `Program.kernels`.
  public var kernel: Int
  /// The buffer of each of the kernel's parameters.
  public var arguments: [BufferID]
  /// For each of the kernel's parameters the graph value it holds (optimized graph); nil when it holds none.
  public var values: [Value?]
  /// The node that the launch comes from, for profiles and messages.
  public var location: Location
  /// Makes a launch.
  public init(kernel: Int, arguments: [BufferID], values: [Value?], location: Location) {
    self.kernel = kernel
    self.arguments = arguments
    self.values = values
    self.location = location
  }
}
