import CLLVM
import GraphIR
import LoopIR

/// The transcendental functions as vector code of ours, for f32 and f64 in any number of lanes.
///
/// Each function says its largest error in units in the last place (ulp): for f32 what `martlet check-math` measures for
/// all 2^32 arguments (for the power, 2^32 pairs), for f64 what the tests hold samples to. Special values
/// (NaN, infinities, signed zeros, denormals, overflow) follow IEEE 754 and C's Annex F. What an f32 function
/// computes in f64 lanes and rounds at the end has an error just above 0.5 ulp.
struct VectorMath {
  let module: ModuleEmitter
  var ir: IRBuilder { module.ir }

  /// Whether the elements are f64; they are f32 otherwise.
  func isDouble(_ x: CodeValue) -> Bool {
    elementType(x) == LLVMDoubleTypeInContext(ir.context)
  }

  func elementType(_ x: CodeValue) -> LLVMTypeRef {
    let type = ir.type(of: x)
    return LLVMGetTypeKind(type) == LLVMVectorTypeKind ? LLVMGetElementType(type) : type
  }

  func lanes(_ x: CodeValue) -> Int {
    let type = ir.type(of: x)
    return LLVMGetTypeKind(type) == LLVMVectorTypeKind ? Int(LLVMGetVectorSize(type)) : 1
  }

  func splat(_ number: Double, like x: CodeValue) -> CodeValue { ir.splat(number, ir.type(of: x)) }

  func magnitude(_ x: CodeValue) -> CodeValue { ir.intrinsic("llvm.fabs", [x]) }

  func copySign(_ size: CodeValue, _ sign: CodeValue) -> CodeValue {
    ir.intrinsic("llvm.copysign", [size, sign])
  }

  /// The bits as integers of the same width.
  func bits(_ x: CodeValue) -> CodeValue {
    ir.bitcast(x, ir.vector(ir.integer(isDouble(x) ? 64 : 32), lanes(x)))
  }

  /// `c[0] + c[1] x + c[2] x^2 + ...` by Horner's rule with fused steps.
  func polynomial(_ x: CodeValue, _ coefficients: [Double]) -> CodeValue {
    var sum = splat(coefficients[coefficients.count - 1], like: x)
    for coefficient in coefficients.dropLast().reversed() {
      sum = ir.fma(sum, x, splat(coefficient, like: x))
    }
    return sum
  }

  /// The same by pairs of terms, then pairs of these: a few more products and some more rounding, but half the steps
  /// that wait for one another (Estrin, "Organization of computer systems", 1960).
  func pairedPolynomial(_ x: CodeValue, _ coefficients: [Double]) -> CodeValue {
    var terms = coefficients.map { splat($0, like: x) }
    var power = x
    while terms.count > 1 {
      terms = stride(from: 0, to: terms.count, by: 2).map { place in
        place + 1 < terms.count ? ir.fma(terms[place + 1], power, terms[place]) : terms[place]
      }
      if terms.count > 1 { power = ir.fmul(power, power) }
    }
    return terms[0]
  }

  /// An f32 function computed in f64 lanes; an f64 function as it is.
  func inDouble(_ arguments: [CodeValue], _ body: ([CodeValue]) -> CodeValue) -> CodeValue {
    if isDouble(arguments[0]) { return body(arguments) }
    let narrow = ir.type(of: arguments[0])
    let wide = ir.vector(LLVMDoubleTypeInContext(ir.context), lanes(arguments[0]))
    return ir.fptrunc(body(arguments.map { ir.fpext($0, wide) }), narrow)
  }

  /// 1 / sqrt(x): at most 1.5 ulp (f32, f64), by two correctly rounded operations.
  func reciprocalSquareRoot(_ x: CodeValue) -> CodeValue {
    ir.fdiv(splat(1, like: x), ir.intrinsic("llvm.sqrt", [x]))
  }
}

extension ModuleEmitter {
  /// The transcendental functions.
  var math: VectorMath { VectorMath(module: self) }
}
