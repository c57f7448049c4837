#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// One direction of a chart: the range that it shows, and ticks that fall on round numbers.
package struct Axis: Sendable {
  /// A round number with its text.
  package struct Tick: Hashable, Sendable {
    /// The number.
    package let value: Double
    /// The number as text.
    package let label: String
  }

  /// The least number shown.
  package let lower: Double
  /// The greatest number shown.
  package let upper: Double
  /// Round numbers from the least to the greatest.
  package let ticks: [Tick]
  /// Whether equal ways are equal factors.
  package let isLogarithmic: Bool

  /// How far along the axis a number lies: 0 at the least, 1 at the greatest; nil where it cannot be shown.
  package func position(_ value: Double) -> Double? {
    guard value.isFinite else { return nil }
    guard isLogarithmic else { return (value - lower) / (upper - lower) }
    // A norm of 0 is shown, as far down as there is room.
    guard value >= lower else { return 0 }
    return log10(value / lower) / log10(upper / lower)
  }

  /// An axis over numbers, rounded out to its ticks.
  ///
  /// - Parameters:
  ///   - ticks: About how many steps there are.
  ///   - isWhole: Whether only whole numbers have a tick; the axis then ends at the least and the greatest.
  package static func linear(
    over values: [Double], ticks count: Int = 5, isWhole: Bool = false
  ) -> Axis {
    // Whole numbers beyond have no successor, and of what is nearly 0 there are no steps.
    let most = isWhole ? 1e15 : 1e300
    let shown = values.filter { $0.magnitude < most }.map { $0.magnitude < 1e-290 ? 0 : $0 }
    var (lower, upper) = (shown.min() ?? 0, shown.max() ?? 1)
    if isWhole { (lower, upper) = (lower.rounded(.down), upper.rounded(.up)) }
    if upper - lower <= 1e-12 * max(lower.magnitude, upper.magnitude) {
      let margin = isWhole ? 1 : lower == 0 ? 1 : lower.magnitude / 2
      (lower, upper) = isWhole ? (lower, upper + margin) : (lower - margin, upper + margin)
    }
    var step = roundStep((upper - lower) / Double(max(count, 1)))
    if isWhole { step = max(step, 1) }
    let first = isWhole ? (lower / step).rounded(.up) : (lower / step + 1e-9).rounded(.down)
    let last = isWhole ? (upper / step).rounded(.down) : (upper / step - 1e-9).rounded(.up)
    let digits = max(Int(-log10(step).rounded(.down)), 0)
    let isExtreme = step < 1e-6 || max(lower.magnitude, upper.magnitude) >= 1e6
    let ticks = (0...Int(max(last - first, 0))).map { index in
      // The multiple of a step below 1 is the quotient by its reciprocal, which is whole: 0.3, not 0.30000000000000004.
      let number = first + Double(index)
      let value = step < 1 ? number / (1 / step).rounded() : number * step
      let exact = step < 1e-9 ? number * step : value
      return Tick(
        value: exact,
        label: isExtreme ? shortScientific(exact) : exact.formatted(digits: digits))
    }
    if !isWhole, let first = ticks.first, let last = ticks.last {
      (lower, upper) = (first.value, last.value)
    }
    return Axis(lower: lower, upper: upper, ticks: ticks, isLogarithmic: false)
  }

  /// An axis of equal factors over the positive ones of some numbers, rounded out to powers of ten.
  package static func logarithmic(over values: [Double], ticks count: Int = 6) -> Axis {
    let positive = values.filter { $0 > 1e-300 && $0 < 1e300 }
    let least = log10(positive.min() ?? 0.1)
    let first = (least + 1e-9).rounded(.down)
    let last = max((log10(positive.max() ?? 1) - 1e-9).rounded(.up), first + 1)
    let step = max(Int(((last - first) / Double(max(count, 1))).rounded(.up)), 1)
    let ticks = stride(from: Int(first), through: Int(last), by: step).map { exponent in
      let value = pow(10, Double(exponent))
      return Tick(
        value: value,
        label: (-4...4).contains(exponent)
          ? value.formatted(digits: max(-exponent, 0)) : "1e\(exponent)")
    }
    return Axis(lower: pow(10, first), upper: pow(10, last), ticks: ticks, isLogarithmic: true)
  }

  /// The least of 1, 2 and 5 times a power of ten that is not below a step.
  private static func roundStep(_ step: Double) -> Double {
    let power = log10(step).rounded(.down)
    let unit = pow(10, power)
    let factor = [1.0, 2, 5, 10].first { $0 * unit >= step * (1 - 1e-9) } ?? 10
    // A negative power is the reciprocal of an exact one.
    return power < 0 ? factor / pow(10, -power) : factor * unit
  }
}

/// A number in as few characters as three digits allow: `1.25e-7`, `0.031`, `12`.
package func shortNumber(_ value: Double) -> String {
  guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
  guard value != 0 else { return "0" }
  guard (1e-4..<1e6).contains(value.magnitude) else { return shortScientific(value) }
  let digits = max(2 - Int(log10(value.magnitude).rounded(.down)), 0)
  return withoutZeros(value.formatted(digits: digits))
}

/// A number with a power of ten: `1e-7`, `2.5e6`.
private func shortScientific(_ value: Double) -> String {
  guard value != 0 else { return "0" }
  var exponent = Int(log10(value.magnitude).rounded(.down))
  // In two steps, as the power of a subnormal number has no reciprocal.
  var mantissa = value / pow(10, Double(exponent / 2)) / pow(10, Double(exponent - exponent / 2))
  if mantissa.magnitude >= 9.995 {
    mantissa /= 10
    exponent += 1
  }
  return "\(withoutZeros(mantissa.formatted(digits: 2)))e\(exponent)"
}

private func withoutZeros(_ text: String) -> String {
  guard text.contains(".") else { return text }
  let kept = String(text.reversed().drop { $0 == "0" }.reversed())
  return kept.hasSuffix(".") ? String(kept.dropLast()) : kept
}
