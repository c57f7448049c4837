import GraphIR
import Runtime

/// Where the time of a run goes, kernel by kernel.
public struct Profile: Sendable {
  package let rows: [Profiler.Row]

  /// Runs an executable for a while and measures each kernel.
  package init(
    _ executable: ProgramExecutable, _ inputs: [Literal], seconds: Double
  ) throws(Diagnostic) {
    let bound = try BoundBuffers(executable, inputs)
    let workspace = executable.makeProgramWorkspace()
    try workspace.run(inputs: bound.inputs, outputs: bound.outputs)
    let profiler = Profiler(executable.plan)
    let end = ContinuousClock.now.advanced(by: .seconds(seconds))
    repeat {
      try workspace.run(inputs: bound.inputs, outputs: bound.outputs, observer: profiler)
    } while ContinuousClock.now < end
    rows = profiler.rows()
  }

  /// One line a kernel, the slowest first, with its share of what the machine can do.
  public func table(limits: MachineLimits, threads: Int) -> String {
    let total = rows.reduce(0) { $0 + $1.seconds }
    let width = max(6, rows.map(\.kernel.count).max() ?? 0)
    var lines = [
      "kernel".padding(to: width)
        + "       us  share  GFLOP/s    GB/s  of limit  from"
    ]
    for row in rows.sorted(by: { $0.seconds > $1.seconds }) {
      let seconds = max(row.seconds, 1e-9)
      let arithmetic = Double(row.flops) / seconds / limits.flopsPerSecond
      let memory = Double(row.bytes) / seconds / limits.bytesPerSecond
      lines.append(
        row.kernel.padding(to: width) + column(row.seconds * 1e6, 9, digits: 1)
          + column(100 * row.seconds / max(total, 1e-12), 6, digits: 1) + "%"
          + column(Double(row.flops) / seconds * 1e-9, 9, digits: 1)
          + column(Double(row.bytes) / seconds * 1e-9, 8, digits: 1)
          + column(100 * max(arithmetic, memory), 9, digits: 0) + "%  \(row.location)")
    }
    lines.append(
      "total".padding(to: width) + column(total * 1e6, 9, digits: 1)
        + "   (limits on \(threads) thread\(threads == 1 ? "" : "s"): "
        + "\(Int(limits.flopsPerSecond * 1e-9)) GFLOP/s f32, "
        + "\(Int(limits.bytesPerSecond * 1e-9)) GB/s)")
    return lines.joined(separator: "\n")
  }

  private func column(_ value: Double, _ width: Int, digits: Int) -> String {
    let scale = digits == 0 ? 1.0 : 10.0
    let scaled = Int((value * scale).rounded())
    let text = digits == 0 ? "\(scaled)" : "\(scaled / 10).\(abs(scaled) % 10)"
    return String(repeating: " ", count: max(1, width - text.count)) + text
  }
}

extension String {
  fileprivate func padding(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
