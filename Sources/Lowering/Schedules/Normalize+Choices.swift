import GraphIR
import LoopIR

extension Kernel {
  /// Lets folds take a term as it is where it is chosen over zero under conditions without which its loads give zero.
  ///
  /// What is left may be a product, which is added in one operation; and where a guard is known to fail, nothing is.
  mutating func dropImpliedChoices() {
    for place in stages.indices where !stages[place].folded.isEmpty {
      guard let value = stages[place].body.impliedChoice(in: bounds) else { continue }
      stages[place].body = stages[place].body.slice(endingAt: value)
    }
  }
}

/// A condition of a choice: the expression is not negative, or is below a limit.
private struct ChoiceCondition {
  var expression: IndexExpression
  /// What the expression stays below; nil: it is not negative.
  var limit: Int?

  /// Whether it always holds.
  func holds(in bounds: IndexBounds) -> Bool {
    guard let range = expression.range(in: bounds) else { return false }
    return limit.map { range.upperBound < $0 } ?? (range.lowerBound >= 0)
  }

  /// Whether a guard fails where it does.
  func isImplied(by other: IndexGuard) -> Bool {
    other.expression == expression && (limit.map { other.extent <= $0 } ?? true)
  }
}

extension ScalarBody {
  /// The value that the last instruction chooses over zero, where it is zero anyway when the condition fails.
  fileprivate func impliedChoice(in bounds: IndexBounds) -> Int? {
    guard let last = instructions.last, last.operation == .select, isZero(last.operands[2]),
      let conditions = choiceConditions(of: last.operands[0]),
      conditions.allSatisfy({ $0.holds(in: bounds) || isZero(last.operands[1], without: $0) })
    else { return nil }
    return last.operands[1]
  }

  private func isZero(_ place: Int) -> Bool { instructions[place].operation == .constant(0) }

  /// Whether an instruction is a constant whose product with zero is zero, and not -0.
  func keepsZero(_ place: Int) -> Bool {
    guard case .constant(let bits) = instructions[place].operation else { return false }
    let dtype = instructions[place].dtype
    guard dtype.isFloat else { return true }
    // Below infinity as numbers, which order the bits of what is not negative.
    return bits < ReduceFunction.min.identity(dtype)
  }

  /// Whether an instruction gives zero where a condition fails.
  private func isZero(_ place: Int, without condition: ChoiceCondition) -> Bool {
    let operands = instructions[place].operands
    switch instructions[place].operation {
    case .constant(let bits):
      return bits == 0
    case .load(_, _, let guards):
      return operands.first.map(isZero) ?? false && guards.contains(where: condition.isImplied)
    case .binary(let function):
      return function == .multiply && operands.contains { isZero($0, without: condition) }
        && operands.allSatisfy { isZero($0, without: condition) || keepsZero($0) }
    case .select:
      return operands.dropFirst().allSatisfy { isZero($0, without: condition) }
    case .convert:
      return isZero(operands[0], without: condition)
    case .index, .unary, .compare, .clamp, .random:
      return false
    }
  }

  /// The conditions that a bool, made of several, is the conjunction of; nil where it is made of others.
  private func choiceConditions(of place: Int) -> [ChoiceCondition]? {
    let (operation, operands) = (instructions[place].operation, instructions[place].operands)
    switch operation {
    case .binary(let function):
      guard function == .and, let first = choiceConditions(of: operands[0]),
        let second = choiceConditions(of: operands[1])
      else { return nil }
      return first + second
    case .compare(let function):
      guard case .index(let expression) = instructions[operands[0]].operation,
        instructions[operands[0]].dtype == .i64,
        case .constant(let bits) = instructions[operands[1]].operation
      else { return nil }
      let value = Int(truncatingIfNeeded: bits)
      switch function {
      case .less: return [ChoiceCondition(expression: expression, limit: value)]
      case .greaterEqual:
        return value == 0 ? [ChoiceCondition(expression: expression, limit: nil)] : nil
      case .equal, .notEqual, .lessEqual, .greater: return nil
      }
    case .constant, .index, .load, .unary, .select, .clamp, .convert, .random:
      return nil
    }
  }
}
