import GraphIR
import LoopIR

/// Which matrices are kept in memory, and which of them in the same.
extension Attention {
  /// The matrices that are read in another pass than the one that computes them; those of a list lie in one memory.
  ///
  /// A matrix is put where another one was that is not read anymore: of both, an element is read before it is written.
  var matricesByPlace: [[Int]] {
    var lists: [[Int]] = []
    let steps = steps
    for local in matricesInMemory.sorted(by: { (writers[$0] ?? 0) < (writers[$1] ?? 0) }) {
      let dtype = kernel.locals[local].type.dtype
      let free = lists.indices.first { place in
        guard let last = lists[place].last, kernel.locals[last].type.dtype == dtype else {
          return false
        }
        return isDone(last, before: local, steps)
      }
      if let free { lists[free].append(local) } else { lists.append([local]) }
    }
    return lists
  }

  /// Whether a matrix is not read from memory anymore when another one is written.
  private func isDone(_ old: Int, before new: Int, _ steps: [Step]) -> Bool {
    guard let oldWriter = writers[old], let newWriter = writers[new],
      let first = steps.firstIndex(where: { $0.stages.contains(oldWriter) }),
      let end = steps.firstIndex(where: { $0.stages.contains(newWriter) }), first < end
    else { return false }
    func readers(_ step: Int) -> [Int] {
      steps[step].stages.filter { kernel.stages[$0].localsRead.contains(old) }
    }
    // In one pass, who reads first does so for all: the others find the element in a register.
    guard readers(end).first.map({ $0 <= newWriter }) ?? true else { return false }
    return steps.indices.dropFirst(end + 1).allSatisfy { readers($0).isEmpty }
  }

  /// The matrices that are read in another pass than the one that computes them.
  private var matricesInMemory: Set<Int> {
    var found: Set<Int> = []
    for step in steps {
      for local in step.stages.flatMap({ kernel.stages[$0].localsRead }) {
        guard let writer = writers[local], !step.stages.contains(writer) else { continue }
        switch roles[writer] {
        case .scores, .elements: found.insert(local)
        case .rowFold, .rowValue, .rowProduct, .keyProduct, .result: break
        }
      }
    }
    return found
  }
}

extension Attention.Step {
  /// The stages that the pass computes, in order.
  var stages: [Int] {
    switch self {
    case .sweep(let list): list
    case .rowValue(let place), .rowProduct(let place), .keyProduct(let place): [place]
    }
  }
}
