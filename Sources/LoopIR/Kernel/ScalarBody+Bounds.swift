import GraphIR

extension ScalarBody {
  /// The values that integer instructions can take, as far as constants, indices and clamps tell.
  package func integerRanges(extents: [Int]) -> [Int: ClosedRange<Int>] {
    var bounds = IndexBounds(extents: extents)
    for (place, instruction) in instructions.enumerated() where instruction.dtype.isInteger {
      bounds.instructions[place] = range(of: instruction, in: bounds)
    }
    return bounds.instructions
  }

  private func range(
    of instruction: ScalarInstruction, in bounds: IndexBounds
  ) -> ClosedRange<Int>? {
    let operands = instruction.operands.map { bounds.instructions[$0] }
    switch instruction.operation {
    case .constant(let bits):
      let unused = 64 - instruction.dtype.bitCount
      let isSigned = instruction.dtype.category == .signed
      let value =
        isSigned
        ? Int((Int64(truncatingIfNeeded: bits) << unused) >> unused) : Int(exactly: bits)
      return value.map { $0...$0 }
    case .index(let index):
      return index.range(in: bounds).flatMap { fits($0, instruction.dtype) ? $0 : nil }
    case .clamp:
      guard let low = operands[0], let high = operands[2], low.lowerBound <= high.upperBound
      else { return nil }
      return low.lowerBound...high.upperBound
    case .convert:
      return operands[0].flatMap { fits($0, instruction.dtype) ? $0 : nil }
    case .load, .unary, .binary, .compare, .select, .random:
      return nil
    }
  }

  /// Whether converting keeps every number of a range.
  private func fits(_ range: ClosedRange<Int>, _ dtype: DType) -> Bool {
    switch dtype {
    case .i64: true
    case .u64: range.lowerBound >= 0
    case .i8, .i16, .i32:
      range.lowerBound >= -(1 << (dtype.bitCount - 1))
        && range.upperBound < 1 << (dtype.bitCount - 1)
    case .u8, .u16, .u32: range.lowerBound >= 0 && range.upperBound < 1 << dtype.bitCount
    case .f32, .f64, .f16, .bf16, .bool: false
    }
  }
}
