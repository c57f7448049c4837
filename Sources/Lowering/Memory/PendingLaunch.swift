import GraphIR
import LoopIR

/// A launch whose arguments are still nodes: what is read and written, before it is known where that lies.
struct PendingLaunch: Sendable {
  /// The kernel.
  var kernel: Kernel
  /// For each parameter the tensor that it is.
  var arguments: [Int]
  /// Where it comes from.
  var location: Location

  /// The tensors that are read.
  var reads: Set<Int> {
    Set(zip(kernel.parameters, arguments).compactMap { $0.role == .output ? nil : $1 })
  }
  /// The tensors that are written.
  var writes: Set<Int> {
    Set(zip(kernel.parameters, arguments).compactMap { $0.role == .input ? nil : $1 })
  }

  /// Copies a tensor to another of its type.
  static func copy(
    _ type: TensorType, from source: Int, to target: Int, value: Value?, location: Location
  ) -> PendingLaunch {
    let count = type.shape.elementCount
    let flat = TensorType(type.dtype, count == 1 ? [] : [count])
    let dimensions = count == 1 ? [] : [DimensionID(0)]
    let index = dimensions.map { IndexExpression.dimension($0) }
    let body = ScalarBody([
      ScalarInstruction(.load(.parameter(0), index, guards: []), [], type.dtype)
    ])
    let kernel = Kernel(
      name: "copy",
      parameters: [
        KernelParameter(name: "x", type: flat, role: .input),
        KernelParameter(name: "y", type: flat, role: .output),
      ],
      dimensions: dimensions.map { _ in KernelDimension(name: "i", extent: count) },
      outer: dimensions,
      stages: [
        KernelStage(
          target: .parameter(1), index: index, dimensions: [], kind: .map, body: body,
          materializes: value, location: location)
      ])
    return PendingLaunch(kernel: kernel, arguments: [source, target], location: location)
  }
}
