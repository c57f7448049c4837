import GraphIR

/// How loops become code.
package struct CodeOptions: Hashable, Sendable {
  /// Breaks the emission on purpose: a debugging aid.
  package var fault: PlantedFault?

  package init(fault: PlantedFault? = nil) { self.fault = fault }
}
