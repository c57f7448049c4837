import GraphIR
import LoopIR

extension Program {
  /// The program with the copies of constant operands in its prologue, and the loops of all its kernels.
  ///
  /// Launches that read one constant in one order share its copy.
  ///
  /// - Parameter schedules: that of each kernel.
  /// - Throws: a failure of ours, found by the verifier.
  package func packingConstants(
    _ schedules: [KernelSchedule], fault: PlantedFault? = nil
  ) throws(Diagnostic) -> (program: Program, loops: [Loops]) {
    var packer = ConstantPacker(program: self, schedules: schedules)
    guard packer.pack() else { return (self, schedules.map(\.loops)) }
    // A planted fault is found by comparing results, not here.
    if fault == nil, var problem = packer.program.verify().first {
      problem.code = .internalError
      throw problem
    }
    return (packer.program, packer.loops)
  }
}

private struct ConstantPacker {
  var program: Program
  let schedules: [KernelSchedule]
  private(set) var loops: [Loops]
  /// The places of the copying kernels.
  private var kernels: [Kernel: Int] = [:]
  private var copies: [Copy: BufferID] = [:]
  private var names = UniqueNames()

  /// What makes two copies equal.
  private struct Copy: Hashable {
    var kernel: Int
    var inputs: [BufferID]
  }

  init(program: Program, schedules: [KernelSchedule]) {
    self.program = program
    self.schedules = schedules
    loops = schedules.map(\.loops)
    for kernel in program.kernels { _ = names.make(kernel.name) }
  }

  /// Moves the copies to the prologue; whether there are any.
  mutating func pack() -> Bool {
    for (place, schedule) in schedules.enumerated() { program.kernels[place] = schedule.kernel }
    for (place, launch) in program.launches.enumerated() {
      let schedule = schedules[launch.kernel]
      let copies = schedule.packings.map { copy($0, of: launch) }
      guard !copies.isEmpty else { continue }
      program.launches[place].arguments = schedule.sources.map { source in
        switch source {
        case .parameter(let place): launch.arguments[place]
        case .packing(let place): copies[place]
        }
      }
      program.launches[place].values = schedule.sources.map { source in
        switch source {
        case .parameter(let place): launch.values[place]
        case .packing: nil
        }
      }
    }
    return !copies.isEmpty
  }

  private mutating func copy(_ packing: KernelSchedule.Packing, of launch: Launch) -> BufferID {
    let inputs = packing.inputs.map { launch.arguments[$0] }
    let copy = Copy(kernel: place(of: packing), inputs: inputs)
    if let known = copies[copy] { return known }
    let id = BufferID(program.buffers.count)
    let parameters = program.kernels[copy.kernel].parameters
    program.buffers.append(ProgramBuffer(parameters[parameters.count - 1].type, .packed))
    program.prologue.append(
      Launch(
        kernel: copy.kernel, arguments: inputs + [id],
        values: packing.inputs.map { launch.values[$0] } + [nil], location: launch.location))
    copies[copy] = id
    return id
  }

  private mutating func place(of packing: KernelSchedule.Packing) -> Int {
    let signature = packing.kernel.withoutNames
    if let known = kernels[signature] { return known }
    var kernel = packing.kernel
    var loops = packing.loops
    kernel.name = names.make(kernel.name)
    loops.name = kernel.name
    kernels[signature] = program.kernels.count
    program.kernels.append(kernel)
    self.loops.append(loops)
    return program.kernels.count - 1
  }
}
