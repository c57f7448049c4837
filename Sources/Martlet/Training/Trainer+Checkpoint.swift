import FoundationEssentials
import GraphIR

/// Checkpoints are safetensors files: parameters under their paths, the optimizer's state as
/// `optimizer.first_moment.conv1.filter`, untrained state, the random state with the number of steps, and
/// the number of epochs among the metadata. What is loaded equals what was saved, bit for bit.
extension Trainer {
  /// Saves everything that training needs to go on, replacing a file as a whole.
  ///
  /// - Throws: when there is nothing to save yet, or the file cannot be written.
  public func save(to path: String) throws(Diagnostics) {
    try save(to: path, run: nil)
  }

  /// Saves everything, with where a run is.
  func save(to path: String, run: RunRecord?) throws(Diagnostics) {
    guard !state.entries.isEmpty else {
      throw Diagnostics([
        Diagnostic(
          .argument, "there is nothing to save to '\(path)': the model has not met data yet",
          hint: "call fit or load first")
      ])
    }
    let tensors = state.entries.map { (name: $0.name, literal: $0.buffer.literal()) }
    var metadata = ["format": "martlet", "epoch": "\(epoch)"]
    if let run {
      do {
        metadata["run"] = String(decoding: try JSONEncoder().encode(run), as: UTF8.self)
      } catch {
        throw Diagnostics([
          Diagnostic(.internalError, "where training is cannot be written: \(error)")
        ])
      }
    }
    try Diagnostics.collecting { () throws(Diagnostic) in
      var file = SafeTensors(tensors, metadata: metadata)
      file.metadata[SafeTensors.checksumName] = file.checksum
      try file.write(to: path)
    }
  }

  /// Loads a whole checkpoint, so that training goes on as if it had not stopped.
  ///
  /// - Parameter example: What one example looks like, which decides the shapes of the parameters.
  /// - Throws: what is wrong with the file, and each tensor that is missing, too many or of another type; nothing
  ///   has changed then.
  public func load(from path: String, for example: ExampleSignature) throws(Diagnostics) {
    let file = try read(path)
    try prepareState(example)
    let epochs = file.metadata["epoch"].map { Int($0) ?? -1 } ?? 0
    guard (0...Trainer.most).contains(epochs) else {
      throw Diagnostics([
        Diagnostic(
          .format,
          "'\(path)' says that its model was trained for '\(file.metadata["epoch"] ?? "")' epochs")
      ])
    }
    try replace(state.entries, by: file, path, isWhole: true)
    epoch = epochs
  }

  /// Loads a checkpoint of a run, if the file is there.
  ///
  /// - Parameter problems: What keeps this run from going on from the file's.
  /// - Returns: where the run is; nil when there is no file.
  /// - Throws: what is wrong with the file; nothing has changed then.
  func loadRun(
    from path: String, _ problems: (RunRecord) -> [Diagnostic]
  ) throws(Diagnostics) -> RunRecord? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let file = try read(path)
    guard let text = file.metadata["run"] else {
      throw Diagnostics([
        Diagnostic(
          .format, "'\(path)' does not say where its training run was",
          hint: "it holds weights alone; a checkpoint of a run holds more")
      ])
    }
    let record: RunRecord
    do {
      record = try JSONDecoder().decode(RunRecord.self, from: Data(text.utf8))
    } catch {
      throw Diagnostics([
        Diagnostic(.format, "'\(path)' says where its run was in a form that is not understood")
      ])
    }
    let found = problems(record)
    guard found.isEmpty else { throw Diagnostics(found) }
    try replace(state.entries, by: file, path, isWhole: true)
    epoch = record.epoch
    return record
  }

  /// A number that stands for the graph of a step.
  func fingerprint(_ example: ExampleSignature, batch: Int) throws(Diagnostics) -> UInt32 {
    let text = try trainingGraph(example, batch: batch).graph.text(locations: false)
    return Checksum(Array(text.utf8)).value
  }

  /// Loads the parameters and untrained state of a checkpoint, or of any safetensors file that has them; the
  /// optimizer's state stays as it is.
  ///
  /// Running means that the file does not have begin anew, as the parameters are.
  ///
  /// - Parameter example: What one example looks like, which decides the shapes of the parameters.
  /// - Throws: what is wrong with the file, and each tensor that is missing or of another type; nothing has
  ///   changed then.
  public func loadParameters(from path: String, for example: ExampleSignature) throws(Diagnostics) {
    let file = try read(path)
    try prepareState(example)
    let wanted = state.entries.filter { $0.role == .parameter || $0.role == .untrained }
    let known = file.literals
    let means = state.entries.filter { $0.name.hasPrefix(StepTracer.averagePrefix) }
    try replace(
      wanted + means.filter { known[$0.name] != nil }, by: file, path, isWhole: false)
    for mean in means where known[mean.name] == nil {
      let parameter = state[String(mean.name.dropFirst(StepTracer.averagePrefix.count))]
      if let parameter { mean.buffer.write(parameter.literal()) }
    }
  }

  /// Gives a parameter or untrained state a value, with which a running mean begins anew.
  ///
  /// - Parameter example: What one example looks like, which decides the shapes of the parameters.
  /// - Throws: when there is none of the name, or it has another type; nothing has changed then.
  public func setValue(
    of name: String, to value: Literal, for example: ExampleSignature
  ) throws(Diagnostics) {
    try prepareState(example)
    guard let buffer = state[name] else {
      throw Diagnostics([
        Diagnostic(
          .name, "the model has no '\(name)'",
          hint: "it has " + parameterNames.joined(separator: ", "))
      ])
    }
    guard buffer.type == value.type else {
      throw Diagnostics([
        Diagnostic(.shapeMismatch, "'\(name)' is \(buffer.type), the value is \(value.type)")
      ])
    }
    buffer.write(value)
    state[StepTracer.averageName(name)]?.write(value)
  }

  /// Reads a file; of one that a trainer has written, every bit is as it was.
  private func read(_ path: String) throws(Diagnostics) -> SafeTensors {
    try Diagnostics.collecting { () throws(Diagnostic) in
      let file = try SafeTensors(path: path)
      let saved = file.metadata[SafeTensors.checksumName]
      guard saved == file.checksum || (saved == nil && file.metadata["format"] != "martlet") else {
        throw Diagnostic(
          .format,
          "'\(path)' is damaged: its check sum is \(file.checksum), and was '\(saved ?? "")'",
          hint: "begin anew or take another checkpoint")
      }
      return file
    }
  }

  private func replace(
    _ entries: [ModelState.Entry], by file: SafeTensors, _ path: String, isWhole: Bool
  ) throws(Diagnostics) {
    let literals = file.literals
    var problems: [Diagnostic] = []
    for entry in entries {
      guard let literal = literals[entry.name] else {
        problems.append(
          Diagnostic(.format, "'\(path)' has no tensor '\(entry.name)' (\(entry.buffer.type))"))
        continue
      }
      if literal.type != entry.buffer.type {
        problems.append(
          Diagnostic(
            .shapeMismatch,
            "'\(entry.name)' is \(literal.type) in '\(path)' and \(entry.buffer.type) in the model")
        )
      }
    }
    if isWhole {
      let known = Set(entries.map(\.name))
      for (name, literal) in file.tensors where !known.contains(name) {
        problems.append(
          Diagnostic(
            .format,
            "'\(path)' has the tensor '\(name)' (\(literal.type)), which the model does not"))
      }
    }
    guard problems.isEmpty else { throw Diagnostics(problems) }
    for entry in entries {
      if let literal = literals[entry.name] { entry.buffer.write(literal) }
    }
  }
}

extension SafeTensors {
  /// The name of the check sum among the metadata.
  fileprivate static let checksumName = "checksum"

  /// The check sum of the tensors with their names and types, and of the other metadata.
  fileprivate var checksum: String {
    var sum = Checksum()
    for (name, text) in metadata.sorted(by: { $0.key < $1.key })
    where name != SafeTensors.checksumName {
      sum.add(name)
      sum.add(text)
    }
    for (name, literal) in tensors.sorted(by: { $0.name < $1.name }) {
      sum.add("\(name) \(literal.type)")
      sum.add(literal.bytes)
    }
    return String(sum.value, radix: 16)
  }
}
