import GraphIR

/// How a graph is lowered; without a fault, none of it changes a result.
package struct LoweringOptions: Hashable, Sendable {
  /// Gives each buffer a place of its own in the arena, so that what is written is never overwritten.
  package var forbidsReuse: Bool
  /// A fault to plant in fusion or in the memory plan.
  package var fault: PlantedFault?

  /// The options for use, unless said otherwise.
  package init(forbidsReuse: Bool = false, fault: PlantedFault? = nil) {
    self.forbidsReuse = forbidsReuse
    self.fault = fault
  }
}
