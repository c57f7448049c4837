/// A dimension of a kernel's iteration space, by its place in `Kernel.dimensions`.
public struct DimensionID: Hashable, Sendable, Comparable {
  /// The place in `Kernel.dimensions`.
  public let index: Int
  /// Names the dimension at a place.
  public init(_ index: Int) { self.index = index }
  /// Earlier dimensions are smaller.
  public static func < (a: DimensionID, b: DimensionID) -> Bool { a.index < b.index }
}

/// An index into a tensor's dimension: `constant + sum of coefficient * atom`, in 64-bit integers.
///
/// Canonical: atoms are distinct, coefficients are not 0, terms are sorted by atom.
public struct IndexExpression: Hashable, Sendable {
  /// What a term multiplies.
  public indirect enum Atom: Hashable, Sendable {
    /// The counter of a dimension of the kernel.
    case dimension(DimensionID)
    /// The floor of an expression divided by a positive constant.
    case quotient(IndexExpression, Int)
    /// The remainder, in `0 ..< divisor`, of an expression divided by a positive constant.
    case remainder(IndexExpression, Int)
    /// The value of an integer instruction of the same body, already clamped to where it may point.
    case instruction(Int)
  }

  /// `coefficient * atom`.
  public struct Term: Hashable, Sendable {
    /// What is multiplied.
    public var atom: Atom
    /// By what.
    public var coefficient: Int
    /// Makes a term.
    public init(_ atom: Atom, _ coefficient: Int) {
      self.atom = atom
      self.coefficient = coefficient
    }
  }

  /// The constant part.
  public var constant: Int
  /// The other parts.
  public var terms: [Term]

  /// Makes an expression from canonical terms.
  public init(constant: Int = 0, terms: [Term] = []) {
    self.constant = constant
    self.terms = terms
  }

  /// The counter of a dimension.
  public static func dimension(_ id: DimensionID) -> IndexExpression {
    IndexExpression(terms: [Term(.dimension(id), 1)])
  }
}
