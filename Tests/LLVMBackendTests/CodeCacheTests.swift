import Foundation
import GraphIR
import LLVMBackend
import LoopIR
import Testing

/// Compiled kernels on disk.
@Suite struct CodeCacheTests {
  /// A folder of this test's own.
  let folder: String = FileManager.default.temporaryDirectory
    .appending(path: "martlet-cache-\(UUID().uuidString)").path

  /// `y = x + c`.
  static func kernel(_ c: Float, name: String = "x") throws -> Loops {
    try buildLoops([
      LoopMemory(name: name, dtype: .f32, count: 8, kind: .input),
      LoopMemory(name: "y", dtype: .f32, count: 8, kind: .output),
    ]) { (builder: LoopsBuilder, _: LoopIndex) throws(Diagnostic) in
      let type = LoopType(.f32, lanes: 8)
      let x = builder.define(.load(LoopAccess(memory: 0, offset: LoopIndex())), type)
      let c = builder.define(.constant(UInt64(c.bitPattern)), type)
      let sum = builder.define(.binary(.add, x, c), type)
      builder.store(sum, LoopAccess(memory: 1, offset: LoopIndex()))
    }
  }

  /// Compiles kernels, or takes them from the cache, and runs each on 0, 1, 2, ...
  static func run(
    _ kernels: [Loops], _ cache: CodeCache
  ) throws -> (origins: [CodeOrigin], results: [[UInt32]]) {
    let library = try JITLibrary(kernels, options: CodeOptions(), cache: cache)
    defer { withExtendedLifetime(library) {} }
    let results = kernels.indices.map { kernel -> [UInt32] in
      let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)
      defer { memory.deallocate() }
      let floats = memory.bindMemory(to: Float.self, capacity: 16)
      for place in 0..<8 { floats[place] = Float(place) / 3 }
      var table: [UnsafeMutableRawPointer?] = [memory, memory + 32]
      for function in library.functions(ofKernel: kernel) { function(&table, 0, 1, nil) }
      return (8..<16).map { floats[$0].bitPattern }
    }
    return (library.origins, results)
  }

  /// What `run` must give.
  static func expected(_ constants: [Float]) -> [[UInt32]] {
    constants.map { c in (0..<8).map { (Float($0) / 3 + c).bitPattern } }
  }

  /// The paths of all files below the folder.
  func files() -> [String] {
    let names = FileManager.default.enumerator(atPath: folder)?.allObjects as? [String] ?? []
    return names.map { "\(folder)/\($0)" }.filter {
      var isFolder = false
      return FileManager.default.fileExists(atPath: $0, isDirectory: &isFolder) && !isFolder
    }
  }

  @Test func aSecondLibraryTakesTheSameCode() throws {
    let constants: [Float] = [0.1, 2, -7]
    let kernels = try constants.map { try CodeCacheTests.kernel($0) }
    let without = try CodeCacheTests.run(kernels, .off)
    let first = try CodeCacheTests.run(kernels, CodeCache(folder: folder))
    let second = try CodeCacheTests.run(kernels, CodeCache(folder: folder))
    #expect(first.origins == Array(repeating: .compiled(.new), count: 3))
    #expect(second.origins == Array(repeating: .cache, count: 3))
    #expect(without.results == CodeCacheTests.expected(constants))
    #expect(first.results == without.results)
    #expect(second.results == without.results)
    #expect(CodeCache(folder: folder).measure().entries == 3)
  }

  @Test func equalKernelsAreCompiledOnce() throws {
    let kernels = [
      try CodeCacheTests.kernel(3), try CodeCacheTests.kernel(3, name: "z"),
      try CodeCacheTests.kernel(4),
    ]
    let outcome = try CodeCacheTests.run(kernels, CodeCache(folder: folder))
    #expect(outcome.origins == [.compiled(.new), .equalKernel, .compiled(.new)])
    #expect(outcome.results == CodeCacheTests.expected([3, 3, 4]))
  }

  @Test func damagedEntriesAreReplaced() throws {
    let kernel = [try CodeCacheTests.kernel(5)]
    _ = try CodeCacheTests.run(kernel, CodeCache(folder: folder))
    let path = try #require(files().first)
    let whole = [UInt8](try Data(contentsOf: URL(filePath: path)))
    var damaged: [[UInt8]] = []
    // Places in the header, in each of its lengths, in the texts and in the code.
    let places = [0, 8, 15, 16, 24, 31, 32, 47, 48, 200, whole.count / 2, whole.count - 1]
    for place in places {
      var bytes = whole
      bytes[place] ^= 0x40
      damaged.append(bytes)
    }
    for length in [0, 1, 7, 47, 48, whole.count / 2, whole.count - 1] {
      damaged.append(Array(whole.prefix(length)))
    }
    damaged.append(whole + [0])
    damaged.append(Array(repeating: 0xff, count: 4096))
    for bytes in damaged {
      try Data(bytes).write(to: URL(filePath: path))
      let outcome = try CodeCacheTests.run(kernel, CodeCache(folder: folder))
      guard case .compiled(.damaged) = outcome.origins[0] else {
        Issue.record("\(bytes.count) bytes were taken as \(outcome.origins[0])")
        continue
      }
      #expect(outcome.results == CodeCacheTests.expected([5]))
      #expect(try [UInt8](Data(contentsOf: URL(filePath: path))) == whole, "it is replaced")
    }
    #expect(try CodeCacheTests.run(kernel, CodeCache(folder: folder)).origins == [.cache])
  }

  /// What is no file, or larger than all entries may be, is not read, and replaced.
  @Test func strangeEntriesAreNotRead() throws {
    let kernel = [try CodeCacheTests.kernel(8)]
    _ = try CodeCacheTests.run(kernel, CodeCache(folder: folder))
    let path = try #require(files().first)
    let strange: [(String, () -> Bool)] = [
      ("pipe", { mkfifo(path, 0o600) == 0 }),
      ("endless", { symlink("/dev/zero", path) == 0 }),
      ("sparse", { close(creat(path, 0o600)) == 0 && truncate(path, 1 << 40) == 0 }),
    ]
    for (name, make) in strange {
      #expect(unlink(path) == 0)
      try #require(make(), "\(name)")
      let outcome = try CodeCacheTests.run(kernel, CodeCache(folder: folder))
      guard case .compiled(.unreadable) = outcome.origins[0] else {
        Issue.record("\(name): \(outcome.origins[0])")
        continue
      }
      #expect(outcome.results == CodeCacheTests.expected([8]))
      #expect(try CodeCacheTests.run(kernel, CodeCache(folder: folder)).origins == [.cache])
    }
  }

  @Test func anEntryOfAnotherKernelIsNotTaken() throws {
    _ = try CodeCacheTests.run([try CodeCacheTests.kernel(1)], CodeCache(folder: folder))
    let first = try #require(files().first)
    let content = try Data(contentsOf: URL(filePath: first))
    let kernel = [try CodeCacheTests.kernel(2)]
    _ = try CodeCacheTests.run(kernel, CodeCache(folder: folder))
    // As if both had the same fingerprint.
    for path in files() { try content.write(to: URL(filePath: path)) }
    let outcome = try CodeCacheTests.run(kernel, CodeCache(folder: folder))
    #expect(outcome.origins == [.compiled(.otherKernel)])
    #expect(outcome.results == CodeCacheTests.expected([2]))
  }

  @Test func codeOfAnotherMachineOrBuildIsNotTaken() throws {
    func environment(_ processor: String, _ llvm: String, _ build: String) -> CodeEnvironment {
      CodeEnvironment(text: "processor \(processor)\nllvm \(llvm)\nbuild \(build)\n")
    }
    let kernel = [try CodeCacheTests.kernel(6)]
    func origin(_ processor: String, _ llvm: String, _ build: String) throws -> CodeOrigin {
      let cache = CodeCache(folder: folder, environment: environment(processor, llvm, build))
      return try CodeCacheTests.run(kernel, cache).origins[0]
    }
    #expect(try origin("old", "21 a", "1") == .compiled(.new))
    #expect(try origin("old", "21 a", "1") == .cache)
    for path in files() { try FileManager.default.removeItem(atPath: path) }
    for (now, miss) in [
      (("new", "21 a", "1"), CacheMiss.otherProcessor("old")),
      (("old", "22 b", "1"), .otherLLVM("21")),
      (("old", "21 a", "2"), .otherBuild),
    ] {
      #expect(try origin("old", "21 a", "1") == .compiled(.new))
      #expect(try origin(now.0, now.1, now.2) == .compiled(miss))
      for path in files() { try FileManager.default.removeItem(atPath: path) }
    }
  }

  @Test func theLeastRecentlyUsedGoFirst() throws {
    let constants: [Float] = [1, 2, 3, 4, 5, 6, 7, 8]
    var paths: [String] = []
    for (age, constant) in constants.enumerated() {
      let known = Set(files())
      _ = try CodeCacheTests.run([try CodeCacheTests.kernel(constant)], CodeCache(folder: folder))
      let path = try #require(files().first { !known.contains($0) })
      // The first is the oldest.
      let used = Date(timeIntervalSinceNow: Double(age - 100) * 10_000)
      try FileManager.default.setAttributes([.modificationDate: used], ofItemAtPath: path)
      paths.append(path)
    }
    // A hit makes the oldest the youngest.
    _ = try CodeCacheTests.run([try CodeCacheTests.kernel(1)], CodeCache(folder: folder))
    let bytes = CodeCache(folder: folder).measure().bytes
    let small = CodeCache(folder: folder, byteLimit: bytes)
    #expect(
      try CodeCacheTests.run([try CodeCacheTests.kernel(9)], small).origins == [.compiled(.new)])
    let left = Set(files())
    #expect(small.measure().bytes <= bytes / 4 * 3)
    #expect(left.contains(paths[0]) && !left.contains(paths[1]) && left.contains(paths[7]))
    let gone = paths.dropFirst().prefix { !left.contains($0) }
    #expect(left.isSuperset(of: paths.dropFirst(gone.count + 1)), "only the oldest are gone")
    // Within the limit nothing goes.
    let roomy = CodeCache(folder: folder, byteLimit: 1 << 30)
    _ = try CodeCacheTests.run([try CodeCacheTests.kernel(10)], roomy)
    #expect(left.isSubset(of: files()))
  }

  @Test func aFolderThatCannotBeWrittenCostsOnlyTheCache() throws {
    // A file stands where the folder would have to be.
    try Data().write(to: URL(filePath: folder))
    for path in [folder, "\(folder)/below", "/proc/martlet"] {
      let cache = CodeCache(folder: path)
      let outcome = try CodeCacheTests.run([try CodeCacheTests.kernel(11)], cache)
      #expect(outcome.origins[0].isCompiled)
      #expect(outcome.results == CodeCacheTests.expected([11]))
      #expect(cache.problem != nil)
      #expect(cache.measure().entries == 0)
    }
  }

  @Test func processesThatWriteAtTheSameTimeDoNotDisturbEachOther() async throws {
    let folder = folder
    let constants: [Float] = [1, 2, 3, 4, 5, 6]
    try await withThrowingTaskGroup(of: [[UInt32]].self) { group in
      for writer in 0..<6 {
        group.addTask {
          // As in a process of its own; the small limit makes entries vanish meanwhile.
          let cache = CodeCache(folder: folder, byteLimit: writer % 2 == 0 ? 1 << 30 : 1 << 13)
          var results: [[UInt32]] = []
          for _ in 0..<5 {
            let kernels = try constants.map { try CodeCacheTests.kernel($0) }
            results = try CodeCacheTests.run(kernels, cache).results
            guard results == CodeCacheTests.expected(constants) else { return results }
          }
          return results
        }
      }
      for try await results in group { #expect(results == CodeCacheTests.expected(constants)) }
    }
    #expect(files().allSatisfy { !$0.hasSuffix(".tmp") })
    let kernels = try constants.map { try CodeCacheTests.kernel($0) }
    _ = try CodeCacheTests.run(kernels, CodeCache(folder: folder))
    let last = try CodeCacheTests.run(kernels, CodeCache(folder: folder))
    #expect(last.origins == Array(repeating: .cache, count: 6))
    #expect(last.results == CodeCacheTests.expected(constants))
  }

  @Test func theEnvironmentSaysWhere() {
    func cache(_ variables: [String: String]) -> CodeCache { CodeCache { variables[$0] } }
    #expect(cache(["HOME": "/h"]).folder == "/h/.cache/martlet")
    #expect(cache(["HOME": "/h", "XDG_CACHE_HOME": "/x"]).folder == "/x/martlet")
    #expect(cache(["HOME": "/h", "XDG_CACHE_HOME": "x"]).folder == "/h/.cache/martlet")
    #expect(cache(["HOME": "/h", "MARTLET_CACHE": "/m"]).folder == "/m")
    #expect(cache(["HOME": "/h", "MARTLET_CACHE": ""]).folder == "/h/.cache/martlet")
    #expect(cache(["HOME": "/h", "MARTLET_CACHE": "off"]).folder == nil)
    #expect(cache(["HOME": "/h", "MARTLET_CACHE": "off"]).reasonOff != nil)
    #expect(cache([:]).reasonOff != nil)
    #expect(CodeCache.standard.folder == nil, "tests leave the user's cache alone")
  }
}
