extension Operation.Kind {
  /// What a family's mnemonics are made of: a prefix and its functions' names; nil where the kind
  /// is the name.
  var family: (prefix: String, functions: [String])? {
    switch self {
    case .unary: ("", UnaryFunction.allCases.map(\.rawValue))
    case .binary: ("", BinaryFunction.allCases.map(\.rawValue))
    case .compare: ("", CompareFunction.allCases.map(\.rawValue))
    case .argReduce: ("", ArgReduceFunction.allCases.map(\.rawValue))
    case .reduce, .reduceWindow: ("\(rawValue)_", ReduceFunction.allCases.map(\.rawValue))
    case .reduceWindowGradient: ("\(rawValue)_", [ReduceFunction.max, .min].map(\.rawValue))
    case .scatter: ("\(rawValue)_", ScatterFunction.allCases.map(\.rawValue))
    case .select, .clamp, .convert, .constant, .iota, .reshape, .broadcast, .transpose, .slice,
      .pad, .concatenate, .reverse, .dot, .convolution, .gather, .random, .composite:
      nil
    }
  }
}

extension Operation {
  /// What a mnemonic stands for.
  struct Head {
    var kind: Kind
    /// The family's function, which the text of the attributes then leaves out.
    var function: String?
  }

  /// The names of all operations in text, family by family.
  public static let mnemonics: [String] = Kind.allCases.flatMap { kind in
    kind.family.map { family in family.functions.map { family.prefix + $0 } } ?? [kind.rawValue]
  }

  /// What each mnemonic stands for: the inverse of `mnemonic`.
  static let heads: [String: Head] = {
    var heads: [String: Head] = [:]
    for kind in Kind.allCases {
      guard let family = kind.family else {
        heads[kind.rawValue] = Head(kind: kind)
        continue
      }
      for function in family.functions {
        heads[family.prefix + function] = Head(kind: kind, function: function)
      }
    }
    return heads
  }()

  /// The keys of attributes that the text says elsewhere: in the mnemonic or in the result's type.
  private func impliedKeys(_ type: TensorType?) -> [AttributeValue.Pair] {
    var pairs: [AttributeValue.Pair] = []
    if kind.family != nil { pairs.append(.init(key: "function", value: .word(""))) }
    if kind == .composite { pairs.append(.init(key: "name", value: .word(""))) }
    return pairs + Self.pairs(impliedBy: type)
  }

  private static func pairs(impliedBy type: TensorType?) -> [AttributeValue.Pair] {
    guard let type else { return [] }
    return [
      .init(key: "dtype", value: .word(type.dtype.rawValue)),
      .init(key: "shape", value: .list(type.shape.extents.map { .integer($0) })),
    ]
  }

  /// The attributes as `{key = value, ...}`; nothing when the mnemonic and the result's type say it
  /// all.
  func attributeText(_ type: TensorType?) -> String {
    guard let tree = try? AttributeEncoder.encode(attributes) else { return "{}" }
    let implied = impliedKeys(type)
    let shown = tree.pairs.filter { pair in
      pair.value != .list([]) || implied.contains { $0.key == pair.key }
    }.filter { pair in
      !implied.contains { $0.key == pair.key && ($0.value == .word("") || $0.value == pair.value) }
    }
    guard !shown.isEmpty else { return "" }
    return "{" + shown.map { "\($0.key) = \($0.value.text)" }.joined(separator: ", ") + "}"
  }

  /// Makes the operation that a mnemonic, written attributes and the first result's type describe.
  init(
    _ head: Head, name: String?, _ written: [AttributeValue.Pair], type: TensorType?
  ) throws(AttributeError) {
    var pairs = written
    if let function = head.function {
      pairs.append(.init(key: "function", value: .word(function)))
    }
    if let name { pairs.append(.init(key: "name", value: .word(name))) }
    for implied in Self.pairs(impliedBy: type)
    where !pairs.contains(where: { $0.key == implied.key }) {
      pairs.append(implied)
    }
    let known: AttributeValue
    do {
      self = try Operation(head.kind, from: AttributeDecoder(value: .pairs(pairs)))
      known = try AttributeEncoder.encode(attributes)
    } catch let error as AttributeError {
      throw error
    } catch DecodingError.dataCorrupted(let context) {
      throw AttributeError(message: context.debugDescription)
    } catch {
      throw AttributeError(message: "\(error)")
    }
    let hidden = Set(impliedKeys(nil).map(\.key))
    let shown = AttributeValue.pairs(known.pairs.filter { !hidden.contains($0.key) })
    if let key = AttributeValue.pairs(written).firstKey(notIn: shown) {
      throw AttributeError(message: "\(mnemonic) has no attribute \(key)")
    }
  }
}
