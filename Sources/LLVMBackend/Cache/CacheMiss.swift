/// Where a kernel's code came from.
package enum CodeOrigin: Hashable, Sendable {
  /// An entry of the cache.
  case cache
  /// Another kernel of the same library, which has the same loops.
  case equalKernel
  /// It was compiled now.
  case compiled(CacheMiss)

  /// Whether it was compiled now.
  package var isCompiled: Bool {
    if case .compiled = self { true } else { false }
  }
}

/// Why code was not taken from the cache.
package enum CacheMiss: Error, Hashable, Sendable {
  /// The kernel has not been seen, or its entry was the least recently used one.
  case new
  /// The entry is not what was written.
  case damaged(String)
  /// The entry is of another kernel with the same fingerprint.
  case otherKernel
  /// There is code for another processor, of this name.
  case otherProcessor(String)
  /// There is code that another LLVM made, of this version.
  case otherLLVM(String)
  /// There is code that another build of this program made.
  case otherBuild
  /// The entry cannot be read.
  case unreadable(String)
  /// There is no cache.
  case off(String)

  /// Whether there is nothing that could have been taken.
  package var isAbsence: Bool {
    switch self {
    case .new, .otherProcessor, .otherLLVM, .otherBuild, .off: true
    case .damaged, .otherKernel, .unreadable: false
    }
  }
}

extension CodeOrigin: CustomStringConvertible {
  /// `hit`, or `miss: ` and the reason.
  package var description: String {
    switch self {
    case .cache: "hit"
    case .equalKernel: "hit: equal to another kernel"
    case .compiled(let miss): "miss: \(miss)"
    }
  }
}

extension CacheMiss: CustomStringConvertible {
  /// The reason in words.
  package var description: String {
    switch self {
    case .new: "new"
    case .damaged(let reason): "the entry is damaged: \(reason)"
    case .otherKernel: "the entry is another kernel's"
    case .otherProcessor(let name): "there is code for another processor (\(name))"
    case .otherLLVM(let version): "there is code of another LLVM (\(version))"
    case .otherBuild: "there is code of another build of this program"
    case .unreadable(let reason): "the entry cannot be read: \(reason)"
    case .off(let reason): "the cache is off: \(reason)"
    }
  }
}
