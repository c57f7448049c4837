import GraphIR
import LLVMBackend
import LoopIR
import Runtime

/// A compiled program as the cache keeps it: its plan, and for each kernel how it runs and which entry of the cache has
/// its code.
///
/// With it a start needs no pass, no fusion and no schedule.
struct ProgramImage: Hashable {
  /// A kernel without its code.
  struct KernelImage: Hashable {
    /// How a phase is split.
    struct Phase: Hashable {
      var taskCount: Int
      var workPerTask: Int
    }

    /// The entry of the cache with its code.
    var entry: CacheReference
    var phases: [Phase]
    var sharedOffsets: [Int?]
    var sharedScratchBytes: Int
    var workerScratchBytes: Int
  }

  var plan: ExecutionPlan
  var kernels: [KernelImage]

  /// The most bytes of constants that an image holds itself: more would have to be read at each start.
  private static let mostConstantBytes = 1 << 20

  /// The image of a program, when all of its code is in the cache.
  ///
  /// - Parameter constants: those that it need not hold.
  init?(
    _ plan: ExecutionPlan, _ code: [KernelCode], _ entries: [CacheReference?],
    _ constants: GraphConstants
  ) {
    let held = plan.buffers.reduce(0) { sum, buffer in
      guard case .constant(let literal) = buffer.placement, constants.place(of: literal) == nil
      else { return sum }
      return sum + literal.bytes.count
    }
    guard held <= ProgramImage.mostConstantBytes else { return nil }
    var kernels: [KernelImage] = []
    for (code, entry) in zip(code, entries) {
      guard let entry else { return nil }
      kernels.append(
        KernelImage(
          entry: entry,
          phases: code.phases.map {
            KernelImage.Phase(taskCount: $0.taskCount, workPerTask: $0.workPerTask)
          },
          sharedOffsets: code.sharedOffsets, sharedScratchBytes: code.sharedScratchBytes,
          workerScratchBytes: code.workerScratchBytes))
    }
    self.plan = plan
    self.kernels = kernels
  }

  /// The code of the kernels, given the functions of their phases.
  func code(_ library: JITLibrary) -> [KernelCode] {
    kernels.enumerated().map { place, kernel in
      KernelCode(
        phases: zip(kernel.phases, library.functions(ofKernel: place)).map {
          KernelCode.Phase(
            function: $1, taskCount: $0.taskCount, workPerTask: $0.workPerTask)
        },
        sharedOffsets: kernel.sharedOffsets, sharedScratchBytes: kernel.sharedScratchBytes,
        workerScratchBytes: kernel.workerScratchBytes, key: kernel.entry.name)
    }
  }
}

// MARK: - Bytes

extension ProgramImage {
  /// The image as bytes.
  func bytes(_ constants: GraphConstants) -> [UInt8] {
    var writer = ByteWriter()
    writer.add(kernels) { writer, kernel in
      writer.add(kernel.entry.name)
      writer.add(kernel.entry.checksum)
      writer.add(kernel.phases) {
        $0.add($1.taskCount)
        $0.add($1.workPerTask)
      }
      writer.add(kernel.sharedOffsets) { $0.add($1) }
      writer.add(kernel.sharedScratchBytes)
      writer.add(kernel.workerScratchBytes)
    }
    writer.add(plan.kernels) {
      $0.add($1.name)
      $0.add($1.flops)
      $0.add($1.bytes)
      $0.add($1.results) { $0.add($1) }
    }
    writer.add(plan.buffers) { $0.add($1, constants) }
    writer.add(plan.prologue) { $0.add($1) }
    writer.add(plan.launches) { $0.add($1) }
    writer.add(plan.inputs) { $0.add($1.index) }
    writer.add(plan.outputs) { $0.add($1.index) }
    writer.add(plan.arenaBytes)
    writer.add(plan.lowerBoundBytes)
    return writer.bytes
  }

  /// Reads an image.
  ///
  /// - Throws: when the bytes are none, or a launch names what is not there.
  init(bytes: ArraySlice<UInt8>, _ constants: GraphConstants) throws(ByteReader.Damage) {
    typealias Damage = ByteReader.Damage
    var reader = ByteReader(bytes)
    kernels = try reader.list { reader throws(Damage) in try reader.kernelImage() }
    let planned = try reader.list { reader throws(Damage) in
      ExecutionPlan.PlannedKernel(
        name: try reader.text(), flops: try reader.integer(), bytes: try reader.integer(),
        results: try reader.list { reader throws(Damage) in try reader.integer() })
    }
    let buffers = try reader.list { reader throws(Damage) in try reader.buffer(constants) }
    func launches() throws(Damage) -> [Launch] {
      try reader.list { reader throws(Damage) in
        try reader.launch(kernels: planned, buffers: buffers.count)
      }
    }
    func ids() throws(Damage) -> [BufferID] {
      try reader.list { reader throws(Damage) in try reader.bufferID(below: buffers.count) }
    }
    plan = ExecutionPlan(
      buffers: buffers, kernels: planned, prologue: try launches(), launches: try launches(),
      inputs: try ids(), outputs: try ids(), arenaBytes: try reader.integer(),
      lowerBoundBytes: try reader.integer())
    try reader.end()
    let arenaBytes = plan.arenaBytes
    let isInside = buffers.allSatisfy { buffer in
      guard case .arena(let offset) = buffer.placement else { return true }
      return offset >= 0 && offset <= arenaBytes - buffer.type.byteCount
    }
    guard kernels.count == planned.count, isInside else { throw Damage() }
  }
}

extension ByteWriter {
  fileprivate mutating func add(_ buffer: ProgramBuffer, _ constants: GraphConstants) {
    add(buffer.type)
    switch buffer.placement {
    case .input(let place):
      add(tag: 0)
      add(place)
    case .output(let place):
      add(tag: 1)
      add(place)
    case .constant(let literal):
      if let place = constants.place(of: literal) {
        add(tag: 6)
        add(place)
      } else {
        add(tag: 2)
        add(data: literal.bytes)
      }
    case .persistent:
      add(tag: 3)
    case .arena(let offset):
      add(tag: 4)
      add(offset)
    case .packed:
      add(tag: 5)
    }
    add(buffer.value.map { Int($0.index) })
  }

  fileprivate mutating func add(_ launch: Launch) {
    add(launch.kernel)
    add(launch.arguments) { $0.add($1.index) }
    add(launch.values) { $0.add($1.map { Int($0.index) }) }
    add(launch.location)
  }
}

extension ByteReader {
  fileprivate mutating func kernelImage() throws(Damage) -> ProgramImage.KernelImage {
    let entry = CacheReference(name: try text(), checksum: try text())
    let phases = try list { reader throws(Damage) in
      ProgramImage.KernelImage.Phase(
        taskCount: try reader.integer(), workPerTask: try reader.integer())
    }
    let offsets = try list { reader throws(Damage) in try reader.optionalInteger() }
    return ProgramImage.KernelImage(
      entry: entry, phases: phases, sharedOffsets: offsets, sharedScratchBytes: try integer(),
      workerScratchBytes: try integer())
  }

  fileprivate mutating func buffer(
    _ constants: GraphConstants
  ) throws(Damage) -> ProgramBuffer {
    let type = try type()
    let placement: ProgramBuffer.Placement
    switch try tag() {
    case 0: placement = .input(try integer())
    case 1: placement = .output(try integer())
    case 2:
      guard let literal = Literal(type, bytes: try data()) else { throw Damage() }
      placement = .constant(literal)
    case 3: placement = .persistent
    case 4: placement = .arena(offset: try integer())
    case 5: placement = .packed
    case 6:
      let place = try integer()
      guard constants.literals.indices.contains(place),
        let literal = Literal(type, bytes: constants.literals[place].bytes)
      else { throw Damage() }
      placement = .constant(literal)
    default: throw Damage()  // number
    }
    return ProgramBuffer(type, placement, value: try value())
  }

  private mutating func value() throws(Damage) -> Value? {
    guard let number = try optionalInteger() else { return nil }
    guard UInt32(exactly: number) != nil else { throw Damage() }
    return Value(number)
  }

  fileprivate mutating func bufferID(below count: Int) throws(Damage) -> BufferID {
    let place = try integer()
    guard (0..<count).contains(place) else { throw Damage() }
    return BufferID(place)
  }

  fileprivate mutating func launch(
    kernels: [ExecutionPlan.PlannedKernel], buffers: Int
  ) throws(Damage) -> Launch {
    let kernel = try integer()
    guard kernels.indices.contains(kernel) else { throw Damage() }
    let arguments = try list { reader throws(Damage) in try reader.bufferID(below: buffers) }
    guard kernels[kernel].results.allSatisfy(arguments.indices.contains) else { throw Damage() }
    let values = try list { reader throws(Damage) in try reader.value() }
    return Launch(kernel: kernel, arguments: arguments, values: values, location: try location())
  }
}
