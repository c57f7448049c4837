import CLLVM

/// Lanes of vectors.
extension IRBuilder {
  func extract(_ vector: CodeValue, _ lane: Int) -> CodeValue {
    LLVMBuildExtractElement(builder, vector, constant(lane), "")
  }

  func insert(_ vector: CodeValue, _ value: CodeValue, _ lane: Int) -> CodeValue {
    LLVMBuildInsertElement(builder, vector, value, constant(lane), "")
  }

  /// A lane of a vector; the value itself when it is a scalar.
  func extractLane(_ vector: CodeValue, _ lane: Int, of lanes: Int) -> CodeValue {
    lanes == 1 ? vector : extract(vector, lane)
  }

  /// A vector of lanes of two vectors, of which the second's follow the first's.
  func shuffle(_ a: CodeValue, _ b: CodeValue, _ lanes: [Int]) -> CodeValue {
    let int32: LLVMTypeRef = LLVMInt32TypeInContext(context)
    let order = vectorConstant(lanes.map { LLVMConstInt(int32, UInt64($0), 0) })
    return LLVMBuildShuffleVector(builder, a, b, order, "")
  }

  /// Neighbouring lanes as a vector, or a scalar when it is one.
  func lanes(_ vector: CodeValue, _ range: Range<Int>) -> CodeValue {
    range.count == 1
      ? extract(vector, range.lowerBound)
      : shuffle(vector, poison(type(of: vector)), Array(range))
  }

  /// A scalar in every lane.
  func broadcast(_ scalar: CodeValue, lanes: Int) -> CodeValue {
    if lanes == 1 { return scalar }
    let empty = poison(vector(type(of: scalar), lanes))
    return shuffle(insert(empty, scalar, 0), empty, [Int](repeating: 0, count: lanes))
  }

  /// A mask of which the first lanes are set.
  func prefixMask(_ active: Int, of lanes: Int) -> CodeValue {
    vectorConstant((0..<lanes).map { LLVMConstInt(int1, $0 < active ? 1 : 0, 0) })
  }

  /// Both masks, or the one that there is.
  func and(_ a: CodeValue?, _ b: CodeValue?) -> CodeValue? {
    guard let a, let b else { return a ?? b }
    return and(a, b)
  }

  /// Whether any lane of a mask is set.
  func any(_ mask: CodeValue, lanes: Int) -> CodeValue {
    lanes == 1 ? mask : intrinsic("llvm.vector.reduce.or", [mask])
  }
}
