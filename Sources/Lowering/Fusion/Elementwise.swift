import GraphIR
import LoopIR

extension Lowerer {
  mutating func visit(_ op: Unary) throws(Diagnostic) -> [Int] {
    elementwise(.unary(op.function), label: op.function.rawValue)
  }

  mutating func visit(_ op: Binary) throws(Diagnostic) -> [Int] {
    elementwise(.binary(op.function), label: op.function.rawValue)
  }

  mutating func visit(_ op: Compare) throws(Diagnostic) -> [Int] {
    elementwise(.compare(op.function), label: op.function.rawValue)
  }

  mutating func visit(_ op: Select) throws(Diagnostic) -> [Int] {
    elementwise(.select, label: "select")
  }

  mutating func visit(_ op: Clamp) throws(Diagnostic) -> [Int] {
    elementwise(.clamp, label: "clamp")
  }

  mutating func visit(_ op: Convert) throws(Diagnostic) -> [Int] {
    operandTypes[0].dtype == op.dtype ? operands : elementwise(.convert, label: "convert")
  }
}
