/// The paths of a model's layers and parameters, from the names of the properties that hold them.
///
/// A property's name is a component (`conv1.filter`), an element's is its index (`head.0.weight`). What is held
/// twice has the path at which it was found first.
struct ModelPaths {
  /// Whether the paths are those of one model, which must hold every layer.
  let hasModel: Bool
  private var paths: [ObjectIdentifier: String] = [:]
  /// Keeps the layers that were named outside of a model alive: a token's identity is its address.
  private var adopted: [any Layer] = []
  private var adoptedCounts: [String: Int] = [:]

  init(_ model: (any Layer)?) {
    hasModel = model != nil
    if let model { collect(model, at: "", depth: 0) }
  }

  /// The path of a layer's place or of a parameter.
  subscript(token: Token) -> String? { paths[ObjectIdentifier(token)] }

  /// Names a layer that no model holds by its type, `dense`, `dense1`, and gives its path.
  mutating func adopt(_ layer: some Layer) -> String {
    let type = (layer as? any RankedLayer).map { Swift.type(of: $0).layerName }
    let name = (type ?? "\(Swift.type(of: layer))").prefix { $0 != "<" }.lowercased()
    let count = adoptedCounts[name, default: 0]
    adoptedCounts[name] = count + 1
    let path = count == 0 ? name : "\(name)\(count)"
    adopted.append(layer)
    collect(layer, at: path, depth: 0)
    return path
  }

  private mutating func collect(_ value: Any, at path: String, depth: Int) {
    switch value {
    case let place as Place: name(place.token, path)
    case let parameter as Parameter: name(parameter.token, path)
    case let state as UntrainedState: name(state.token, path)
    default:
      // Deeper than any model: a property that leads back to its owner through a class.
      guard depth < 64 else { return }
      let mirror = Mirror(reflecting: value)
      let isWrapper = mirror.displayStyle == .optional
      for (index, child) in mirror.children.enumerated() {
        let isPlace = child.value is Place
        let component =
          isWrapper || isPlace ? "" : component(child.label, index, isRoot: path.isEmpty)
        let separator = path.isEmpty || component.isEmpty ? "" : "."
        collect(child.value, at: path + separator + component, depth: depth + 1)
      }
    }
  }

  private mutating func name(_ token: Token, _ path: String) {
    if paths[ObjectIdentifier(token)] == nil { paths[ObjectIdentifier(token)] = path }
  }

  /// A component as names in a graph allow it: letters, digits and `_`, a letter first at the root.
  private func component(_ label: String?, _ index: Int, isRoot: Bool) -> String {
    guard let label, !label.hasPrefix(".") else { return isRoot ? "layer\(index)" : "\(index)" }
    let clean = label.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
    let trimmed = String(clean.drop { $0 == "_" })
    return trimmed.isEmpty || (isRoot && trimmed.first?.isNumber == true) ? "p\(trimmed)" : trimmed
  }
}
