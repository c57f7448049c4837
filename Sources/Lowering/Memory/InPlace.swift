import GraphIR
import LoopIR

extension Kernel {
  /// Whether an input and an output may be one memory: every element of the input is read where the output's same
  /// element is written, at one point of the outer dimensions, and not after that.
  package func canShareMemory(input: Int, output: Int) -> Bool {
    let (source, target) = (parameters[input], parameters[output])
    guard source.role == .input, target.role == .output, source.type.dtype == target.type.dtype,
      source.type.shape.elementCount == target.type.shape.elementCount,
      let store = stages.firstIndex(where: { $0.target == .parameter(output) }),
      stages[store].dimensions.isEmpty
    else { return false }
    let place = IndexExpression.linear(
      stages[store].index, in: target.type.shape, bounds: bounds)
    for (number, stage) in stages.enumerated() {
      for instruction in stage.body.instructions {
        guard case .load(.parameter(input), let index, _) = instruction.operation else { continue }
        let from = IndexExpression.linear(index, in: source.type.shape, bounds: bounds)
        if from != place || number > store { return false }
      }
    }
    return true
  }
}
