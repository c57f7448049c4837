// swift-tools-version: 6.2
import Foundation
import PackageDescription

/// Martlet's own modules hold no warning; packages that depend on a version of Martlet are not bound by this.
let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .treatWarning("DeprecatedDeclaration", as: .warning),
]

/// `Scripts/setup.sh` writes LLVM's pkg-config file, system-wide or, without the right to, for one user.
let llvmOfUser = (Context.environment["HOME"] ?? "/") + "/.local/lib/pkgconfig/martlet-llvm.pc"
let llvm = FileManager.default.fileExists(atPath: llvmOfUser) ? llvmOfUser : "martlet-llvm"

/// One room of the house: the module in `Sources/<name>`.
func room(_ name: String, imports dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// The tests of one room, in `Tests/<room>Tests`.
func tests(
  of room: String, with dependencies: [Target.Dependency] = [], exclude: [String] = []
) -> Target {
  .testTarget(
    name: room + "Tests",
    dependencies: [.byName(name: room), "TestSupport"] + dependencies,
    exclude: exclude, swiftSettings: strict)
}

let package = Package(
  name: "martlet",
  products: [
    .library(name: "Martlet", targets: ["Martlet"]),
    .executable(name: "martlet", targets: ["CommandLineTool"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    .systemLibrary(name: "CLLVM", pkgConfig: llvm),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),

    room("GraphIR", imports: []),
    room("Interpreter", imports: ["GraphIR"]),
    room("Differentiation", imports: ["GraphIR"]),
    room("GraphPasses", imports: ["GraphIR", "Interpreter"]),
    room("LoopIR", imports: ["GraphIR"]),
    room("Lowering", imports: ["LoopIR", "GraphIR"]),
    room("LLVMBackend", imports: ["LoopIR", "GraphIR", "CLLVM"]),
    room("Runtime", imports: ["GraphIR", "LoopIR"]),
    room(
      "Compiler",
      imports: [
        "GraphIR", "Interpreter", "Differentiation", "GraphPasses", "LoopIR", "Lowering",
        "LLVMBackend", "Runtime",
      ]),
    room(
      "Martlet",
      imports: [
        "Compiler", "GraphIR", "Differentiation", "Runtime", "Interpreter", "CZlib", "CPNG",
      ]),
    .target(
      name: "Samples", dependencies: ["Martlet"], path: "Samples",
      exclude: ["README.md"], resources: [.copy("Data")], swiftSettings: strict),
    .executableTarget(
      name: "CommandLineTool",
      dependencies: [
        "Martlet", "Samples", "Compiler", "GraphIR", "Interpreter", "Differentiation",
        "GraphPasses", "LoopIR", "Lowering", "LLVMBackend", "Runtime",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Sources/CommandLine", swiftSettings: strict),

    .target(name: "CacheOff", path: "Tests/CacheOff"),
    .target(
      name: "TestSupport", dependencies: ["GraphIR", "CacheOff"], path: "Tests/TestSupport",
      swiftSettings: strict),
    tests(of: "GraphIR", with: ["Compiler"]),
    tests(of: "Interpreter", with: ["GraphIR", "Compiler"]),
    tests(of: "Differentiation", with: ["GraphIR", "Interpreter", "Compiler"]),
    tests(of: "GraphPasses", with: ["GraphIR", "Interpreter", "Compiler"]),
    tests(of: "LoopIR", with: ["GraphIR"]),
    tests(
      of: "Lowering", with: ["GraphIR", "LoopIR", "Interpreter", "Differentiation", "Compiler"]),
    tests(of: "LLVMBackend", with: ["GraphIR", "LoopIR", "Lowering", "Interpreter", "CLLVM"]),
    tests(of: "Runtime", with: ["GraphIR", "LoopIR"]),
    tests(
      of: "Compiler",
      with: [
        "GraphIR", "Interpreter", "Differentiation", "GraphPasses", "LoopIR", "Lowering",
        "LLVMBackend", "Runtime",
      ]),
    .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
    .target(name: "ThreadCounter", path: "Tests/ThreadCounter"),
    tests(
      of: "Martlet",
      with: [
        "Compiler", "GraphIR", "Runtime", "Interpreter", "CZlib", "CPNG", "AllocationCounter",
      ],
      // Values that PyTorch computed, and the script that asked it.
      exclude: ["Reference/Values"]),
    tests(
      of: "Samples",
      with: ["Martlet", "Compiler", "GraphIR", "Runtime", "AllocationCounter", "ThreadCounter"]),
    .testTarget(
      name: "CommandLineTests", dependencies: ["CommandLineTool", "TestSupport"],
      swiftSettings: strict),
  ]
)
