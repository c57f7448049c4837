import GraphIR
import LoopIR

/// A factor of a contraction, copied so that the products read it from front to back: panels as wide as the register
/// tile, in each the steps of the reduction one after the other, padded at the end.
struct Panels {
  let kernel: Kernel
  /// The factor.
  let factor: Int
  /// The dimension along which panels are wide.
  let along: DimensionID
  /// The elements of a row of a panel.
  let width: Int
  /// The copy's name.
  let name: String
  /// The dimensions besides that one on which the factor depends, in the order of the panels' layout: those of several
  /// panels, and those within one.
  private let (outer, reduced): ([DimensionID], [DimensionID])
  /// Of dimensions of several panels how many points the copy holds, where it is that of a task.
  private let parts: [DimensionID: Int]

  private var body: ScalarBody { kernel.stages[0].body }
  private var extent: Int { kernel.extent(along) }

  /// The panels of the columns.
  ///
  /// - Parameter parts: how many points of batch dimensions a task has that copies the panels for itself.
  static func columns(
    of contraction: Contraction, width: Int, parts: [DimensionID: Int] = [:]
  ) -> Panels {
    Panels(
      contraction, contraction.column, along: contraction.vector, contraction.batch, width,
      PackedCopy.panels, parts)
  }

  /// The panels of the rows along the first row dimension.
  static func rows(of contraction: Contraction, width: Int) -> Panels {
    let others = contraction.rows.dropFirst().reversed()
    return Panels(
      contraction, contraction.row, along: contraction.rows[0], contraction.batch + others, width,
      PackedCopy.rows)
  }

  private init(
    _ contraction: Contraction, _ factor: Int, along: DimensionID, _ outer: [DimensionID],
    _ width: Int, _ name: String, _ parts: [DimensionID: Int] = [:]
  ) {
    kernel = contraction.kernel
    self.factor = factor
    self.along = along
    self.width = width
    self.name = name
    self.parts = parts
    let body = contraction.fold.body
    func used(_ list: [DimensionID]) -> [DimensionID] {
      list.filter { body.varying(with: $0)[factor] }
    }
    (self.outer, reduced) = (used(outer), used(contraction.reduced))
  }

  /// The kernel that copies, and the contraction that reads the copy; both have the copy as their last parameter.
  func kernels() -> (packing: Kernel, packed: Kernel) {
    let panels = ceilingQuotient(extent, width)
    let dtype = body.instructions[factor].dtype
    let several = outer.reduce(1) { $0 * (parts[$1] ?? kernel.extent($1)) }
    let count = several * panels * kernel.points(reduced) * width
    var packed = kernel
    packed.parameters.append(
      KernelParameter(name: name, type: TensorType(dtype, [count]), role: .update))
    let copy = TensorReference.parameter(packed.parameters.count - 1)

    var packing = packed
    packing.stages = []
    packing.locals = []
    let panel = packing.addDimension("panel", panels)
    let lane = packing.addDimension("lane", width)
    packing.outer = outer + [panel] + reduced + [lane]
    let place = IndexExpression.dimension(panel) * width + .dimension(lane)
    var slice = body.slice(endingAt: factor)
    if extent % width != 0 {
      slice.guardLoads(IndexGuard(.dimension(along), below: extent))
    }
    let bounds = packing.bounds
    let original = IndexExpression.Atom.dimension(along)
    slice.mapExpressions { $0.substituting(in: bounds) { $0 == original ? place : nil } }
    packing.stages = [
      KernelStage(
        target: copy,
        index: [self.place(.dimension(panel), .dimension(lane), in: packing, panels: panels)],
        dimensions: [], kind: .map, body: slice, location: kernel.stages[0].location)
    ]

    let own = IndexExpression.dimension(along)
    let index = self.place(
      own.quotient(by: width, in: packed.bounds), own.remainder(by: width, in: packed.bounds),
      in: packed, panels: panels)
    packed.stages[0].body.instructions[factor] = ScalarInstruction(
      .load(copy, [index], guards: []), [], dtype)
    packed.stages[0].body.clearUnused()
    return (packing, packed)
  }

  /// The place of an element in the panels.
  private func place(
    _ panel: IndexExpression, _ lane: IndexExpression, in kernel: Kernel, panels: Int
  ) -> IndexExpression {
    var place: IndexExpression = 0
    for id in outer {
      let own = IndexExpression.dimension(id)
      place =
        parts[id].map { place * $0 + own.remainder(by: $0, in: kernel.bounds) }
        ?? place * kernel.extent(id) + own
    }
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
