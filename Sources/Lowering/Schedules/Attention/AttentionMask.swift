import GraphIR
import LoopIR

extension Attention {
  /// How far after its own place a row sees keys, where the scores of all later ones are -infinity; nil when
  /// every row may see every key, or some row sees none.
  ///
  /// A key that is not seen weighs nothing: the exponential of its score is zero, and so are all products with it. This
  /// holds for finite factors; what a key holds that is not seen is left out even where it is infinite or NaN.
  var lastSeenKey: Int? {
    var hidden: [Int: Int] = [:]
    var vanishing: Set<Int> = []
    for (place, role) in roles.enumerated() {
      let stage = kernel.stages[place]
      guard case .local(let target) = stage.target else { continue }
      switch role {
      case .scores, .rowValue, .rowProduct, .keyProduct, .result: break
      case .elements:
        if let last = lastSeenKey(of: stage.body) {
          hidden[target] = last
        } else if stage.body.vanishes(hidden: Set(hidden.keys), vanishing) {
          vanishing.insert(target)
        } else if stage.localsRead.contains(where: { hidden[$0] != nil }) {
          return nil
        }
      case .rowFold(let function):
        let isHidden =
          stage.body.instructions.count == 1
          && stage.localsRead.contains { hidden[$0] != nil }
        let isUnmoved =
          function == .max && isHidden
          || function == .sum && stage.body.vanishes(hidden: [], vanishing)
        if !isUnmoved { return nil }
      }
    }
    for role in roles {
      switch role {
      case .rowProduct(let product), .keyProduct(let product):
        if !vanishing.contains(product.matrix) { return nil }
      case .scores, .elements, .rowFold, .rowValue, .result: break
      }
    }
    // A row that sees no key has no number for a result, and gives none to any key.
    return hidden.values.max().flatMap { $0 >= 0 ? $0 : nil }
  }

  /// The last key, counted from the row's own place, for which a body may be more than -infinity.
  private func lastSeenKey(of body: ScalarBody) -> Int? {
    guard var place = body.instructions.indices.last else { return nil }
    while body.instructions[place].operation == .convert, body.instructions[place].dtype.isFloat {
      place = body.instructions[place].operands[0]
    }
    let instruction = body.instructions[place]
    switch instruction.operation {
    case .binary(.add):
      return instruction.operands.lazy.compactMap { lastSeenKey(ofChoice: $0, body) }.first
    case .select:
      return lastSeenKey(ofChoice: place, body)
    default:
      return nil
    }
  }

  /// The same for a choice between a value and -infinity, by the places of key and row.
  private func lastSeenKey(ofChoice place: Int, _ body: ScalarBody) -> Int? {
    let instruction = body.instructions[place]
    guard instruction.operation == .select,
      body.instructions[instruction.operands[2]].isNegativeInfinity,
      case let condition = body.instructions[instruction.operands[0]],
      case .compare(let function) = condition.operation,
      let left = body.smallIndex(condition.operands[0], in: kernel),
      let right = body.smallIndex(condition.operands[1], in: kernel)
    else { return nil }
    // The key is at most the row and a constant.
    let isKeyFirst: Bool
    let surplus: Int
    switch function {
    case .lessEqual: (isKeyFirst, surplus) = (true, 0)
    case .less: (isKeyFirst, surplus) = (true, 1)
    case .greaterEqual: (isKeyFirst, surplus) = (false, 0)
    case .greater: (isKeyFirst, surplus) = (false, 1)
    case .equal, .notEqual: return nil
    }
    let difference = isKeyFirst ? left - right : right - left
    let counters = IndexExpression.dimension(key) - .dimension(row)
    return (difference - counters).asConstant.map { -$0 - surplus }
  }
}

extension ScalarInstruction {
  /// Whether the instruction is -infinity.
  fileprivate var isNegativeInfinity: Bool {
    guard case .constant(let bits) = operation, dtype.isFloat else { return false }
    return bits == ReduceFunction.max.identity(dtype)
  }
}

extension ScalarBody {
  /// The index that an instruction gives as a number, or a sum of such and constants, where it fits the number's type.
  fileprivate func smallIndex(_ place: Int, in kernel: Kernel) -> IndexExpression? {
    let instruction = instructions[place]
    guard instruction.dtype.isInteger, instruction.dtype.bitCount >= 32 else { return nil }
    var index: IndexExpression?
    switch instruction.operation {
    case .index(let own):
      index = own
    case .constant(let bits):
      let unused = 64 - instruction.dtype.bitCount
      index = IndexExpression(constant: Int(truncatingIfNeeded: bits << unused) >> unused)
    case .binary(.add), .binary(.subtract):
      guard let left = smallIndex(instruction.operands[0], in: kernel),
        let right = smallIndex(instruction.operands[1], in: kernel)
      else { return nil }
      index = instruction.operation == .binary(.add) ? left + right : left - right
    default:
      return nil
    }
    let isSigned = instruction.dtype.category == .signed
    guard let index, let range = index.range(in: kernel.bounds), range.upperBound < 1 << 30,
      range.lowerBound >= (isSigned ? -(1 << 30) : 0)
    else { return nil }
    return index
  }

  /// Whether the value is zero where scores are -infinity: the exponential of such a score less a value of the row,
  /// or a product with what is zero there.
  fileprivate func vanishes(hidden: Set<Int>, _ vanishing: Set<Int>) -> Bool {
    var isHidden: [Bool] = []
    var isZero: [Bool] = []
    for instruction in instructions {
      let operands = instruction.operands
      switch instruction.operation {
      case .load(.local(let local), _, _):
        isHidden.append(hidden.contains(local))
        isZero.append(vanishing.contains(local))
      case .binary(.subtract):
        isHidden.append(isHidden[operands[0]] && !isHidden[operands[1]])
        isZero.append(isZero[operands[0]] && isZero[operands[1]])
      case .unary(.exp):
        isZero.append(isHidden[operands[0]])
        isHidden.append(false)
      case .binary(.multiply):
        isHidden.append(false)
        isZero.append(operands.contains { isZero[$0] })
      case .binary(.divide), .convert:
        isHidden.append(
          instruction.operation == .convert && instruction.dtype.isFloat && isHidden[operands[0]])
        isZero.append(isZero[operands[0]])
      case .select:
        isHidden.append(false)
        isZero.append(isZero[operands[1]] && isZero[operands[2]])
      case .constant(let bits):
        isHidden.append(false)
        isZero.append(bits == 0)
      default:
        isHidden.append(false)
        isZero.append(false)
      }
    }
    return isZero.last ?? false
  }
}
