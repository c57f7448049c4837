import GraphIR
import LoopIR

/// A kernel as loops, with the copies of constant operands that it reads set apart: these run once.
package struct KernelSchedule: Sendable {
  /// A copy of constant operands in the order in which the kernel reads them.
  package struct Packing: Sendable {
    /// What is copied: its last parameter is the copy.
    package var kernel: Kernel
    package var loops: Loops
    /// For each other parameter of the copying kernel that of the whole one.
    package var inputs: [Int]
  }

  /// What a parameter of the kernel that runs each time is.
  package enum Source: Hashable, Sendable {
    /// A parameter of the whole kernel.
    case parameter(Int)
    /// A copy, by its place in `packings`.
    case packing(Int)
  }

  /// The copies.
  package private(set) var packings: [Packing] = []
  /// What runs each time: the whole kernel where there are no copies.
  package private(set) var kernel: Kernel
  package private(set) var loops: Loops
  /// What its parameters are.
  package private(set) var sources: [Source]

  /// Schedules a kernel.
  ///
  /// - Throws: what is wrong with a malformed kernel.
  package init(
    _ kernel: Kernel, for target: Target, options: ScheduleOptions = ScheduleOptions()
  ) throws(Diagnostic) {
    self.kernel = kernel
    sources = kernel.parameters.indices.map { .parameter($0) }
    let flat = normalize(kernel)
    let all = candidates(flat, target, atMost: 1)[0].pieces
    let once = all.filter { $0.isConstant(beyond: flat.parameters.count) }
    guard !once.isEmpty, once.count < all.count else {
      loops = try Lowering.loops(flat, all, target, options)
      return
    }
    let rest = all.filter { !$0.isConstant(beyond: flat.parameters.count) }
    // The memories of all phases: the parameters, then copies and other scratch.
    let memories = all.map(\.kernel.parameters).max { $0.count < $1.count } ?? []
    var copies: [Int] = []
    for piece in once {
      let copy = piece.written[0]
      let inputs = piece.read.sorted()
      var own = piece.kernel.taking(inputs + [copy])
      own.name += ".pack"
      own.parameters[inputs.count].role = .output
      for place in inputs.indices { own.parameters[place].isConstant = false }
      let loops = try Lowering.loops(flat, [piece], target, options)
      packings.append(
        Packing(
          kernel: own, loops: loops.taking(inputs + [copy], inputs: inputs.count, of: own),
          inputs: inputs))
      copies.append(copy)
    }
    let read = Set(rest.flatMap(\.read))
    let inputs = flat.parameters.indices.filter {
      flat.parameters[$0].role == .input && read.contains($0)
    }
    let others = flat.parameters.indices.filter { flat.parameters[$0].role != .input }
    let order = inputs + copies + others
    sources =
      inputs.map { .parameter($0) } + copies.indices.map { .packing($0) }
      + others.map { .parameter($0) }
    var own = flat
    own.parameters = memories
    own.stages[0].body = rest[0].wholeBody(of: flat)
    own = own.taking(order)
    for place in copies.indices {
      own.parameters[inputs.count + place].role = .input
      own.parameters[inputs.count + place].isConstant = true
    }
    self.kernel = own
    loops = try Lowering.loops(flat, rest, target, options)
      .taking(order, inputs: inputs.count + copies.count, of: own)
  }
}

extension Piece {
  /// The parameters that are read.
  fileprivate var read: Set<Int> {
    Set(
      kernel.stages.flatMap(\.body.instructions).compactMap { instruction in
        if case .load(.parameter(let place), _, _) = instruction.operation { place } else { nil }
      })
  }

  /// The parameters that are written.
  fileprivate var written: [Int] {
    kernel.stages.compactMap { if case .parameter(let place) = $0.target { place } else { nil } }
  }

  /// Whether the phase makes a copy, in scratch, of the kernel's constant parameters alone.
  ///
  /// - Parameter count: the number of the kernel's parameters; what lies beyond is scratch.
  fileprivate func isConstant(beyond count: Int) -> Bool {
    kernel.stages.count == 1 && kernel.stages[0].kind == .map && written.count == 1
      && written[0] >= count && !read.isEmpty
      && read.allSatisfy { $0 < count && kernel.isConstant(.parameter($0)) }
  }

  /// The body of the first stage, in the dimensions of the whole kernel.
  fileprivate func wholeBody(of whole: Kernel) -> ScalarBody {
    var body = kernel.stages[0].body
    body = body.slice(endingAt: body.instructions.count - 1)
    let bounds = whole.bounds
    body.mapExpressions { index in
      index.substituting(in: bounds) { atom in
        if case .dimension(let id) = atom { originals[id] } else { nil }
      }
    }
    return body
  }
}

extension Kernel {
  /// Whether a tensor is a parameter that holds the same at every run.
  func isConstant(_ tensor: TensorReference) -> Bool {
    if case .parameter(let place) = tensor { parameters[place].isConstant } else { false }
  }

  /// The kernel with some of its parameters, in another order.
  fileprivate func taking(_ places: [Int]) -> Kernel {
    var result = self
    result.parameters = places.map { parameters[$0] }
    func moved(_ tensor: TensorReference) -> TensorReference {
      guard case .parameter(let place) = tensor else { return tensor }
      return .parameter(places.firstIndex(of: place) ?? place)
    }
    for stage in stages.indices {
      result.stages[stage].target = moved(stages[stage].target)
      for (place, instruction) in stages[stage].body.instructions.enumerated() {
        guard case .load(let tensor, let index, let guards) = instruction.operation else {
          continue
        }
        result.stages[stage].body.instructions[place].operation = .load(
          moved(tensor), index, guards: guards)
      }
    }
    return result
  }
}

extension Loops {
  /// The loops with some of their memories as the parameters of a kernel; other scratch comes after these.
  ///
  /// - Parameter inputs: how many of them are only read.
  fileprivate func taking(_ places: [Int], inputs: Int, of kernel: Kernel) -> Loops {
    var used = Set<Int>()
    var result = self
    result.renumberMemories { place in
      used.insert(place)
      return place
    }
    let scratch = memories.indices.filter { used.contains($0) && !places.contains($0) }
    let order = places + scratch
    result.name = kernel.name
    result.memories = order.map { memories[$0] }
    for place in places.indices { result.memories[place].kind = place < inputs ? .input : .output }
    result.renumberMemories { place in order.firstIndex(of: place) ?? place }
    return result
  }
}
