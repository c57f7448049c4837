import GraphIR
import LLVMBackend
import LoopIR

extension CacheKey {
  /// The most bytes of constants that a graph may have whose program is kept: more would have to be read and compared
  /// at each start.
  private static let constantBytes = 1 << 20

  /// The key of a graph's program: all that decides what it becomes.
  ///
  /// Without tuning it does not depend on the number of threads.
  ///
  /// - Returns: nil when there is no cache, or the graph has too many constants.
  package init?(_ graph: Graph, _ options: CompileOptions) {
    guard options.cache.folder != nil,
      let graphBytes = graph.bytes(withConstantsUpTo: CacheKey.constantBytes)
    else { return nil }
    var writer = ByteWriter()
    // A kernel's key begins with the name of a fault.
    writer.add("program")
    writer.add(options.fault?.rawValue ?? "")
    writer.add(tag: options.forbidsReuse ? 1 : 0)
    writer.add(tag: options.checkpointsActivations ? 1 : 0)
    writer.add(options.autotune ? options.threads : 0)
    writer.add(options.target ?? .host)
    writer.add(data: graphBytes)
    self.init(bytes: writer.bytes)
  }
}
