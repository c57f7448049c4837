import LLVMBackend

/// Where the code of a graph's kernels came from.
package struct CodeReport: Sendable {
  /// The graph's name.
  package var graph: String
  /// Where the program came from; nil when programs like it are not kept.
  package var program: CodeOrigin?
  /// The kernels' names and where their code came from.
  package var kernels: [(name: String, origin: CodeOrigin)]
  /// What measuring candidates did, for each kernel that has several.
  package var tuning: [TuningReport]
  /// The folder of the cache, or why there is none.
  package var cache: String
  /// Why new code could not be kept; nil when it was.
  package var problem: String?
  /// The time from graph to executable, in seconds.
  package var seconds: Double

  /// A line for each kernel and one for all.
  package var lines: [String] {
    let compiled = kernels.filter { $0.origin.isCompiled }.count
    let milliseconds = (seconds * 1e4).rounded() / 10
    var lines = program.map { ["\(graph): program: \($0)"] } ?? []
    lines += tuning.flatMap(\.lines).map { "\(graph): \($0)" }
    lines += kernels.map { "\(graph): kernel \($0.name): \($0.origin)" }
    lines.append(
      "\(graph): \(kernels.count) kernels, \(kernels.count - compiled) from the cache and \(compiled) "
        + "compiled, in \(milliseconds) ms; \(cache)")
    if let problem { lines.append("\(graph): new code could not be kept: \(problem)") }
    return lines
  }
}

extension CodeCache {
  /// The folder, or why there is none.
  fileprivate var summary: String {
    folder.map { "the cache is \($0)" } ?? "the cache is off: \(reasonOff ?? "")"
  }
}

extension CodeReport {
  /// Tells where a library's code came from.
  init(_ native: NativeProgram, _ cache: CodeCache, seconds: Double) {
    let library = native.library
    self.init(
      graph: native.graph.name, program: native.origin,
      kernels: zip(native.plan.kernels, library.origins).map { (name: $0.name, origin: $1) },
      tuning: native.tuning, cache: cache.summary,
      problem: library.origins.contains(where: \.isCompiled) ? cache.problem : nil, seconds: seconds
    )
  }
}
