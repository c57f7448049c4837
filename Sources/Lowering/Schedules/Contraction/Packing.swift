import GraphIR
import LoopIR

/// The column factor of a contraction, copied so that the products read it from front to back: panels as wide as
/// the register tile, in each the steps of the reduction one after the other, padded at the end.
struct Panels {
  let contraction: Contraction
  /// The elements of a row of a panel.
  let width: Int

  private var kernel: Kernel { contraction.kernel }
  private var body: ScalarBody { contraction.fold.body }

  /// The dimensions besides the vector dimension that the factor depends on, in the order of the panels' layout.
  private func layout(of kernel: Kernel) -> (batch: [DimensionID], reduced: [DimensionID]) {
    func used(_ list: [DimensionID]) -> [DimensionID] {
      list.filter { body.varying(with: $0)[contraction.column] }
    }
    return (used(contraction.batch), used(contraction.reduced))
  }

  /// The kernel that copies, and the contraction that reads the copy; both have the copy as their last parameter.
  func kernels() -> (packing: Kernel, packed: Kernel) {
    let (batch, reduced) = layout(of: kernel)
    let panels = ceilingQuotient(contraction.extent, width)
    let dtype = body.instructions[contraction.column].dtype
    let count = kernel.points(batch) * panels * kernel.points(reduced) * width
    var packed = kernel
    packed.parameters.append(
      KernelParameter(name: PackedCopy.panels, type: TensorType(dtype, [count]), role: .update))
    let copy = TensorReference.parameter(packed.parameters.count - 1)

    var packing = packed
    packing.stages = []
    packing.locals = []
    let panel = packing.addDimension("panel", panels)
    let lane = packing.addDimension("lane", width)
    packing.outer = batch + [panel] + reduced + [lane]
    let column = IndexExpression.dimension(panel) * width + .dimension(lane)
    var slice = body.slice(endingAt: contraction.column)
    if contraction.extent % width != 0 {
      slice.guardLoads(IndexGuard(.dimension(contraction.vector), below: contraction.extent))
    }
    let bounds = packing.bounds
    let vector = IndexExpression.Atom.dimension(contraction.vector)
    slice.mapExpressions { $0.substituting(in: bounds) { $0 == vector ? column : nil } }
    packing.stages = [
      KernelStage(
        target: copy,
        index: [
          place(batch, .dimension(panel), reduced, .dimension(lane), in: packing, panels: panels)
        ],
        dimensions: [], kind: .map, body: slice, location: contraction.fold.location)
    ]

    let own = IndexExpression.dimension(contraction.vector)
    let index = place(
      batch, own.quotient(by: width, in: packed.bounds), reduced,
      own.remainder(by: width, in: packed.bounds), in: packed, panels: panels)
    packed.stages[0].body.instructions[contraction.column] = ScalarInstruction(
      .load(copy, [index], guards: []), [], dtype)
    packed.stages[0].body.clearUnused()
    return (packing, packed)
  }

  /// The place of an element in the panels.
  private func place(
    _ batch: [DimensionID], _ panel: IndexExpression, _ reduced: [DimensionID],
    _ lane: IndexExpression, in kernel: Kernel, panels: Int
  ) -> IndexExpression {
    var place: IndexExpression = 0
    for id in batch { place = place * kernel.extent(id) + .dimension(id) }
    place = place * panels + panel
    for id in reduced { place = place * kernel.extent(id) + .dimension(id) }
    return place * width + lane
  }
}

extension ScalarBody {
  /// Makes zeros of the instructions that the last one does not need; all keep their places.
  fileprivate mutating func clearUnused() {
    for (place, isNeeded) in needed(by: instructions.count - 1).enumerated() where !isNeeded {
      instructions[place] = ScalarInstruction(.constant(0), [], instructions[place].dtype)
    }
  }

  /// Adds a guard to every load from memory; what is read where it fails does not matter.
  mutating func guardLoads(_ condition: IndexGuard) {
    var places: [Int: Int] = [:]
    var guarded = ScalarBody()
    for (place, instruction) in instructions.enumerated() {
      var copy = instruction
      copy.operands = instruction.operands.map { places[$0] ?? 0 }
      if case .load(.parameter(let memory), let index, let guards) = instruction.operation {
        if copy.operands.isEmpty {
          guarded.instructions.append(ScalarInstruction(.constant(0), [], instruction.dtype))
          copy.operands = [guarded.instructions.count - 1]
        }
        copy.operation = .load(.parameter(memory), index, guards: guards + [condition])
      }
      places[place] = guarded.instructions.count
      guarded.instructions.append(copy)
    }
    guarded.mapExpressions { $0.renumberingInstructions(places) }
    self = guarded
  }
}
