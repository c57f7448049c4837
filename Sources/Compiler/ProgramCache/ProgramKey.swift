import GraphIR
import LLVMBackend
import LoopIR

extension CacheKey {
  /// The key of a graph's program: all that decides what it becomes.
  ///
  /// Without tuning it does not depend on the number of threads.
  ///
  /// - Returns: nil when there is no cache.
  package init?(_ graph: Graph, _ options: CompileOptions) {
    guard options.cache.folder != nil,
      let graphBytes = graph.bytes(withConstantsUpTo: GraphConstants.smallBytes)
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
