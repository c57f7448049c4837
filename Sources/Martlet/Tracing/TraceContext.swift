import Differentiation
import GraphIR

/// Whether a model is traced to be trained or to be used: dropout, for one, acts only in training.
public enum Mode: Hashable, Sendable {
  /// The graph is part of a training step.
  case training
  /// The graph evaluates or predicts.
  case inference
}

/// The trace under way in this task: the graph so far, what went wrong, and what the layers asked for.
///
/// Tracing never throws and never traps: an ill-typed operation is recorded here and gives an invalid tensor,
/// and whoever began the trace throws everything that was recorded. A context is used only by the task that
/// began it, for as long as the trace lasts; hence the unchecked `Sendable`, which a task-local value needs.
final class TraceContext: @unchecked Sendable {
  @TaskLocal static var current: TraceContext?

  /// A graph being built: the trace itself, or the body of a composite inside of it.
  struct Scope {
    let token = Token()
    var builder: GraphBuilder
  }

  /// The name of the input that holds the random state.
  static let randomStateName = "random_state"

  let mode: Mode
  private(set) var scopes: [Scope]
  private(set) var diagnostics: [Diagnostic] = []
  /// Parameters and untrained state in the order of their first use.
  private(set) var variables: [Variable] = []
  private var variableIndices: [ObjectIdentifier: Int] = [:]
  /// Keeps the variables' tokens alive: a token's identity is its address.
  private var variableTokens: [Token] = []
  /// The random state's input once something asked for it.
  private(set) var randomState: Value?
  private var streams: [String: Int] = [:]
  private var takenStreams: Set<Int> = []

  /// What each layer gave, in order, if the trace is to keep it: see `keepLayerOutputs`.
  private(set) var layerOutputs: [(path: String, tensor: Tensor)] = []
  private var keepsLayerOutputs = false

  private var paths: ModelPaths
  /// The location that all nodes get, while a layer is entered.
  private var pinnedLocation: Location?
  /// The location of the latest call that told its line: the best guess for an operator's.
  private var latestLocation: Location

  init(name: String, mode: Mode, model: (any Layer)? = nil, at location: Location) {
    self.mode = mode
    scopes = [Scope(builder: GraphBuilder(name: name))]
    paths = ModelPaths(model)
    latestLocation = location
  }

  // MARK: Locations

  /// The location for a node made by a call on the given line.
  func location(_ caller: Caller) -> Location {
    if let pinnedLocation { return pinnedLocation }
    if let file = caller.file { latestLocation = Location(file: file, line: caller.line) }
    return latestLocation
  }

  /// Gives a location to all nodes that the body makes.
  func pinned<Result>(at location: Location, _ body: () -> Result) -> Result {
    let outer = pinnedLocation
    pinnedLocation = location
    latestLocation = Location(file: location.file, line: location.line)
    defer { pinnedLocation = outer }
    return body()
  }

  /// Gives a location to the operators that follow, until a call tells its own line.
  func proceed(from location: Location) {
    if pinnedLocation == nil { latestLocation = location }
  }

  /// The path of a layer in the model; a layer that the model does not hold is named by its type.
  func path(of layer: some Layer, at place: Place) -> String {
    if let path = paths[place.token] { return path }
    if paths.hasModel {
      record(
        Diagnostic(
          .name, "this \(type(of: layer)) is not stored in a property of the model",
          at: place.location,
          hint:
            "a layer made while the model runs would be a new one in every trace; make it a property"
        ))
    }
    return paths.adopt(layer)
  }

  // MARK: Nodes

  /// Records a problem; the same problem only once.
  func record(_ diagnostic: Diagnostic) {
    if !diagnostics.contains(diagnostic) { diagnostics.append(diagnostic) }
  }

  /// Records a problem and gives the tensor that stands for it.
  func fail(_ diagnostic: Diagnostic) -> Tensor {
    record(diagnostic)
    return Tensor(invalid: diagnostic)
  }

  /// Appends a node to the graph being built and gives its results; an ill-typed node is recorded.
  func append(
    _ operation: Operation, _ operands: [Tensor], bodies: [Graph] = [], literal: Literal? = nil,
    at location: Location
  ) -> [Tensor] {
    var values: [Value] = []
    for operand in operands {
      switch value(of: operand, at: location) {
      case .success(let value): values.append(value)
      case .failure(let diagnostic): return [fail(diagnostic)]
      }
    }
    let scope = scopes.count - 1
    do {
      let results = try scopes[scope].builder.append(
        operation, values, bodies: bodies, literal: literal, at: location)
      return results.map { tensor($0) }
    } catch {
      var diagnostic = error
      diagnostic.notes += operands.enumerated().map { note("operand \($0 + 1)", $1) }
      return [fail(diagnostic)]
    }
  }

  /// A sentence on an operand of an ill-typed operation: what it is and where it was made.
  func note(_ name: String, _ tensor: Tensor) -> String {
    guard let type = tensor.type else { return "\(name) is invalid" }
    guard let origin = origin(of: tensor) else { return "\(name) is \(type)" }
    return "\(name) is \(type), made at \(origin)"
  }

  /// Where a tensor of this trace was made.
  func origin(of tensor: Tensor) -> Location? {
    guard case .traced(let value, _, let token) = tensor.storage,
      let scope = scopes.first(where: { $0.token === token })
    else { return nil }
    let graph = scope.builder.graph
    let location = graph.definition(of: value)?.location ?? graph.input(of: value)?.location
    return location == .unknown ? nil : location
  }

  private func tensor(_ value: Value) -> Tensor {
    let scope = scopes[scopes.count - 1]
    return Tensor(value, scope.builder.type(of: value), in: scope.token)
  }

  /// The value of a tensor in the graph being built; a literal becomes a constant.
  func value(of tensor: Tensor, at location: Location) -> Result<Value, Diagnostic> {
    switch tensor.storage {
    case .invalid(let diagnostic): return .failure(diagnostic)
    case .literal(let literal):
      let constant = append(
        .constant(Constant(literal.type)), [], literal: literal, at: location)[0]
      guard case .traced(let value, _, _) = constant.storage else {
        return .failure(constant.diagnostic ?? Diagnostic(.internalError, "constant without value"))
      }
      return .success(value)
    case .traced(let value, _, let token):
      if token === scopes[scopes.count - 1].token { return .success(value) }
      let isOuter = scopes.contains { $0.token === token }
      return .failure(
        Diagnostic(
          .malformedGraph,
          isOuter
            ? "the body of a composite uses a tensor from outside, a \(tensor.describedType)"
            : "a tensor of another trace is used here, a \(tensor.describedType)",
          at: location,
          hint: isOuter
            ? "hand it to the composite as an operand"
            : "a tensor lives as long as the trace that made it; keep a Literal instead"))
    }
  }

  // MARK: Outputs of layers

  /// Begins to keep what each layer gives from here on.
  func keepLayerOutputs() { keepsLayerOutputs = true }

  /// Keeps the output of a layer under its path; of one that is used again, under `path_2` and so on.
  ///
  /// What a layer gives inside the body of a composite is no value of the traced graph and is not kept.
  func keep(_ output: Tensor, of path: String) {
    guard keepsLayerOutputs, scopes.count == 1, output.dtype.isFloat else { return }
    let taken = Set(layerOutputs.map(\.path))
    // The model itself may be a layer with a place.
    let path = path.isEmpty ? "model" : path
    var name = path
    var use = 1
    while taken.contains(name) {
      use += 1
      name = "\(path)_\(use)"
    }
    layerOutputs.append((name, output))
  }

  // MARK: Inputs and bodies

  /// Adds an input to the traced graph.
  func input(_ name: String, _ type: TensorType, at location: Location) -> Tensor {
    let value = scopes[0].builder.input(name, type, location: location)
    return Tensor(value, type, in: scopes[0].token)
  }

  /// The tensor of a parameter or of untrained state: an input of the graph, made at the first use.
  func variable(_ wanted: Variable.Request, at location: Location) -> Tensor {
    guard scopes.count == 1 else {
      return fail(
        Diagnostic(
          .malformedGraph, "the body of a composite uses the parameter '\(wanted.name)'",
          at: location, hint: "hand its tensor to the composite as an operand"))
    }
    if let index = variableIndices[ObjectIdentifier(wanted.token)] {
      let known = variables[index]
      guard known.type == wanted.type else {
        return fail(
          Diagnostic(
            .shapeMismatch,
            "the parameter '\(known.name)' is \(known.type), and this use needs \(wanted.type)",
            at: location,
            notes: ["its first use, as \(known.type), is at \(known.location)"],
            hint: "a layer that is used more than once needs inputs of one size"))
      }
      return self.tensor(of: known)
    }
    let name = name(of: wanted, at: location)
    guard Shape.checked(wanted.type.shape.extents) != nil else {
      return fail(
        Diagnostic(
          .sizeOverflow, "the parameter '\(name)' cannot have the shape \(wanted.type.shape)",
          at: location))
    }
    let tensor = input(name, wanted.type, at: location)
    guard case .traced(let value, _, _) = tensor.storage else { return tensor }
    variableIndices[ObjectIdentifier(wanted.token)] = variables.count
    variableTokens.append(wanted.token)
    variables.append(
      Variable(
        name: name, type: wanted.type, initializer: wanted.initializer, isTrained: wanted.isTrained,
        location: location, value: value))
    return tensor
  }

  /// The path of a parameter; one that the model does not hold is named by the layer that is entered.
  private func name(of wanted: Variable.Request, at location: Location) -> String {
    if let path = paths[wanted.token] { return path }
    if paths.hasModel {
      record(
        Diagnostic(
          .name, "this \(wanted.name) is not stored in a property of the model", at: location,
          hint: "one made while the model runs would be new in every trace; make it a property"))
    }
    let path = currentPath.isEmpty ? wanted.name : "\(currentPath).\(wanted.name)"
    let count = variables.count { $0.name.hasPrefix(path) }
    return count == 0 ? path : "\(path)\(count)"
  }

  /// Gives untrained state the value that it has after the step.
  func update(_ token: Token, to tensor: Tensor, at location: Location) {
    guard let index = variableIndices[ObjectIdentifier(token)] else {
      record(
        Diagnostic(.argument, "state is updated that was not read in this trace", at: location))
      return
    }
    guard let type = tensor.type else { return }
    guard type == variables[index].type else {
      record(
        Diagnostic(
          .shapeMismatch,
          "the state '\(variables[index].name)' is \(variables[index].type), its update is \(type)",
          at: location))
      return
    }
    variables[index].updated = tensor
  }

  /// The tensor of a variable that this trace recorded.
  func tensor(of variable: Variable) -> Tensor {
    Tensor(variable.value, variable.type, in: scopes[0].token)
  }

  /// The random state, u64[2] = (seed, step): an input of the graph.
  func randomStateTensor(at location: Location) -> Tensor {
    let type = TensorType(.u64, [2])
    if let randomState { return Tensor(randomState, type, in: scopes[0].token) }
    let value = scopes[0].builder.input(TraceContext.randomStateName, type, location: location)
    randomState = value
    return Tensor(value, type, in: scopes[0].token)
  }

  /// The number of a random stream for the next use under a path: the same in every trace of the model.
  func stream(for path: String) -> Int {
    let use = streams[path, default: 0]
    streams[path] = use + 1
    var stream = Int(Philox.hash("\(path)#\(use)"))
    while !takenStreams.insert(stream).inserted { stream = (stream + 1) & 0xFFFF_FFFF }
    return stream
  }

  /// The path of the layer that is entered; empty outside of layers.
  var currentPath: String { pinnedLocation?.path ?? "" }

  /// Traces the body of a composite into a graph of its own; nil when something in it went wrong.
  func body(
    _ name: String, _ types: [TensorType], at location: Location, _ trace: ([Tensor]) -> [Tensor]
  ) -> Result<Graph, Diagnostic> {
    var scope = Scope(builder: GraphBuilder(name: name))
    let inputs = types.enumerated().map { index, type in
      Tensor(
        scope.builder.input("x\(index)", type, location: location), type, in: scope.token)
    }
    scopes.append(scope)
    defer { scopes.removeLast() }
    let results = pinned(at: location) { trace(inputs) }
    return finish(zip(results.indices, results).map { ("y\($0)", $1) }, at: location)
  }

  /// Ends the innermost graph with the given outputs.
  func finish(
    _ results: [(name: String, tensor: Tensor)], donations: [(input: Value, output: Int)] = [],
    at location: Location
  ) -> Result<Graph, Diagnostic> {
    var outputs: [Output] = []
    for (name, tensor) in results {
      switch value(of: tensor, at: location) {
      case .success(let value): outputs.append(Output(name, value))
      case .failure(let diagnostic): return .failure(diagnostic)
      }
    }
    var builder = scopes[scopes.count - 1].builder
    for (input, output) in donations {
      guard let index = builder.graph.inputIndex(of: input) else { continue }
      builder.graph.inputs[index].donatedTo = output
    }
    do {
      return .success(try builder.finish(outputs))
    } catch {
      return .failure(error.located(at: location))
    }
  }

  /// Appends the gradients of a scalar tensor with respect to others.
  func gradients(of result: Tensor, withRespectTo tensors: [Tensor], at location: Location)
    -> [Tensor]
  {
    guard case .success(let value) = value(of: result, at: location) else { return [] }
    let values = tensors.compactMap { try? self.value(of: $0, at: location).get() }
    do {
      let gradients = try appendGradients(
        to: &scopes[scopes.count - 1].builder, of: value, withRespectTo: values)
      return gradients.map { tensor($0) }
    } catch {
      record(error.located(at: location))
      return []
    }
  }
}
