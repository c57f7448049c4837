/// What users import: tensors, layers, losses, optimizers and the training loop.
///
/// The types of the graph (`Literal`, `DType`, `Diagnostic`, `Graph`) and the two backends come with it, so that
/// one `import Martlet` is enough.
@_exported import GraphIR
@_exported import struct Compiler.InterpreterBackend
@_exported import struct Compiler.JITBackend
@_exported import protocol Runtime.Backend
