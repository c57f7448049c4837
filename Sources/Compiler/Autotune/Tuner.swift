import GraphIR
import LLVMBackend
import LoopIR
import Lowering
import Runtime

/// Times the few best candidates of each kernel on this machine and takes the fastest.
///
/// Candidates add up in the same order, so that a result's bits do not depend on what is chosen. What was chosen is kept
/// in the cache, by kernel, target and number of threads.
package struct Tuner {
  /// The code's target: this machine.
  package let target: Target
  /// The threads that run the code.
  package let threads: Int
  /// The threads that compile it.
  package let compileThreads: Int
  /// Where decisions are kept.
  package let cache: CodeCache
  /// The most bytes that the kernel being timed may have; more are not measured.
  package var byteLimit = Tuner.standardByteLimit
  /// The longest that a kernel may be timed, in seconds.
  package var secondLimit = 10.0

  /// Makes a tuner.
  package init(target: Target, threads: Int, compileThreads: Int, cache: CodeCache) {
    self.target = target
    self.threads = threads
    self.compileThreads = compileThreads
    self.cache = cache
  }

  /// How many candidates of a kernel are tried.
  package static let candidateCount = 6
  /// How much faster than the cost model's choice another has to be: less is noise.
  private static let leastGain = 1.03

  /// A quarter of the memory that this process may use: the program's own tensors come after this, not beside it, but the
  /// data that it will be given may be there already.
  package static var standardByteLimit: Double { MemoryBudget.bytes() / 4 }

  /// A kernel with several candidates.
  private struct Problem {
    var place: Int
    var kernel: Kernel
    var key: CacheKey
    var candidates: [ScheduleCandidate]
    /// Those that differ in their code.
    var choices: [(place: Int, loops: Loops)] = []
    /// Why what the cache had was not taken.
    var ignored: String?

    var scratch: [WorkspaceSize.Scratch] {
      choices.map {
        WorkspaceSize.Scratch(
          shared: $0.loops.sharedScratchBytes, worker: $0.loops.workerScratchBytes)
      }
    }
  }

  /// Chooses among the candidates of kernels.
  ///
  /// - Parameters:
  ///   - kernels: the kernels.
  ///   - loops: the cost model's choices.
  /// - Throws: when a candidate cannot be compiled, which is our bug.
  package func tune(
    _ kernels: [Kernel], _ loops: [Loops]
  ) throws(Diagnostic) -> (loops: [Loops], reports: [TuningReport]) {
    var tuned = loops
    var reports: [TuningReport] = []
    var problems: [Problem] = []
    var first: [CacheKey: Int] = [:]
    var equal: [(place: Int, other: Int)] = []
    for (place, kernel) in kernels.enumerated() {
      let key = CacheKey(loops[place], CodeOptions())
      if let other = first[key] {
        equal.append((place, other))
        continue
      }
      first[key] = place
      let candidates = scheduleCandidates(kernel, for: target, atMost: Tuner.candidateCount)
      guard candidates.count > 1 else { continue }
      var problem = Problem(
        place: place, kernel: kernel,
        key: CacheKey(decisionFor: key, target, threads: threads), candidates: candidates)
      do throws(CacheMiss) {
        let (kept, report) = try kept(problem)
        if let kept { tuned[place] = kept }
        reports.append(report)
      } catch {
        problem.ignored = error.isAbsence ? nil : "\(error)"
        problem.choices = try distinct(candidates)
        if problem.choices.count > 1 { problems.append(problem) }
      }
    }
    for (problem, report) in try measured(problems) {
      let choice = problem.choices.first { $0.place == report.chosen }
      if let choice { tuned[problem.place] = choice.loops }
      reports.append(report)
    }
    for (place, other) in equal { tuned[place] = tuned[other] }
    return (tuned, reports)
  }

  /// The candidates that differ in their code.
  private func distinct(
    _ candidates: [ScheduleCandidate]
  ) throws(Diagnostic) -> [(place: Int, loops: Loops)] {
    var known: Set<CacheKey> = []
    var choices: [(place: Int, loops: Loops)] = []
    for (place, candidate) in candidates.enumerated() {
      let loops = try candidate.loops()
      if known.insert(CacheKey(loops, CodeOptions())).inserted { choices.append((place, loops)) }
    }
    return choices
  }

  // MARK: The cache

  /// What the cache has for a kernel: its loops, nil for the cost model's choice.
  private func kept(_ problem: Problem) throws(CacheMiss) -> (loops: Loops?, report: TuningReport) {
    let bytes = try cache.data(of: problem.key)
    guard let decision = try? TuningDecision(bytes: bytes),
      decision.place < problem.candidates.count
    else { throw .damaged("it is no choice for this kernel") }
    let candidate = problem.candidates[decision.place]
    var report = TuningReport(kernel: problem.kernel.name, source: .cache)
    if decision.place == 0 { return (nil, report) }
    guard let loops = try? candidate.loops(),
      CacheKey(loops, CodeOptions()).name == decision.code
    else { throw .damaged("it is no choice for this kernel") }
    report.chosen = decision.place
    report.summary = candidate.summary
    report.gain = Double(decision.gain) / 1000
    return (loops, report)
  }

  private func keep(_ report: TuningReport, _ problem: Problem) {
    let choice = problem.choices.first { $0.place == report.chosen }
    guard let choice else { return }
    let decision = TuningDecision(
      place: report.chosen, code: CacheKey(choice.loops, CodeOptions()).name,
      gain: Int(report.gain * 1000))
    cache.store(decision.bytes, of: problem.key)
  }

  // MARK: Measuring

  /// Times the candidates of kernels, kernel by kernel.
  private func measured(
    _ problems: [Problem]
  ) throws(Diagnostic) -> [(problem: Problem, report: TuningReport)] {
    var reports: [(problem: Problem, report: TuningReport)] = []
    var small: [Problem] = []
    for problem in problems {
      let bytes = KernelTrial.bytes(problem.kernel, problem.scratch, threads: threads)
      if bytes <= byteLimit {
        small.append(problem)
      } else {
        let reason =
          "its tensors have \(MemoryBudget.gigabytes(bytes)), and measuring may take "
          + MemoryBudget.gigabytes(byteLimit)
        reports.append(
          (problem, TuningReport(kernel: problem.kernel.name, source: .skipped(reason))))
      }
    }
    guard !small.isEmpty else { return reports }
    // Code that loses is not worth a place in the cache.
    let library = try JITLibrary(
      small.flatMap { $0.choices.map(\.loops) }, options: CodeOptions(), threads: compileThreads)
    defer { withExtendedLifetime(library) {} }
    let pool = ThreadPool(threads: threads)
    var next = 0
    for problem in small {
      let codes = problem.choices.enumerated().map { number, choice in
        KernelCode(choice.loops, functions: library.functions(ofKernel: next + number))
      }
      next += codes.count
      let report = report(problem, codes, pool)
      if case .measured = report.source { keep(report, problem) }
      reports.append((problem, report))
    }
    return reports
  }

  private func report(
    _ problem: Problem, _ codes: [KernelCode], _ pool: ThreadPool
  ) -> TuningReport {
    var report = TuningReport(kernel: problem.kernel.name, source: .measured([]))
    report.ignored = problem.ignored
    let trial = KernelTrial(problem.kernel, problem.scratch, pool)
    guard let times = trial.times(codes, seconds: secondLimit) else {
      report.source = .skipped("some runs of each candidate take more than \(secondLimit) s")
      return report
    }
    let candidates = problem.choices.map { problem.candidates[$0.place] }
    report.source = .measured(
      zip(candidates, times.best).map {
        TuningReport.Trial(summary: $0.summary, cost: $0.cost, seconds: $1)
      })
    guard times.gain >= Tuner.leastGain else { return report }
    report.chosen = problem.choices[times.place].place
    report.summary = candidates[times.place].summary
    report.gain = times.gain
    return report
  }
}
