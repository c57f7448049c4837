extension Graph {
  /// Checks the names of inputs and outputs, that outputs exist, and donations.
  package func checkInterface() throws(Diagnostic) {
    try Graph.checkName(name, of: "graph")
    var inputNames = Set<String>()
    var donors = [Int: String]()
    for input in inputs {
      try Graph.checkName(input.name, of: "input", at: input.location)
      guard inputNames.insert(input.name).inserted else {
        throw Diagnostic(.name, "two inputs are named '\(input.name)'", at: input.location)
      }
    }
    var outputNames = Set<String>()
    for output in outputs {
      try Graph.checkName(output.name, of: "output")
      guard outputNames.insert(output.name).inserted else {
        throw Diagnostic(.name, "two outputs are named '\(output.name)'")
      }
      guard Int(output.value.index) < valueCount else {
        throw Diagnostic(.malformedGraph, "output '\(output.name)' has no value")
      }
    }
    for input in inputs {
      guard let target = input.donatedTo else { continue }
      guard outputs.indices.contains(target) else {
        throw Diagnostic(
          .invalidAttribute, "input '\(input.name)' is donated to output \(target), and there are "
            + "\(outputs.count)", at: input.location)
      }
      let type = type(of: outputs[target].value)
      guard type == input.type else {
        throw Diagnostic(
          .typeMismatch, "input '\(input.name)' of type \(input.type) is donated to output "
            + "'\(outputs[target].name)' of type \(type)", at: input.location)
      }
      if let other = donors.updateValue(input.name, forKey: target) {
        throw Diagnostic(
          .invalidAttribute, "inputs '\(other)' and '\(input.name)' are donated to one output",
          at: input.location)
      }
    }
  }

  /// Checks that a name is a letter or `_`, then letters, digits, and any of `_ . - /`.
  package static func checkName(
    _ name: String, of what: String, at location: Location = .unknown
  ) throws(Diagnostic) {
    let letters = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_".utf8)
    let others = letters.union("0123456789.-/".utf8)
    guard let first = name.utf8.first, letters.contains(first),
      name.utf8.allSatisfy(others.contains)
    else {
      throw Diagnostic(
        .name, "'\(name)' is not a name for the \(what)", at: location,
        hint: "a letter or _, then letters, digits, _ . - /")
    }
  }
}
