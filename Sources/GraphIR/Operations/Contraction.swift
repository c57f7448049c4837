/// The sum of products over contracting dimensions.
///
/// Operands: lhs and rhs of one numeric dtype.
///
/// The result has the batch dimensions, then lhs's free dimensions, then rhs's free dimensions,
/// each in order: `z[b, i, j] = sum over k of lhs[b, i, k] * rhs[b, j, k]` with the dimensions
/// where the attributes say. Integers wrap. f16 and bf16 accumulate in f32 and round once. An empty
/// sum is 0.
public struct Dot: OperationAttributes {
  /// The operation's place in the closed set.
  public static let kind = Operation.Kind.dot
  /// The batch dimensions: `[lhs's, rhs's]`, pairwise equal in extent; empty when there are none.
  public var batch: [[Int]]
  /// The contracting dimensions: `[lhs's, rhs's]`, pairwise equal in extent; empty when there are
  /// none.
  public var contracting: [[Int]]
  /// Makes the operation; empty pairs are normalized to no pair.
  public init(batch: [[Int]] = [], contracting: [[Int]]) {
    self.batch = batch.allSatisfy(\.isEmpty) ? [] : batch
    self.contracting = contracting.allSatisfy(\.isEmpty) ? [] : contracting
  }

  /// lhs's batch dimensions.
  public var lhsBatch: [Int] { batch.first ?? [] }
  /// rhs's batch dimensions.
  public var rhsBatch: [Int] { batch.last ?? [] }
  /// lhs's contracting dimensions.
  public var lhsContracting: [Int] { contracting.first ?? [] }
  /// rhs's contracting dimensions.
  public var rhsContracting: [Int] { contracting.last ?? [] }
}

/// Cross-correlation over any number of spatial dimensions.
///
/// Operands: input `[N, spatial..., C]` and filter `[spatial..., C / groups, O]`, of one float
/// dtype (or i32, i64). The result is `[N, spatial'..., O]`.
///
/// `y[n, p, o] = sum over t, k of input~[n, p * stride + t * kernelDilation, g * C/groups + k] *
/// filter[t, k, o]`, where input~ is the input with `inputDilation - 1` places between neighbours
/// and then `padding` places around (negative padding cuts), and g = o / (O / groups). Places between
/// elements, every `inputDilation` of them but one in the padding too, take part in no product; the
/// others around the input hold zeros, whose products with infinity and NaN are NaN. The extent is
/// `(dilated + low + high - ((size - 1) * kernelDilation + 1)) / stride + 1`, or 0 where the window
/// does not fit; a filter extent must be at least 1. f16 and bf16 accumulate in f32 and round once.
public struct Convolution: OperationAttributes {
  /// The operation's place in the closed set.
  public static let kind = Operation.Kind.convolution
  /// The distance between windows, per spatial dimension; at least 1.
  public var stride: [Int]
  /// Zeros `[low, high]` around the input, per spatial dimension; negative cuts.
  public var padding: [[Int]]
  /// 1 + the zeros between neighbours of the input, per spatial dimension.
  public var inputDilation: [Int]
  /// 1 + the distance skipped between taps of the filter, per spatial dimension.
  public var kernelDilation: [Int]
  /// The number of groups into which input and output channels are split.
  public var groups: Int
  /// Makes the operation.
  public init(
    stride: [Int], padding: [[Int]], inputDilation: [Int]? = nil, kernelDilation: [Int]? = nil,
    groups: Int = 1
  ) {
    self.stride = stride
    self.padding = padding
    self.inputDilation = inputDilation ?? stride.map { _ in 1 }
    self.kernelDilation = kernelDilation ?? stride.map { _ in 1 }
    self.groups = groups
  }
}

extension Convolution {
  /// Whether each channel of the result is made of one of the input alone, of elements that lie apart: as in the gradient
  /// of a strided depthwise convolution.
  ///
  /// It takes few products for what it reads and writes, and is best computed in one go, stepping over the places
  /// between elements.
  package func meetsChannelsAlone(filter: Shape) -> Bool {
    guard filter.rank == stride.count + 2, filter[stride.count] == 1,
      filter[stride.count + 1] == groups, inputDilation.contains(where: { $0 > 1 })
    else { return false }
    return stride.indices.allSatisfy {
      inputDilation[$0] == 1 || stride[$0] == 1 && kernelDilation[$0] == 1
    }
  }
}
