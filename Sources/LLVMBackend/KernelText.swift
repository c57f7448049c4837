import CLLVM
import GraphIR
import LoopIR

/// What LLVM makes of one kernel, for dumps and tests.
package enum KernelText {
  /// The optimized LLVM IR.
  package static func llvm(_ loops: Loops, options: CodeOptions) throws(Diagnostic) -> String {
    let module = try CodeModule(loops, symbol: loops.name, options: options)
    return module.text()
  }

  /// Assembly.
  package static func assembly(_ loops: Loops, options: CodeOptions) throws(Diagnostic) -> String {
    let module = try CodeModule(loops, symbol: loops.name, options: options)
    return try module.assembly()
  }

  /// The names that the object file uses and does not define.
  ///
  /// Code that can be linked has none.
  package static func undefinedSymbols(
    _ loops: Loops, options: CodeOptions
  ) throws(Diagnostic) -> [String] {
    let module = try CodeModule(loops, symbol: loops.name, options: options)
    return try module.object().undefinedSymbols()
  }
}
