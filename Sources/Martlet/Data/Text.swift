import GraphIR

/// Plain English text as numbers: the newline and the 95 printable characters of ASCII.
public enum Text {
  /// The characters in the order of their numbers: the newline is 0, the space 1, the tilde 95.
  public static let characters: [String] =
    ["\n"] + (UInt8(ascii: " ")...UInt8(ascii: "~")).map { String(decoding: [$0], as: UTF8.self) }

  /// Reads a text, which may be compressed with gzip, as the numbers of its characters.
  ///
  /// - Throws: what is wrong with the file, with the line of a character that has no number.
  public static func read(_ path: String) throws(Diagnostic) -> [Int32] {
    let bytes = try Gzip.read(path)
    var numbers: [Int32] = []
    numbers.reserveCapacity(bytes.count)
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "\n"): numbers.append(0)
      case UInt8(ascii: " ")...UInt8(ascii: "~"): numbers.append(Int32(byte) - 31)
      default:
        throw Diagnostic(
          .format, "the byte \(byte) is no printable ASCII character",
          at: Location(file: path, line: 1 + numbers.count { $0 == 0 }))
      }
    }
    return numbers
  }

  /// The text of characters' numbers; numbers that are none are left out.
  public static func string(_ numbers: [Int32]) -> String {
    numbers.compactMap { characters.indices.contains(Int($0)) ? characters[Int($0)] : nil }.joined()
  }
}

/// Sequences of tokens as data sets, from one long sequence.
public enum Sequences {
  /// Examples of which each position is to tell the token that follows: inputs and labels are `[length]`, i32.
  ///
  /// The sequence is cut into pieces without overlap; what is left at its end is not used.
  public static func nextToken(
    of tokens: [Int32], length: Int, classNames: [String] = []
  ) throws(Diagnostic) -> Dataset {
    let count = try pieces(of: tokens.count - 1, length)
    return try Dataset(
      inputs: Literal([count, length], Array(tokens.prefix(count * length))),
      labels: Literal([count, length], Array(tokens.dropFirst().prefix(count * length))),
      inputName: "tokens", classNames: classNames)
  }

  /// Examples of which some tokens are hidden and to be told from the others (Devlin et al., "BERT", NAACL 2019).
  ///
  /// Of each piece of the sequence, the share `hidden` of the positions is chosen, at least one. Of those, 80 % show
  /// the `mask`, 10 % any token, and 10 % what they are. Inputs and labels are `[length]`, i32; the label of a position
  /// that was not chosen is -1.
  ///
  /// - Parameter vocabulary: The number of tokens, the mask included.
  public static func masked(
    _ tokens: [Int32], length: Int, hidden: Double = 0.15, mask: Int32, vocabulary: Int,
    seed: UInt64 = 0
  ) throws(Diagnostic) -> Dataset {
    let count = try pieces(of: tokens.count, length)
    guard (0...1).contains(hidden), (1...1 << 31).contains(vocabulary) else {
      throw Diagnostic(
        .argument, "a share of \(hidden) of \(vocabulary) tokens", hint: "a share is from 0 to 1")
    }
    let chosenCount = max(Int((hidden * Double(length)).rounded()), 1)
    var generator = Philox(seed: seed, stream: Philox.hash("mask"))
    var shown = Array(tokens.prefix(count * length))
    var labels = [Int32](repeating: -1, count: shown.count)
    for piece in 0..<count {
      for position in generator.permutation(length).prefix(chosenCount) {
        let index = piece * length + position
        labels[index] = shown[index]
        let draw = generator.nextUniform()
        if draw < 0.8 {
          shown[index] = mask
        } else if draw < 0.9 {
          shown[index] = Int32(generator.nextUniform() * Double(vocabulary))
        }
      }
    }
    return try Dataset(
      inputs: Literal([count, length], shown), labels: Literal([count, length], labels),
      inputName: "tokens")
  }

  private static func pieces(of count: Int, _ length: Int) throws(Diagnostic) -> Int {
    guard length >= 1, count >= length else {
      throw Diagnostic(
        .argument, "\(max(count, 0)) tokens do not make a sequence of \(length)",
        hint: "a sequence has at least one token, and the text at least as many")
    }
    return count / length
  }
}
