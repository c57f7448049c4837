import Compiler
import GraphIR
import Martlet

/// What `plan` says; the fields are those of `--json`.
struct PlanReport: Encodable {
  /// One launch of the timeline.
  struct Step: Encodable {
    var kernel: String
    var live_bytes: Int
  }

  /// A value that is alive at the peak.
  struct Resident: Encodable {
    var bytes: Int
    var type: String
    var kernel: String
    var location: String
    var first_launch: Int
    var last_launch: Int
  }

  var model: String
  var mode: String
  var batch: Int
  var threads: Int
  var weights_bytes: Int
  var optimizer_state_bytes: Int
  var other_state_bytes: Int
  var input_bytes: Int
  var output_bytes: Int
  var constant_bytes: Int
  var computed_once_bytes: Int
  /// Packed copies of constants.
  var packed_once_bytes: Int
  var prologue_bytes: Int
  var arena_bytes: Int
  var arena_lower_bound_bytes: Int
  var shared_scratch_bytes: Int
  var worker_scratch_bytes: Int
  /// The packed copies of operands in the scratch.
  var shared_packed_bytes: Int
  var worker_packed_bytes: Int
  var padding_bytes: Int
  var total_bytes: Int
  var lower_bound_bytes: Int
  var peak_launch: Int?
  var live_at_peak: [Resident]
  var timeline: [Step]
  /// The kernels with the most scratch.
  private var sharedScratchKernel: String?
  private var workerScratchKernel: String?

  private enum CodingKeys: String, CodingKey {
    case model, mode, batch, threads, weights_bytes, optimizer_state_bytes, other_state_bytes
    case input_bytes, output_bytes, constant_bytes, computed_once_bytes, packed_once_bytes
    case prologue_bytes, arena_bytes
    case arena_lower_bound_bytes, shared_scratch_bytes, worker_scratch_bytes
    case shared_packed_bytes, worker_packed_bytes
    case padding_bytes, total_bytes, lower_bound_bytes, peak_launch, live_at_peak, timeline
  }

  /// Reads a compilation's plan; without roles, donated inputs are state and the others data.
  init(
    model: String, mode: String, batch: Int, roles: [StepGraph.InputRole]?,
    _ compilation: Compilation
  ) {
    let plan = compilation.memoryPlan
    let timeline = compilation.memoryTimeline
    let shared = compilation.largestScratch(.shared)
    let worker = compilation.largestScratch(.worker)
    let inputs = compilation.graph.inputs
    let roles = roles ?? inputs.map { $0.donatedTo == nil ? .data : .otherState }
    func bytes(_ role: StepGraph.InputRole) -> Int {
      zip(roles, plan.inputs).reduce(0) { $1.0 == role ? $0 + $1.1 : $0 }
    }
    self.model = model
    self.mode = mode
    self.batch = batch
    threads = plan.workers
    weights_bytes = bytes(.weights)
    optimizer_state_bytes = bytes(.optimizerState)
    other_state_bytes = bytes(.otherState)
    input_bytes = bytes(.data)
    output_bytes = plan.outputs
    constant_bytes = plan.constants
    computed_once_bytes = plan.computedOnce
    packed_once_bytes = plan.packedOnce
    prologue_bytes = plan.prologue
    arena_bytes = plan.arena
    arena_lower_bound_bytes = plan.arenaLowerBound
    shared_scratch_bytes = plan.sharedScratch
    worker_scratch_bytes = plan.workerScratch
    shared_packed_bytes = shared?.packed ?? 0
    worker_packed_bytes = worker?.packed ?? 0
    sharedScratchKernel = shared?.kernel
    workerScratchKernel = worker?.kernel
    padding_bytes = plan.padding
    total_bytes = plan.total
    lower_bound_bytes = plan.lowerBound
    peak_launch = timeline.peak
    live_at_peak = timeline.residents.map {
      Resident(
        bytes: $0.bytes, type: $0.type.description, kernel: $0.kernel,
        location: $0.location.description, first_launch: $0.life.lowerBound,
        last_launch: $0.life.upperBound)
    }
    self.timeline = timeline.steps.map { Step(kernel: $0.kernel, live_bytes: $0.liveBytes) }
  }
}

// MARK: Text

extension PlanReport {
  /// The table, the chart and the list.
  var text: String {
    let size = batch > 0 ? "batch \(batch), " : ""
    let title = "\(model) (\(mode), \(size)\(threads) thread\(threads == 1 ? "" : "s"))"
    return ([title] + table + chart + list).joined(separator: "\n")
  }

  private var table: [String] {
    func note(_ kernel: String?, _ packed: Int) -> String {
      kernel.map { (packed > 0 ? "packed copies \(packed), " : "") + "in \($0)" } ?? ""
    }
    let shared = note(sharedScratchKernel, shared_packed_bytes)
    let worker =
      "\(threads) x \(worker_scratch_bytes): " + note(workerScratchKernel, worker_packed_bytes)
    let rows: [(name: String, bytes: Int, note: String)] = [
      ("weights", weights_bytes, ""),
      ("optimizer state", optimizer_state_bytes, ""),
      ("other state", other_state_bytes, ""),
      ("inputs", input_bytes, ""),
      ("outputs", output_bytes, ""),
      ("constants", constant_bytes, ""),
      ("computed once", computed_once_bytes, "from constants"),
      ("packed copies", packed_once_bytes, "of constants, made once"),
      ("prologue", prologue_bytes, "what is needed once, beyond what a run needs"),
      ("arena", arena_bytes, "no plan needs less than \(arena_lower_bound_bytes)"),
      ("shared scratch", shared_scratch_bytes, shared),
      ("worker scratch", worker_scratch_bytes * threads, worker),
      ("padding", padding_bytes, "alignment, and room to read past an end"),
    ]
    let sums: [(name: String, bytes: Int, note: String)] = [
      ("total", total_bytes, ""), ("lower bound", lower_bound_bytes, "without scratch"),
    ]
    return (rows.filter { $0.bytes != 0 } + sums).map { name, bytes, note in
      ("  " + name.padded(to: 16) + "\(bytes)".leftPadded(to: 12) + "  " + note).trimmedAtEnd
    }
  }

  /// The most rows that the chart has, and the width of its bars.
  private static let rows = 32
  private static let width = 40

  /// For each launch, or the fullest of a few in a row, the bytes in use as a bar.
  private var chart: [String] {
    guard let peak_launch, timeline[peak_launch].live_bytes > 0 else { return [] }
    let most = timeline[peak_launch].live_bytes
    let stride = (timeline.count + Self.rows - 1) / Self.rows
    var lines = ["in use of the arena, by launch (MB):"]
    for start in Swift.stride(from: 0, to: timeline.count, by: stride) {
      let part = start..<min(start + stride, timeline.count)
      let fullest = part.max { timeline[$0].live_bytes < timeline[$1].live_bytes } ?? start
      let bytes = timeline[fullest].live_bytes
      let length = Int((Double(bytes) / Double(most) * Double(Self.width)).rounded(.up))
      lines.append(
        ("\(fullest)".leftPadded(to: 6) + (Double(bytes) / 1e6).fixed(2).leftPadded(to: 10) + "  "
          + String(repeating: "█", count: length).padded(to: Self.width + 1)
          + timeline[fullest].kernel + (fullest == peak_launch ? "  <" : "")).trimmedAtEnd)
    }
    return lines
  }

  /// How many of the values at the peak are named.
  private static let named = 12

  private var list: [String] {
    guard let peak_launch, !live_at_peak.isEmpty else { return [] }
    var lines = ["in use at launch \(peak_launch) of \(timeline.count), where it is most:"]
    let shown = live_at_peak.prefix(Self.named)
    let width = shown.map(\.type.count).max() ?? 0
    for value in shown {
      let life = "\(value.first_launch)-\(value.last_launch)"
      lines.append(
        "\(value.bytes)".leftPadded(to: 12) + "  " + value.type.padded(to: width + 2)
          + "launches " + life.padded(to: 9) + value.location)
    }
    let others = live_at_peak.dropFirst(Self.named)
    if !others.isEmpty {
      let bytes = others.reduce(0) { $0 + $1.bytes }
      lines.append("\(bytes)".leftPadded(to: 12) + "  in \(others.count) others")
    }
    return lines
  }
}
