import ArgumentParser
import Compiler
import GraphIR
import Martlet
import Runtime

/// `martlet run`: runs a model on files.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run a model on .npy files and write its outputs as .npy files.",
    discussion: """
      Parameters come from --weights, or else are the sample's initial ones; every other input is given with \
      --input. The first extent of a sample's inputs is the number of examples.

      EXAMPLES:
        martlet run lenet --weights lenet.safetensors --input image=digits.npy --output-dir out
        martlet run dense.mir --input x=x.npy --input weight=w.npy --input bias=b.npy --output-dir out
      """)

  @Argument(help: "A sample's name or a .mir file.")
  var model: String

  @Option(help: "A checkpoint (.safetensors) with the parameters.")
  var weights: String?

  @Option(help: ArgumentHelp("An input, from a file.", valueName: "name=file.npy"))
  var input: [NamedFile] = []

  @Option(help: "The folder for the outputs, one NAME.npy each; made when missing.")
  var outputDir: String

  @OptionGroup var options: BackendOptions

  @OptionGroup var report: ReportOptions

  func run() throws {
    var given: [String: Literal] = [:]
    for file in input { given[file.name] = try NPY.read(file.path) }
    // The files say how many examples there are.
    let batch = input.lazy.compactMap { given[$0.name]?.type.shape.extents.first }.first
    let model = try LoadedModel.load(model, training: false, defaultBatch: batch)
    try model.checkNames(of: input)
    // What a checkpoint lacks is not made up.
    let known = try weights.map { try SafeTensors(path: $0).literals } ?? model.parameters()
    let inputs = try model.graph.inputs.map { input in
      if let literal = given[input.name] ?? known[input.name] { return literal }
      throw missing(input)
    }
    let results = try execute(model.graph, inputs)
    try createFolder(outputDir)
    for (output, literal) in zip(model.graph.outputs, results) {
      let path = "\(outputDir)/\(String(output.name.map { $0 == "/" ? "_" : $0 })).npy"
      try NPY.write(literal, to: path)
      print("\(output.name): \(literal.type) -> \(path)")
    }
  }

  private func missing(_ input: Input) -> Diagnostic {
    let place = weights.map { ", nor is it in '\($0)'" } ?? ""
    return Diagnostic(
      .argument, "the input '\(input.name)' of type \(input.type) is not given\(place)",
      at: input.location, hint: "--input \(input.name)=FILE.npy")
  }

  private func execute(_ graph: Graph, _ inputs: [Literal]) throws -> [Literal] {
    let executable = try options.makeBackend(report).prepare(graph)
    var session = try Session(executable)
    for (index, literal) in inputs.enumerated() {
      try graph.checkInput(index, literal)
      session.inputs[index].write(literal)
    }
    try session.run()
    return session.outputs.map { $0.literal() }
  }
}

extension BackendOptions {
  /// The backend asked for.
  ///
  /// - Throws: when it is the interpreter, which keeps or frees values in its own way and has no kernels, and activations
  ///   are to be computed again or kernels timed.
  func makeBackend(
    _ report: ReportOptions, checkpointingActivations: Bool = false
  ) throws(Diagnostic) -> any Backend {
    switch backend {
    case .jit:
      var options = CompileOptions(
        threads: threadCount, checkpointsActivations: checkpointingActivations,
        autotune: tuning.autotune)
      options.didCompile = report.didCompile
      return JITBackend(options: options)
    case .interpreter:
      guard !tuning.autotune else {
        throw Diagnostic(
          .argument, "the interpreter has no kernels to time",
          hint: "--autotune is for the jit backend")
      }
      guard !checkpointingActivations else {
        throw Diagnostic(
          .argument, "the interpreter runs the graph as it is",
          hint: "--checkpoint-activations is for the jit backend")
      }
      return InterpreterBackend()
    }
  }
}

extension Graph {
  /// Checks that a literal has the type of an input.
  func checkInput(_ index: Int, _ literal: Literal) throws(Diagnostic) {
    guard literal.type == inputs[index].type else {
      throw Diagnostic(
        literal.type.dtype == inputs[index].type.dtype ? .shapeMismatch : .typeMismatch,
        "the input '\(inputs[index].name)' is \(inputs[index].type), but \(literal.type) was given",
        at: inputs[index].location)
    }
  }
}
