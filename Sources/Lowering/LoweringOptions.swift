/// How a graph is lowered; none of it changes a result.
package struct LoweringOptions: Hashable, Sendable {
  /// Gives each buffer a place of its own in the arena, so that what is written is never overwritten.
  package var forbidReuse = false

  /// The options for use.
  package init(forbidReuse: Bool = false) {
    self.forbidReuse = forbidReuse
  }
}
