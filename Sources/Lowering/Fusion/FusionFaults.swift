import GraphIR
import LoopIR

extension Kernel {
  /// Breaks a kernel that contains a contraction, when the fault is one of fusion's.
  mutating func plant(_ fault: PlantedFault) {
    guard let contraction = stages.firstIndex(where: { $0.isContraction }) else { return }
    if fault == .fusionWrongIndex { stages[contraction].readFirstOperandAtZero() }
    guard fault == .fusionDropsEpilogue else { return }
    for place in stages.indices where place > contraction { stages[place].dropLastOperation() }
  }
}

extension KernelStage {
  fileprivate var isContraction: Bool {
    guard case .fold(.sum, _) = kind else { return false }
    return body.instructions.last?.operation == .binary(.multiply)
  }

  fileprivate mutating func readFirstOperandAtZero() {
    for (place, instruction) in body.instructions.enumerated() {
      guard case .load(let source, var index, let guards) = instruction.operation,
        let last = index.lastIndex(where: { $0.asConstant == nil })
      else { continue }
      index[last] = 0
      body.instructions[place].operation = .load(source, index, guards: guards)
      return
    }
  }

  /// Gives the first operand of the last operation instead of its result.
  fileprivate mutating func dropLastOperation() {
    guard let last = body.instructions.last,
      let operand = last.operands.first(where: { body.instructions[$0].dtype == last.dtype })
    else { return }
    if case .load = last.operation { return }
    body.instructions[body.instructions.count - 1] = ScalarInstruction(
      .binary(last.dtype == .bool ? .or : .maximum), [operand, operand], last.dtype)
  }
}
