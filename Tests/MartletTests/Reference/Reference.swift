import Compiler
import Differentiation
import Foundation
import GraphIR
import Interpreter
import Martlet
import Runtime
import Testing

/// Numbers that PyTorch computed in f64 (`make.py` writes them).
struct ReferenceTensor: Decodable {
  let shape: [Int]
  let values: [Double]
  var isInteger: Bool?

  func literal(_ dtype: DType) -> Literal {
    Literal(TensorType(isInteger == true ? .i32 : dtype, Shape(shape)), doubles: values)
  }
}

/// A function with its inputs, its output, and the gradients of the sum of its elements times a factor each.
struct ReferenceCase: Decodable, CustomTestStringConvertible {
  let name: String
  let inputs: [ReferenceTensor]
  let parameters: [String: ReferenceTensor]
  let factor: ReferenceTensor
  let output: ReferenceTensor
  let gradients: [String: ReferenceTensor]
  let constants: [String: ReferenceTensor]?

  var testDescription: String { name }

  /// The cases of a file in the folder `Values`.
  static func all<Case: Decodable>(_ name: String) -> [Case] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    do {
      let data = try Data(contentsOf: folder.appendingPathComponent("Values/\(name).json"))
      return try JSONDecoder().decode([Case].self, from: data)
    } catch {
      Issue.record("\(name).json: \(error)")
      return []
    }
  }

  /// Holds a function to the case, in f64 and f32, on both backends.
  func expect(
    mode: Mode = .inference, in dtypes: [DType] = [.f64, .f32],
    sourceLocation: SourceLocation = #_sourceLocation, _ function: ([Tensor]) -> Tensor
  ) throws {
    for dtype in dtypes {
      let tolerance = dtype == .f64 ? 1e-12 : 1e-5
      let graph = try graph(dtype, mode: mode, function)
      let inputs = try graph.inputs.map { input in
        try #require(value(of: input.name, dtype), "no value for \(input.name)")
      }
      for backend in [InterpreterBackend() as any Backend, defaultBackend()] {
        var session = try Session(try backend.prepare(graph))
        for (buffer, input) in zip(session.inputs, inputs) { buffer.write(input) }
        try session.run()
        let results = Dictionary(
          uniqueKeysWithValues: zip(graph.outputs.map(\.name), session.outputs.map { $0.literal() })
        )
        var expected = gradients.mapKeys { "gradient.\($0)" }
        expected["y"] = output
        for (name, reference) in expected {
          let found = try #require(results[name], "no output \(name)")
          #expect(
            found.type.shape.extents == reference.shape
              && distance(found.doubles(), reference.values) <= tolerance,
            "\(self.name), \(name) in \(dtype) on \(backend): \(found.doubles()), not \(reference.values)",
            sourceLocation: sourceLocation)
        }
      }
    }
  }

  /// The function with its gradients.
  private func graph(
    _ dtype: DType, mode: Mode, _ function: ([Tensor]) -> Tensor
  ) throws -> Graph {
    let types = inputs.map { $0.literal(dtype).type }
    func results(_ tensors: [Tensor]) -> KeyValuePairs<String, Tensor> {
      let y = function(tensors)
      return ["y": y, "loss": (y * Tensor(factor.literal(dtype))).sum()]
    }
    let forward =
      types.count == 1
      ? try trace("reference", ["x0": types[0]], mode: mode) { results([$0[0]]) }
      : try trace("reference", ["x0": types[0], "x1": types[1]], mode: mode) {
        results([$0[0], $0[1]])
      }
    return try gradient(of: forward, output: "loss", withRespectTo: Array(gradients.keys))
  }

  private func value(of name: String, _ dtype: DType) -> Literal? {
    if let known = parameters[name] { return known.literal(dtype) }
    // Untrained state of a layer that is traced for training is not read.
    guard name.hasPrefix("x"), let index = Int(name.dropFirst()) else {
      return Literal(
        TensorType(dtype, Shape(output.shape.suffix(1))),
        doubles: Array(repeating: 0, count: output.shape.last ?? 1))
    }
    return inputs[index].literal(dtype)
  }
}

/// The greatest distance, relative to the greatest number that is expected.
func distance(_ found: [Double], _ expected: [Double]) -> Double {
  guard found.count == expected.count else { return .infinity }
  let scale = expected.map(abs).max() ?? 0
  return zip(found, expected).map { abs($0 - $1) / (scale > 0 ? scale : 1) }.max() ?? 0
}

extension Dictionary {
  fileprivate func mapKeys(_ transform: (Key) -> String) -> [String: Value] {
    Dictionary<String, Value>(uniqueKeysWithValues: map { (transform($0), $1) })
  }
}
