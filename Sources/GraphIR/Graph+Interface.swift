extension UInt8 {
  /// Whether a name can begin with this letter: `[A-Za-z_]`.
  package var isNameStart: Bool {
    switch self {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "_"):
      true
    default:  // text
      false
    }
  }

  /// Whether a name can hold this letter: `[A-Za-z0-9_.\-/]`.
  package var isNameByte: Bool {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
      UInt8(ascii: "/"):
      true
    default:  // text
      isNameStart
    }
  }
}

extension Graph {
  /// Checks what a graph shows to the outside: names, the outputs' values and donations.
  package func checkInterface() throws(Diagnostic) {
    try checkName(name, "graph", at: .unknown)
    for input in inputs {
      try checkName(input.name, "input", at: input.location)
      guard Shape.checked(input.type.shape.extents) != nil else {
        throw Diagnostic(
          .sizeOverflow, "input %\(input.name) cannot have the type \(input.type)",
          at: input.location,
          hint: "extents are not negative, and a tensor has at most 2^48 elements")
      }
    }
    for output in outputs { try checkName(output.name, "output", at: .unknown) }
    try checkUnique(inputs.map(\.name), "input")
    try checkUnique(outputs.map(\.name), "output")
    for output in outputs where Int(output.value.index) >= valueCount {
      throw Diagnostic(
        .malformedGraph,
        "output \(output.name) gives value \(output.value.index), which is not there",
        hint: "the graph has \(valueCount) values")
    }
    try checkDonations()
  }

  private func checkName(
    _ name: String, _ what: String, at location: Location
  ) throws(Diagnostic) {
    guard name.utf8.first?.isNameStart == true, name.utf8.allSatisfy(\.isNameByte) else {
      throw Diagnostic(
        .name, "\"\(name)\" cannot be the name of an \(what)", at: location,
        hint: "a name is a letter or _ followed by letters, digits, `_`, `.`, `-` or `/`")
    }
  }

  private func checkUnique(_ names: [String], _ what: String) throws(Diagnostic) {
    var seen: Set<String> = []
    for name in names where !seen.insert(name).inserted {
      throw Diagnostic(
        .name, "two \(what)s have the name \(name)", hint: "names of \(what)s are unique")
    }
  }

  private func checkDonations() throws(Diagnostic) {
    var receivers: Set<Int> = []
    for input in inputs {
      guard let receiver = input.donatedTo else { continue }
      guard outputs.indices.contains(receiver) else {
        throw Diagnostic(
          .malformedGraph,
          "input %\(input.name) is donated to output \(receiver), which is not there",
          at: input.location, hint: "the graph has \(outputs.count) outputs")
      }
      let output = outputs[receiver]
      guard type(of: output.value) == input.type else {
        throw Diagnostic(
          .typeMismatch,
          "input %\(input.name) of \(input.type) is donated to output \(output.name) "
            + "of \(type(of: output.value))", at: input.location,
          hint: "a donated input and its output have one type")
      }
      guard receivers.insert(receiver).inserted else {
        throw Diagnostic(
          .malformedGraph, "two inputs are donated to output \(output.name)", at: input.location,
          hint: "an output takes over one buffer")
      }
    }
  }
}
