import LoopIR

extension Kernel {
  /// Merges dimensions of maps that only guards keep apart, where the inner one is shorter than vectors.
  ///
  /// Where b is below m, `0 <= a + r < n` holds if and only if `0 <= (a + r) m + b < n m` does. Padded images of few
  /// channels are then copied in whole vectors.
  mutating func mergeGuarded() {
    guard stages.allSatisfy({ $0.kind == .map && $0.dimensions.isEmpty }) else { return }
    for minor in outer where extent(minor) <= Kernel.fewElements {
      for major in outer where major != minor {
        var merged = self
        merged.mapGuards { $0.widened(along: major, by: minor, extent(minor)) }
        merged.mergeDimensions()
        if merged.outer.count < outer.count { self = merged }
      }
    }
  }

  /// Elements that fill no vector of 32 bytes.
  private static var fewElements: Int { 7 }

  private mutating func mapGuards(_ change: (IndexGuard) -> IndexGuard) {
    for stage in stages.indices {
      for place in stages[stage].body.instructions.indices {
        let operation = stages[stage].body.instructions[place].operation
        guard case .load(let tensor, let index, let guards) = operation else { continue }
        stages[stage].body.instructions[place].operation = .load(
          tensor, index, guards: guards.map(change))
      }
    }
  }
}

extension IndexGuard {
  /// The guard on a dimension with the whole of a minor one inside, where it steps along it.
  fileprivate func widened(
    along major: DimensionID, by minor: DimensionID, _ count: Int
  ) -> IndexGuard {
    guard expression.dependence(on: major) == .affine(1),
      expression.dependence(on: minor) == .affine(0)
    else { return self }
    return IndexGuard(expression * count + .dimension(minor), below: extent * count)
  }
}
