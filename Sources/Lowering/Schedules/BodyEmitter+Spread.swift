import GraphIR
import LoopIR

/// How the lanes of a vector are loaded whose places in memory are known, and not evenly apart.
enum SpreadLoad: Equatable {
  /// All lanes are one element.
  case uniform
  /// A vector, or part of one, holds all elements.
  case one
  /// Two vectors hold them.
  case two
  /// Each element is loaded for all lanes, and these are put together.
  case elements(Int)

  /// The best way for lanes at some places.
  init(_ places: [Int], lanes: Int) {
    let count = Set(places).count
    let span = (places.max() ?? 0) - (places.min() ?? 0)
    self =
      count <= 1
      ? .uniform : span < lanes ? .one : count > 3 && span < 2 * lanes ? .two : .elements(count)
  }

  /// What it takes beside a load, in loads.
  var surplus: Double {
    switch self {
    case .uniform: 0
    case .one: 1
    case .two: 4
    case .elements(let count): 2 * Double(count) - 1
    }
  }
}

extension BodyEmitter {
  /// Loads lanes at known places behind a base; lanes that are not active hold anything.
  func loadSpread(
    _ memory: Int, _ base: LoopIndex, _ places: [Int], active: Int?, _ type: LoopType
  ) -> RegisterID {
    let used = places.prefix(active ?? type.lanes)
    let (low, high) = (used.min() ?? 0, used.max() ?? 0)
    let clamped = places.map { min(max($0, low), high) }
    func vector(at place: Int, _ count: Int, lanes: Int) -> RegisterID {
      let access = LoopAccess(
        memory: memory, offset: base + LoopIndex(constant: place),
        active: count < lanes ? count : nil)
      return builder.define(.load(access), LoopType(type.dtype, lanes: lanes))
    }
    func element(at place: Int) -> RegisterID {
      let offset = base + LoopIndex(constant: place)
      let element = builder.define(
        .load(LoopAccess(memory: memory, offset: offset)), LoopType(type.dtype))
      return widen(element, to: type.lanes)
    }
    switch SpreadLoad(clamped, lanes: type.lanes) {
    case .uniform:
      return element(at: low)
    case .one:
      var own = 1
      while own <= high - low { own *= 2 }
      let elements = vector(at: low, high - low + 1, lanes: own)
      return builder.define(
        .shuffle(elements, elements, lanes: clamped.map { $0 - low }), type)
    case .two:
      let second = high - type.lanes + 1
      let parts = [low, second].map { vector(at: $0, type.lanes, lanes: type.lanes) }
      let lanes = clamped.map { place in
        place - low < type.lanes ? place - low : type.lanes + place - second
      }
      return builder.define(.shuffle(parts[0], parts[1], lanes: lanes), type)
    case .elements:
      var result = element(at: clamped[0])
      for place in Set(clamped).subtracting([clamped[0]]).sorted() {
        let lanes = clamped.enumerated().map { $0 + ($1 == place ? type.lanes : 0) }
        result = builder.define(.shuffle(result, element(at: place), lanes: lanes), type)
      }
      return result
    }
  }
}
