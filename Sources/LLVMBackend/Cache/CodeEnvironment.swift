import CLLVM
import GraphIR

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What decides, beside the kernel, which code it becomes: the processor, LLVM, and the build of Martlet.
package struct CodeEnvironment: Hashable, Sendable {
  /// A line for each fact: its name, a space, its value.
  package let text: String

  /// A fact, and what code that differs in it was made for or by.
  private enum Fact: String, CaseIterable {
    case processor, features, target, llvm, passes, build
  }

  package init(text: String) { self.text = text }

  /// The present one; nil when the files of the program and of LLVM cannot be told from others.
  package static let current: CodeEnvironment? = {
    // `#dsohandle` lies in the image of this module, which is the program's where it is linked statically.
    let images = LoadedImages()
    guard let build = images.fileIdentity(of: #dsohandle),
      let llvm = dlsym(nil, "LLVMGetVersion").flatMap({ images.fileIdentity(of: $0) })
    else { return nil }
    return CodeEnvironment(host: .current, build: build, llvmFile: llvm)
  }()

  /// Describes a machine and a build.
  package init(host: Host, build: String, llvmFile: String) {
    text = Fact.allCases.map { fact in
      let value =
        switch fact {
        case .processor: host.cpuName
        case .features: host.features
        case .target: host.triple
        case .llvm: "\(host.llvmVersion) \(llvmFile)"
        case .passes: CodeModule.passes
        case .build: build
        }
      return "\(fact.rawValue) \(value)\n"
    }.joined()
  }

  /// Why code that was made elsewhere is not taken here.
  func difference(from other: CodeEnvironment) -> CacheMiss {
    let (ours, theirs) = (facts, other.facts)
    func differs(_ fact: Fact) -> Bool { ours[fact] != theirs[fact] }
    if differs(.processor) || differs(.features) || differs(.target) {
      return .otherProcessor(theirs[.processor].map(String.init) ?? "unknown")
    }
    if differs(.llvm) {
      return .otherLLVM(theirs[.llvm].map { String($0.prefix { $0 != " " }) } ?? "unknown")
    }
    return .otherBuild
  }

  private var facts: [Fact: Substring] {
    var facts: [Fact: Substring] = [:]
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: " ", maxSplits: 1)
      guard let name = parts.first, let fact = Fact(rawValue: String(name)) else { continue }
      facts[fact] = parts.count == 2 ? parts[1] : ""
    }
    return facts
  }
}
