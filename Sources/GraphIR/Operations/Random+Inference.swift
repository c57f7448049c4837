extension Random {
  /// The operation's name in text.
  public var mnemonic: String { Self.kind.rawValue }

  /// The types of the results, from the types of the operands.
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try require(operands, count: 1)
    guard operands[0] == TensorType(.u64, [2]) else {
      throw refusal(
        .typeMismatch, "takes a state of u64[2], not \(operands[0])",
        hint: "the state is (seed, step)")
    }
    try require("stream", [stream], atLeast: 0, atMost: Int(UInt32.max))
    let type = TensorType(dtype, try checkedShape(shape))
    guard type.shape.elementCount <= 1 << 33 else {
      throw refusal(
        .sizeOverflow, "cannot fill \(type)", hint: "one stream has at most 2^33 elements")
    }
    return [type]
  }
}
