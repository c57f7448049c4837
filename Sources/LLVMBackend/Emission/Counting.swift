import CLLVM
import GraphIR
import LoopIR

/// A loop's counter while code for the body is made: `base + offset`, where a counter that is known lacks the base.
struct OpenCounter {
  var base: CodeValue?
  var offset: Int
  /// The number of loops around the body.
  var depth: Int
  var range: IndexRange
}

/// Loops.
extension PhaseEmitter {
  /// A loop, its body repeated `unroll` times, and what is left over after it.
  func emitLoop(
    _ counter: CounterID, from start: LoopIndex, to end: LoopIndex, step: Int, unroll: Int,
    _ body: [LoopStatement]
  ) throws(Diagnostic) {
    let (first, last) = (range(of: start), range(of: end))
    let values = LoopsBuilder.counterRange(first, last, step: step)
    if start.isConstant, end.isConstant {
      let turns = max(0, (end.constant - start.constant + step - 1) / step)
      let whole = turns > max(unroll, 1) ? turns / max(unroll, 1) * max(unroll, 1) : 0
      let middle = start.constant + whole * step
      if whole > 0 {
        _ = try emitUnrolled(
          counter, values, from: ir.constant(start.constant), to: ir.constant(middle),
          step: step, copies: max(unroll, 1), isNonempty: true, body)
      }
      for turn in 0..<(turns - whole) {
        let value = middle + turn * step
        counters[counter] = OpenCounter(
          base: nil, offset: value, depth: 0, range: IndexRange(value, value))
        try emit(body)
      }
      return
    }
    var from = try index(start)
    let to = try index(end)
    if unroll > 1 {
      let limit = ir.sub(to, ir.constant((unroll - 1) * step))
      from = try emitUnrolled(
        counter, values, from: from, to: limit, step: step, copies: unroll, isNonempty: false,
        body)
    }
    _ = try emitUnrolled(
      counter, values, from: from, to: to, step: step, copies: 1,
      isNonempty: unroll <= 1 && first.upper < last.lower, body)
  }

  /// A loop of copies of the body; gives the first value that the counter did not take.
  private func emitUnrolled(
    _ counter: CounterID, _ range: IndexRange, from start: CodeValue, to end: CodeValue,
    step: Int, copies: Int, isNonempty: Bool, _ body: [LoopStatement]
  ) throws(Diagnostic) -> CodeValue {
    let wasUnrolled = isUnrolled
    defer { isUnrolled = wasUnrolled }
    isUnrolled = copies >= 4
    return try emitLoop(from: start, to: end, step: step * copies, isNonempty: isNonempty) {
      (first: CodeValue) throws(Diagnostic) in
      for copy in 0..<copies {
        counters[counter] = OpenCounter(
          base: first, offset: copy * step, depth: depth,
          range: range)
        try emit(body)
      }
    }
  }

  /// A loop that tests at its end, behind a test of whether it runs at all.
  ///
  /// So what does not change inside is sure to be needed, and LLVM can move it out. Gives the first value that the
  /// counter did not take.
  func emitLoop(
    from start: CodeValue, to end: CodeValue, step: Int, isNonempty: Bool,
    body: (CodeValue) throws(Diagnostic) -> Void
  ) throws(Diagnostic) -> CodeValue {
    let (inside, after) = (ir.newBlock("loop"), ir.newBlock("done"))
    let before = ir.block
    if isNonempty {
      ir.branch(to: inside)
    } else {
      ir.branch(if: ir.compare(LLVMIntSLT, start, end), inside, else: after)
    }
    ir.moveToEnd(of: inside)
    let phi = ir.phi(ir.int64)
    ir.addIncoming(phi, start, from: before)
    depth += 1
    try body(phi)
    depth -= 1
    let next = ir.addWithoutOverflow(phi, ir.constant(step))
    let latch = ir.block
    ir.addIncoming(phi, next, from: latch)
    ir.branch(if: ir.compare(LLVMIntSLT, next, end), inside, else: after)
    ir.moveToEnd(of: after)
    if isNonempty { return next }
    let final = ir.phi(ir.int64)
    ir.addIncoming(final, start, from: before)
    ir.addIncoming(final, next, from: latch)
    return final
  }
}
