import GraphIR
import Interpreter

/// A transcendental function of f32, as the check of the vector mathematics sees it.
package enum MathFunction: Hashable, Sendable {
  /// Of one argument: it can be checked for all there are.
  case unary(UnaryFunction)
  /// Of two.
  case binary(BinaryFunction)

  /// Those whose code is an approximation of ours.
  package static let all: [MathFunction] =
    (UnaryFunction.allCases.map(MathFunction.unary)
    + BinaryFunction.allCases.map(MathFunction.binary))
    .filter { $0.accuracy != .correctlyRounded }

  /// The operation's name in text.
  package var name: String {
    switch self {
    case .unary(let function): function.rawValue
    case .binary(let function): function.rawValue
    }
  }

  /// How far a result may be off.
  package var accuracy: Accuracy {
    switch self {
    case .unary(let function): function.accuracy(in: .f32)
    case .binary(let function): function.accuracy(in: .f32)
    }
  }

  /// The number of arguments.
  package var arity: Int {
    switch self {
    case .unary: 1
    case .binary: 2
    }
  }

  /// The interpreter's values in f64, with errors far below those of any f32.
  func reference(_ arguments: [[Double]]) -> [Double]? {
    switch self {
    case .unary(let function): function.applied(to: arguments[0])
    case .binary(let function): function.applied(to: arguments[0], arguments[1])
    }
  }

  /// The function of each of `count` elements.
  func graph(count: Int) throws(Diagnostic) -> Graph {
    var builder = GraphBuilder(name: name)
    let type = TensorType(.f32, [count])
    let x = builder.input("x", type)
    let result: Value
    switch self {
    case .unary(let function): result = try builder.unary(function, x)
    case .binary(let function): result = try builder.binary(function, x, builder.input("y", type))
    }
    return try builder.finish([result])
  }
}
