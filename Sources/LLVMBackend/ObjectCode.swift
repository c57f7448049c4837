import CLLVM
import GraphIR

/// The object file of one compiled kernel, in memory.
package struct ObjectCode: ~Copyable {
  private let buffer: LLVMMemoryBufferRef

  /// Takes over a buffer that LLVM filled.
  package init(_ buffer: LLVMMemoryBufferRef) { self.buffer = buffer }

  /// Copies the bytes of a file.
  init(copying file: ArraySlice<UInt8>) {
    buffer = file.withUnsafeBytes { bytes in
      bytes.withMemoryRebound(to: CChar.self) { characters in
        LLVMCreateMemoryBufferWithMemoryRangeCopy(
          characters.baseAddress, characters.count, "kernel")
      }
    }
  }

  deinit { LLVMDisposeMemoryBuffer(buffer) }

  /// Gives the buffer to a call that takes it over.
  consuming func release() -> LLVMMemoryBufferRef {
    let buffer = buffer
    discard self
    return buffer
  }

  /// The bytes of the file.
  func bytes() -> [UInt8] {
    Array(
      UnsafeRawBufferPointer(start: LLVMGetBufferStart(buffer), count: LLVMGetBufferSize(buffer)))
  }

  /// Refuses code that would call or read anything outside of itself.
  package func requireSelfContained(_ kernel: String) throws(Diagnostic) {
    let undefined = try undefinedSymbols()
    guard undefined.isEmpty else {
      throw Diagnostic(
        .internalError,
        "the code of kernel \(kernel) calls \(undefined.joined(separator: ", "))")
    }
  }

  /// The names that the code uses and does not define: code of ours has none.
  package func undefinedSymbols() throws(Diagnostic) -> [String] {
    var message: UnsafeMutablePointer<CChar>?
    guard let binary = LLVMCreateBinary(buffer, nil, &message) else {
      throw Diagnostic(
        .internalError, "LLVM cannot read its own object: \(takeMessage(message))")
    }
    defer { LLVMDisposeBinary(binary) }
    let symbols = LLVMObjectFileCopySymbolIterator(binary)
    defer { LLVMDisposeSymbolIterator(symbols) }
    let section = LLVMObjectFileCopySectionIterator(binary)
    defer { LLVMDisposeSectionIterator(section) }
    var names: [String] = []
    while LLVMObjectFileIsSymbolIteratorAtEnd(binary, symbols) == 0 {
      defer { LLVMMoveToNextSymbol(symbols) }
      LLVMMoveToContainingSection(section, symbols)
      // The entries without a name are the table's first one and that of the source file.
      guard LLVMObjectFileIsSectionIteratorAtEnd(binary, section) != 0,
        let name = LLVMGetSymbolName(symbols).map({ String(cString: $0) }), !name.isEmpty
      else { continue }
      names.append(name)
    }
    return names
  }
}
