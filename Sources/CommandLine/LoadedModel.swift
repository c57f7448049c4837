import Compiler
import GraphIR
import Martlet
import Samples

/// A model that a verb works on: a sample's graph, or one from a file.
struct LoadedModel {
  /// The sample's name or the graph's.
  let name: String
  /// The graph.
  let graph: Graph
  /// The number of examples in a batch; 0 for a file.
  let batch: Int
  /// What each input of a sample's graph is for; nil for a file, which does not say.
  let inputRoles: [StepGraph.InputRole]?
  /// Values of inputs that a sample has: first parameters, state, and a batch of its data.
  private let values: (UInt64) throws -> [String: Literal]
  /// The inputs that are a sample's data.
  private let dataNames: [String]

  /// Finds a model: a path that ends in `.mir`, or a sample's name.
  ///
  /// - Parameters:
  ///   - batch: the number of examples in a sample's batch; what a file holds is fixed.
  ///   - defaultBatch: what it is when nobody says; nil for the sample's own.
  static func load(
    _ reference: String, training: Bool, batch: Int? = nil, defaultBatch: Int? = nil,
    exposesGradients: Bool = false
  ) throws -> LoadedModel {
    if reference.hasSuffix(".mir") {
      guard !training, batch == nil else {
        throw Diagnostic(
          .argument, "'\(reference)' holds one graph: --train and --batch are for samples",
          hint: "`martlet dump SAMPLE --train --batch N > FILE.mir` writes a training step")
      }
      let graph = try Graph.read(reference)
      return LoadedModel(
        name: graph.name, graph: graph, batch: 0, inputRoles: nil, values: { _ in [:] },
        dataNames: [])
    }
    let recipe = try recipe(named: reference)
    let batch = batch ?? defaultBatch ?? recipe.batch
    let step = try recipe.step(
      training: training, batch: batch, withGradients: exposesGradients && training)
    return LoadedModel(
      name: reference, graph: step.graph, batch: batch, inputRoles: step.inputRoles,
      values: { try recipe.exampleInputs(training: training, batch: batch, seed: $0) },
      dataNames: [recipe.example.inputName, recipe.example.labelName])
  }

  /// The sample of the given name, or of one recipe of a sample.
  static func sample(named name: String) throws(Diagnostic) -> Sample {
    if let sample = Samples.named(name) { return sample }
    throw noSample(name)
  }

  /// The first recipe of the sample of the given name, which is told where there are others, or the one that the name has
  /// after a slash.
  static func recipe(named name: String) throws(Diagnostic) -> Recipe {
    guard let recipe = Samples.recipe(named: name) else { throw noSample(name) }
    let count = Samples.named(name)?.recipes.count ?? 1
    if count > 1 {
      printToStandardError(
        "'\(name)' compares \(count) models; this is the first of them, \(name)/\(recipe.name)")
    }
    return recipe
  }

  /// What to say where no sample, or no recipe of one, has a name.
  static func noSample(_ name: String) -> Diagnostic {
    let sample = name.split(separator: "/").first.flatMap { Samples.named(String($0)) }
    if let sample, name.contains("/") {
      let names = sample.recipes.map(\.name).filter { !$0.isEmpty }
      return Diagnostic(
        .name, "the sample '\(sample.name)' has no '\(name.dropFirst(sample.name.count + 1))'",
        hint: names.isEmpty ? "it trains one model" : "it has " + names.joined(separator: ", "))
    }
    return Diagnostic(
      .name, "there is no sample '\(name)'",
      hint: "the samples are " + Samples.all.map(\.name).joined(separator: ", ")
        + "; a file's name ends in .mir")
  }

  /// A literal for each input of the graph: from files, from the sample, or else drawn from the seed.
  func inputs(seed: UInt64, files: [NamedFile]) throws -> [Literal] {
    // As literals and in the buffers of a run.
    try MemoryBudget.require(2 * graph.interfaceBytes, for: "a run of '\(name)'")
    var known = try values(seed)
    for file in files { known[file.name] = try NPY.read(file.path) }
    try checkNames(of: files)
    let seeded = graph.seededInputs(seed: seed)
    return try graph.inputs.indices.map { index in
      guard let literal = known[graph.inputs[index].name] else { return seeded[index] }
      try graph.checkInput(index, literal)
      return literal
    }
  }

  /// A sample's first parameters; nothing for a file.
  func parameters() throws -> [String: Literal] {
    var known = try values(0)
    for name in dataNames { known[name] = nil }
    return known
  }

  /// Checks that each named file is for an input of the graph.
  func checkNames(of files: [NamedFile]) throws(Diagnostic) {
    for file in files where !graph.inputs.contains(where: { $0.name == file.name }) {
      throw Diagnostic(
        .name, "there is no input '\(file.name)'",
        hint: "the inputs are " + graph.inputs.map(\.name).joined(separator: ", "))
    }
  }
}
