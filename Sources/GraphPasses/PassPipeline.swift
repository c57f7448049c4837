import GraphIR

/// Passes in the order in which they run.
public struct PassPipeline: Sendable {
  /// The passes; one may stand in several places.
  public let passes: [any GraphPass]

  /// Makes a pipeline.
  public init(_ passes: [any GraphPass]) { self.passes = passes }

  /// Every pass there is, in the order of `standard`.
  public static let knownPasses: [any GraphPass] = [
    InlineComposites(), RecognizeAttention(), SplitDilatedConvolutions(), Simplify(),
    FoldConstants(), EliminateCommonSubexpressions(), MoveTransposes(), EliminateDeadCode(),
    CheckpointActivations(),
  ]

  /// The passes between a traced or imported graph and its lowering.
  public static let standard = PassPipeline([
    // First: the passes below do not look into bodies, and the forward and the backward pass share
    // much of them.
    InlineComposites(),
    // Before the forms that it knows are simplified.
    RecognizeAttention(),
    // Before what simplifies the slices of filters.
    SplitDilatedConvolutions(),
    // Before folding, since it brings computations with repeated scalars down to scalars.
    Simplify(),
    FoldConstants(),
    // After folding, which makes equal constants of unequal computations.
    EliminateCommonSubexpressions(),
    // After what makes one of transposes in a row and of equal ones, and before what simplifies those that it leaves.
    MoveTransposes(),
    // Again: operands that have become equal or constant allow more.
    Simplify(),
    FoldConstants(),
    EliminateCommonSubexpressions(),
    // Last: the passes above leave what they replaced behind.
    EliminateDeadCode(),
  ])

  /// `standard`, and then activations are computed again in the backward pass instead of being kept.
  public static let checkpointing = PassPipeline(
    standard.passes + [
      // After all that makes one of equal nodes.
      CheckpointActivations(),
      // What only the backward pass read is no longer needed before.
      EliminateDeadCode(),
    ])

  /// The pipeline of the passes with the given names, in the given order.
  ///
  /// - Throws: a diagnostic that lists the known passes when a name is unknown.
  public static func named(_ names: [String]) throws(Diagnostic) -> PassPipeline {
    var passes: [any GraphPass] = []
    for name in names {
      guard let pass = knownPasses.first(where: { $0.name == name }) else {
        throw Diagnostic(
          .argument, "there is no pass \"\(name)\"",
          hint: "the passes are \(knownPasses.map(\.name).joined(separator: ", "))")
      }
      passes.append(pass)
    }
    return PassPipeline(passes)
  }
}
