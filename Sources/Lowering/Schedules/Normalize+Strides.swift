import GraphIR
import LoopIR

extension Kernel {
  /// Lets sums run over those points alone whose terms are not zero because a stride does not divide them.
  ///
  /// In the gradient of a strided window an element asks for each tap t whether `(i - t) / stride` is a window; but
  /// of each `stride` taps one fits, and which is known. So t becomes `stride * step + (i mod stride)`.
  mutating func foldOverWholeStrides() {
    for place in stages.indices {
      // One dimension after the other, until no guard of this kind is left.
      while let fold = stages[place].stridedFold(extent) { foldOverWholeStrides(place, fold) }
    }
  }

  private mutating func foldOverWholeStrides(_ place: Int, _ fold: StridedFold) {
    let extent = extent(fold.id)
    let name = dimensions[fold.id.index].name
    let step = addDimension(name, ceilingQuotient(extent, fold.stride))
    let bounds = bounds
    // dividend = sign * t + rest, and the stride divides it where t is what is missing, and steps of the stride.
    let missing =
      (fold.sign > 0 ? fold.rest * -1 : fold.rest).remainder(by: fold.stride, in: bounds)
    let tap = IndexExpression.dimension(step) * fold.stride + missing
    let whole =
      fold.sign > 0
      ? (fold.rest + IndexExpression(constant: fold.stride - 1)).quotient(
        by: fold.stride, in: bounds) + .dimension(step)
      : fold.rest.quotient(by: fold.stride, in: bounds) - .dimension(step)
    // The last steps may lead beyond the taps.
    let beyond = tap.quotient(by: extent, in: bounds)
    stages[place].body.mapExpressions { index in
      if index == fold.remainder { return beyond }
      return index.replacing(
        in: bounds,
        [
          .dimension(fold.id): tap, .quotient(fold.dividend, fold.stride): whole,
          .remainder(fold.dividend, fold.stride): 0,
        ])
    }
    guard case .fold(let function, let over) = stages[place].kind else { return }
    stages[place].kind = .fold(function, over: over.map { $0 == fold.id ? step : $0 })
    let bodyBounds = self.bounds
    stages[place].body.dropGuards(in: bodyBounds)
  }
}

/// A folded dimension of which only every so many points count.
private struct StridedFold {
  var id: DimensionID
  /// What the stride has to divide: `sign * id + rest`.
  var dividend: IndexExpression
  var sign: Int
  var rest: IndexExpression
  var stride: Int

  /// What the guard asks to be 0.
  var remainder: IndexExpression { IndexExpression(.remainder(dividend, stride)) }
}

extension KernelStage {
  /// A dimension of a sum whose terms are zero where a stride does not divide an index; nil when there is none.
  ///
  /// - Parameter extent: of a dimension.
  fileprivate func stridedFold(_ extent: (DimensionID) -> Int) -> StridedFold? {
    guard case .fold(.sum, let over) = kind else { return nil }
    for expression in body.neededZeros {
      guard expression.constant == 0, expression.terms.count == 1,
        expression.terms[0].coefficient == 1,
        case .remainder(let dividend, let stride) = expression.terms[0].atom
      else { continue }
      for id in over {
        guard case .affine(let sign) = dividend.dependence(on: id, varying: { _ in true }),
          abs(sign) == 1
        else { continue }
        // A step beyond the taps must not read anything.
        guard extent(id) % stride == 0 || body.guardsLoads(along: id, by: expression) else {
          continue
        }
        let rest = dividend - IndexExpression.dimension(id) * sign
        return StridedFold(id: id, dividend: dividend, sign: sign, rest: rest, stride: stride)
      }
    }
    return nil
  }
}

extension ScalarBody {
  /// The expressions that have to be 0 wherever the value is not zero.
  fileprivate var neededZeros: [IndexExpression] {
    guard let last = instructions.last else { return [] }
    switch last.operation {
    case .load(_, _, let guards):
      guard let otherwise = last.operands.first, isZero(otherwise) else { return [] }
      return guards.filter { $0.extent == 1 }.map(\.expression)
    case .select:
      return isZero(last.operands[2]) ? conditions(of: last.operands[0]) : []
    case .constant, .index, .unary, .binary, .compare, .clamp, .convert, .random: return []
    }
  }

  /// Whether every load that depends on a dimension has a guard on an expression.
  fileprivate func guardsLoads(along id: DimensionID, by expression: IndexExpression) -> Bool {
    instructions.allSatisfy { instruction in
      guard case .load(_, let index, let guards) = instruction.operation else { return true }
      return index.allSatisfy { $0.dependence(on: id) == .affine(0) }
        || guards.contains { $0.expression == expression }
    }
  }

  private func isZero(_ place: Int) -> Bool { instructions[place].operation == .constant(0) }

  /// The indices that a condition, made of several, wants to be below 1; they are not negative.
  private func conditions(of place: Int) -> [IndexExpression] {
    let instruction = instructions[place]
    switch instruction.operation {
    case .binary(.and):
      return conditions(of: instruction.operands[0]) + conditions(of: instruction.operands[1])
    case .compare(.less):
      guard case .index(let index) = instructions[instruction.operands[0]].operation,
        instructions[instruction.operands[1]].operation == .constant(1),
        instructions[instruction.operands[1]].dtype.isInteger
      else { return [] }
      return [index]
    case .constant, .index, .load, .unary, .binary, .compare, .select, .clamp, .convert, .random:
      return []
    }
  }

  /// Drops guards that always hold.
  fileprivate mutating func dropGuards(in bounds: IndexBounds) {
    for place in instructions.indices {
      guard case .load(let tensor, let index, let guards) = instructions[place].operation else {
        continue
      }
      let needed = guards.filter { $0.verdict(in: bounds) != true }
      instructions[place].operation = .load(tensor, index, guards: needed)
    }
  }
}

extension IndexExpression {
  /// Replaces atoms, those inside of quotients and remainders too, and simplifies what contains them.
  fileprivate func replacing(
    in bounds: IndexBounds, _ replacements: [Atom: IndexExpression]
  ) -> IndexExpression {
    var result = IndexExpression(constant: constant)
    for term in terms {
      let atom: IndexExpression
      if let replacement = replacements[term.atom] {
        atom = replacement
      } else {
        switch term.atom {
        case .dimension, .instruction: atom = IndexExpression(term.atom)
        case .quotient(let inner, let divisor):
          atom = inner.replacing(in: bounds, replacements).quotient(by: divisor, in: bounds)
        case .remainder(let inner, let divisor):
          atom = inner.replacing(in: bounds, replacements).remainder(by: divisor, in: bounds)
        }
      }
      result = result + atom * term.coefficient
    }
    return result
  }
}
