/// Where windows lie on a tensor, for each of its dimensions.
///
/// Window p covers the positions `p * stride - padding.low + t * dilation` for t in `0 ..< size`;
/// those outside of the tensor do not count. The number of windows is `(n + low + high - ((size -
/// 1) * dilation + 1)) / stride + 1`, or 0 where none fits. All lists have the tensor's rank; size,
/// stride and dilation are at least 1, padding is not negative.
public struct Window: Hashable, Sendable, Codable {
  /// The number of positions covered, per dimension.
  public var size: [Int]
  /// The distance between windows, per dimension.
  public var stride: [Int]
  /// Positions `[low, high]` added around, per dimension.
  public var padding: [[Int]]
  /// The distance between positions covered, per dimension.
  public var dilation: [Int]
  /// Makes a window; what is missing is a stride of 1, no padding and a dilation of 1.
  public init(
    size: [Int], stride: [Int]? = nil, padding: [[Int]]? = nil, dilation: [Int]? = nil
  ) {
    self.size = size
    self.stride = stride ?? size.map { _ in 1 }
    self.padding = padding ?? size.map { _ in [0, 0] }
    self.dilation = dilation ?? size.map { _ in 1 }
  }
}

/// Combines the elements under each window; positions outside do not count.
///
/// Operand: x.
///
/// In text: `reduce_window_sum`, `reduce_window_product`, `reduce_window_max`, `reduce_window_min`.
public struct ReduceWindow: OperationAttributes {
  /// The operation's place in the closed set.
  public static let kind = Operation.Kind.reduceWindow
  /// The combination, with its value for a window that covers nothing.
  public var function: ReduceFunction
  /// Where the windows lie.
  public var window: Window
  /// Makes the operation.
  public init(_ function: ReduceFunction, window: Window) {
    self.function = function
    self.window = window
  }
}

/// The gradient of `reduce_window` with `max` or `min`: each window hands its gradient to the
/// element that won.
///
/// Operands: x, and the gradient of the windows' results, of x's float dtype. The result has x's
/// type: `dx[i] = sum of gradient[p] over the windows p that i won`. Ties (-0 and +0 too) go to the
/// lowest index in row-major order and the first NaN wins. In text: `reduce_window_gradient_max`
/// and `reduce_window_gradient_min`.
public struct ReduceWindowGradient: OperationAttributes {
  /// The operation's place in the closed set.
  public static let kind = Operation.Kind.reduceWindowGradient
  /// `max` or `min`.
  public var function: ReduceFunction
  /// Where the windows lie.
  public var window: Window
  /// Makes the operation.
  public init(_ function: ReduceFunction, window: Window) {
    self.function = function
    self.window = window
  }
}
