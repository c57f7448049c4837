import GraphIR

/// One kernel as explicit loops over vectors: what the target executes.
///
/// It is called with the kernel's parameters. Its phases run one after the other; the tasks of a phase may run
/// at the same time in any order. Nothing else is parallel.
public struct Loops: Hashable, Sendable {
  /// The kernel's name.
  public var name: String
  /// The memory that it works on: the kernel's parameters in order, then scratch.
  public var memories: [LoopMemory]
  /// The types of the registers: each is defined once, before its uses, in a block that encloses them.
  public var registers: [LoopType]
  /// The types of the variables: mutable registers, such as accumulators; a variable is set before it is read.
  public var variables: [LoopType]
  /// The names of the counters, for printing.
  public var counters: [String]
  /// What runs, in order, with a barrier between phases.
  public var phases: [LoopPhase]

  /// Makes an empty loop nest.
  public init(name: String) {
    self.name = name
    memories = []
    registers = []
    variables = []
    counters = []
    phases = []
  }
}

/// The type of a register or variable: `lanes` elements of a dtype; 1 lane is a scalar.
public struct LoopType: Hashable, Sendable {
  /// The element type.
  public var dtype: DType
  /// The number of elements.
  public var lanes: Int
  /// Makes a type.
  public init(_ dtype: DType, lanes: Int = 1) {
    self.dtype = dtype
    self.lanes = lanes
  }
}

/// A linear piece of memory, aligned to 64 bytes.
///
/// Different memories do not overlap, but for parameters that the memory plan placed in one buffer:
/// these are read and written at equal places only.
public struct LoopMemory: Hashable, Sendable {
  /// Who owns the memory.
  public enum Kind: Hashable, Sendable {
    /// Kernel parameter, only read.
    case input
    /// Kernel parameter, written (and read, where the kernel updates).
    case output
    /// Scratch shared by all tasks of all phases of one run.
    case shared
    /// Scratch of the worker that runs a task; its content does not outlive the task.
    case worker
  }
  /// A name for printing.
  public var name: String
  /// The element type.
  public var dtype: DType
  /// The number of elements.
  public var count: Int
  /// Who owns it.
  public var kind: Kind
  /// Makes a memory.
  public init(name: String, dtype: DType, count: Int, kind: Kind) {
    self.name = name
    self.dtype = dtype
    self.count = count
    self.kind = kind
  }
}

/// Tasks that may run at the same time.
public struct LoopPhase: Hashable, Sendable {
  /// The counter that holds the task's number in the body.
  public var task: CounterID
  /// The number of tasks.
  public var taskCount: Int
  /// An estimate of the work of one task, in scalar operations: small phases run on the calling thread.
  public var workPerTask: Int
  /// What one task does.
  public var body: [LoopStatement]
  /// Makes a phase.
  public init(task: CounterID, taskCount: Int, workPerTask: Int, body: [LoopStatement]) {
    self.task = task
    self.taskCount = taskCount
    self.workPerTask = workPerTask
    self.body = body
  }
}

/// A loop counter or task number, by its place in `Loops.counters`; a 64-bit integer.
public struct CounterID: Hashable, Sendable, Comparable {
  /// The place in `Loops.counters`.
  public let index: Int
  /// Names the counter at a place.
  public init(_ index: Int) { self.index = index }
  /// Earlier counters are smaller.
  public static func < (a: CounterID, b: CounterID) -> Bool { a.index < b.index }
}

/// A register, by its place in `Loops.registers`.
public struct RegisterID: Hashable, Sendable {
  /// The place in `Loops.registers`.
  public let index: Int
  /// Names the register at a place.
  public init(_ index: Int) { self.index = index }
}

/// A variable, by its place in `Loops.variables`.
public struct VariableID: Hashable, Sendable {
  /// The place in `Loops.variables`.
  public let index: Int
  /// Names the variable at a place.
  public init(_ index: Int) { self.index = index }
}

/// A 64-bit integer computed from counters: `constant + sum of coefficient * atom`.
public struct LoopIndex: Hashable, Sendable {
  /// What a term multiplies.
  public indirect enum Atom: Hashable, Sendable {
    /// A counter.
    case counter(CounterID)
    /// The floor of an index divided by a positive constant.
    case quotient(LoopIndex, Int)
    /// The remainder, in `0 ..< divisor`, of an index divided by a positive constant.
    case remainder(LoopIndex, Int)
    /// The value of an i64 scalar register.
    case register(RegisterID)
  }
  /// `coefficient * atom`.
  public struct Term: Hashable, Sendable {
    /// What is multiplied.
    public var atom: Atom
    /// By what.
    public var coefficient: Int
    /// Makes a term.
    public init(_ atom: Atom, _ coefficient: Int) {
      self.atom = atom
      self.coefficient = coefficient
    }
  }
  /// The constant part.
  public var constant: Int
  /// The other parts.
  public var terms: [Term]
  /// Makes an index.
  public init(constant: Int = 0, terms: [Term] = []) {
    self.constant = constant
    self.terms = terms
  }
}

/// Elements of a memory.
public struct LoopAccess: Hashable, Sendable {
  /// The memory, by its place in `Loops.memories`.
  public var memory: Int
  /// The first element.
  public var offset: LoopIndex
  /// The distance between the elements of neighbouring lanes; 1 is a dense vector.
  public var stride: Int
  /// Only the first `active` lanes are touched; the others read as zero.
  ///
  /// Nil: all.
  public var active: Int?
  /// A bool register with a lane for each: where it is false, memory is not touched and the lane reads as zero.
  public var mask: RegisterID?
  /// Whether a store goes past the caches: for what is larger than they are and not read again soon.
  public var isStreamed: Bool
  /// Makes an access.
  public init(
    memory: Int, offset: LoopIndex, stride: Int = 1, active: Int? = nil, mask: RegisterID? = nil,
    isStreamed: Bool = false
  ) {
    self.memory = memory
    self.offset = offset
    self.stride = stride
    self.active = active
    self.mask = mask
    self.isStreamed = isStreamed
  }
}

/// What computes a register.
///
/// Operand types equal the result's unless said otherwise.
public enum LoopInstruction: Hashable, Sendable {
  /// Every lane holds the bits of a constant.
  case constant(UInt64)
  /// An index as an i64 scalar.
  case index(LoopIndex)
  /// `index + lane * stride` as i64 lanes.
  case lanes(LoopIndex, stride: Int)
  /// Elements of a memory of the result's dtype; one element for each lane.
  case load(LoopAccess)
  /// The elements `offset + offsets[lane]`, with i64 offsets; lanes where the mask is false read as zero.
  case gather(memory: Int, offset: LoopIndex, offsets: RegisterID, mask: RegisterID?)
  /// The current value of a variable.
  case read(VariableID)
  /// A scalar in every lane.
  case broadcast(RegisterID)
  /// Lane `lane` of a vector, as a scalar.
  case extract(RegisterID, lane: Int)
  /// A vector of lanes of two vectors of one type: lane i is lane `lanes[i]` of both in a row.
  case shuffle(RegisterID, RegisterID, lanes: [Int])
  /// All lanes of a vector combined in a fixed tree: lane i with lane i + n/2, then halves again.
  case reduceLanes(ReduceFunction, RegisterID)
  /// A function of one argument.
  case unary(UnaryFunction, RegisterID)
  /// A function of two arguments; `and`, `or` and `xor` of f32 and f64 are those of their bits.
  case binary(BinaryFunction, RegisterID, RegisterID)
  /// `a * b + c`, rounded once (floats), wrapping (integers).
  case multiplyAdd(RegisterID, RegisterID, RegisterID)
  /// A comparison of two registers of one type, as bool lanes.
  case compare(CompareFunction, RegisterID, RegisterID)
  /// Per lane: condition ? x : y.
  case select(RegisterID, RegisterID, RegisterID)
  /// From any type with the same number of lanes, as `Convert` says.
  case convert(RegisterID)
  /// Elements `index[lane]` (u64 or i64 lanes) of the random stream. Operands: seed and step as u64 scalars.
  case random(stream: Int, index: RegisterID, seed: RegisterID, step: RegisterID)
}

/// One statement.
public indirect enum LoopStatement: Hashable, Sendable {
  /// Computes a register.
  case define(RegisterID, LoopInstruction)
  /// Sets a variable to a register of its type.
  case assign(VariableID, RegisterID)
  /// Stores a register's lanes.
  case store(LoopAccess, RegisterID)
  /// Says that an element of a memory will be read soon; changes no value.
  case prefetch(memory: Int, offset: LoopIndex)
  /// Runs the body for the counter from `start` (included) to `end` (excluded) in steps; at least once is not implied.
  case loop(CounterID, start: LoopIndex, end: LoopIndex, step: Int, unroll: Int, [LoopStatement])
  /// Runs one of two bodies, by a bool scalar register.
  case conditional(RegisterID, then: [LoopStatement], otherwise: [LoopStatement])
}
