/// A fault that can be planted on purpose in one stage of the compiler, to see that `compare` finds
/// it.
///
/// A debugging aid: every stage takes an optional fault, and the one that the fault is for then
/// computes something wrong but well formed. The raw value is the name on the command line
/// (`martlet compare lenet --train --plant simplify-drops-scale`) and begins with the stage.
public enum PlantedFault: String, CaseIterable, Hashable, Sendable {
  /// `simplify` takes the product of a value and a constant for the value.
  case simplifyDropsScale = "simplify-drops-scale"
  /// `simplify` takes differences for sums.
  case simplifyFlipsSign = "simplify-flips-sign"
  /// `fold` keeps only eight bits of the significand of constants.
  case foldRounds = "fold-rounds"
  /// `cse` takes constants of one type for equal.
  case cseIgnoresLiterals = "cse-ignores-literals"
  /// Fusion leaves out the last operation of what follows a contraction in its kernel.
  case fusionDropsEpilogue = "fusion-drops-epilogue"
  /// Fusion reads the first operand of contractions at place 0 of its last dimension.
  case fusionWrongIndex = "fusion-wrong-index"
  /// The memory plan takes every buffer for half as large as it is.
  case memoryOverlap = "memory-overlap"
  /// The memory plan gives a buffer's place away after its first reader.
  case memoryEarlyFree = "memory-early-free"
  /// The schedule leaves out the points beyond the last whole tile.
  case scheduleSkipsTail = "schedule-skips-tail"
  /// The schedule starts every reduction at its second step.
  case scheduleWrongReductionStart = "schedule-wrong-reduction-start"
  /// The schedule exchanges the first two rows of a tile.
  case scheduleSwapsRows = "schedule-swaps-rows"
  /// Fused multiply-adds leave out what they add to.
  case llvmDropsAddend = "llvm-drops-addend"
  /// One coefficient of the exponential's series is wrong.
  case llvmWrongCoefficient = "llvm-wrong-coefficient"

  /// The pass or stage that the fault breaks.
  public var stage: String {
    switch self {
    case .simplifyDropsScale, .simplifyFlipsSign: "simplify"
    case .foldRounds: "fold"
    case .cseIgnoresLiterals: "cse"
    case .fusionDropsEpilogue, .fusionWrongIndex: "fusion"
    case .memoryOverlap, .memoryEarlyFree: "memory"
    case .scheduleSkipsTail, .scheduleWrongReductionStart, .scheduleSwapsRows: "schedule"
    case .llvmDropsAddend, .llvmWrongCoefficient: "llvm"
    }
  }

  /// What goes wrong, in one line.
  public var summary: String {
    switch self {
    case .simplifyDropsScale: "a product with a scalar constant is taken for the other factor"
    case .simplifyFlipsSign: "differences are taken for sums"
    case .foldRounds: "constants keep eight bits of their significand"
    case .cseIgnoresLiterals: "constants of one type are taken for equal, whatever their value"
    case .fusionDropsEpilogue: "the last operation after a contraction is left out"
    case .fusionWrongIndex: "contractions read one operand at one place only"
    case .memoryOverlap: "buffers are taken for half as large as they are"
    case .memoryEarlyFree: "a buffer's place is given away after its first reader"
    case .scheduleSkipsTail: "the points beyond the last whole tile are not computed"
    case .scheduleWrongReductionStart: "reductions leave out their first step"
    case .scheduleSwapsRows: "the sums of the first two rows of a tile are exchanged"
    case .llvmDropsAddend: "fused multiply-adds leave out what they add to"
    case .llvmWrongCoefficient: "a coefficient of the exponential is wrong"
    }
  }
}
