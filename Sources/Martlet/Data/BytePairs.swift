import GraphIR

/// A vocabulary of frequent pieces of words, learned by joining the most frequent pair again and again (Sennrich, Haddow
/// and Birch, "Neural machine translation of rare words with subword units", ACL 2016).
///
/// A word is a run of letters with the character before it; no piece reaches over the end of a word. Symbols are
/// numbered from 0, and token `symbols + i` stands for the pair that was joined i-th.
public struct BytePairs: Sendable {
  /// The number of symbols.
  public let symbols: Int
  /// The rank of a joined pair.
  private var ranks: [Pair: Int] = [:]
  private let isLetter: [Bool]

  /// The number of tokens: symbols and joined pairs.
  public var count: Int { symbols + ranks.count }

  private struct Pair: Hashable {
    var left: Int32
    var right: Int32
  }

  private struct Word {
    var tokens: [Int32]
    var count: Int
  }

  /// Learns from a text.
  ///
  /// - Parameters:
  ///   - text: Symbols, each from 0 and below `isLetter.count`.
  ///   - isLetter: For each symbol whether it is a letter.
  ///   - count: The number of tokens wanted; a text may have fewer pairs.
  /// - Throws: what in the text is no symbol.
  public init(learning text: [Int32], isLetter: [Bool], count: Int) throws(Diagnostic) {
    symbols = isLetter.count
    self.isLetter = isLetter
    var words: [[Int32]: Int] = [:]
    for word in try BytePairs.words(text, isLetter) { words[Array(word), default: 0] += 1 }
    var pieces = words.map { Word(tokens: $0.key, count: $0.value) }
    var counts: [Pair: Int] = [:]
    for piece in pieces { BytePairs.add(piece, times: 1, to: &counts) }
    while self.count < count {
      // Of equally frequent pairs the first by number, whatever the order of the dictionary.
      let best = counts.max {
        ($0.value, -Int($0.key.left), -Int($0.key.right))
          < ($1.value, -Int($1.key.left), -Int($1.key.right))
      }
      guard let (pair, frequency) = best, frequency > 1 else { break }
      let token = Int32(self.count)
      ranks[pair] = ranks.count
      for index in pieces.indices where BytePairs.holds(pieces[index].tokens, pair) {
        BytePairs.add(pieces[index], times: -1, to: &counts)
        BytePairs.join(pair, as: token, in: &pieces[index].tokens)
        BytePairs.add(pieces[index], times: 1, to: &counts)
      }
    }
  }

  /// The tokens of a text: in each word, pairs are joined in the order in which they were learned.
  ///
  /// - Throws: what in the text is no symbol.
  public func tokens(of text: [Int32]) throws(Diagnostic) -> [Int32] {
    var known: [ArraySlice<Int32>: [Int32]] = [:]
    var tokens: [Int32] = []
    for word in try BytePairs.words(text, isLetter) {
      if known[word] == nil { known[word] = joined(word) }
      tokens += known[word] ?? []
    }
    return tokens
  }

  /// The symbols of tokens; tokens that are none are left out.
  public func symbols(of tokens: [Int32]) -> [Int32] {
    let pairs = Dictionary(uniqueKeysWithValues: ranks.map { ($0.value, $0.key) })
    func expand(_ token: Int32) -> [Int32] {
      if (0..<symbols).contains(Int(token)) { return [token] }
      return pairs[Int(token) - symbols].map { expand($0.left) + expand($0.right) } ?? []
    }
    return tokens.flatMap(expand)
  }

  private func joined(_ word: ArraySlice<Int32>) -> [Int32] {
    var tokens = Array(word)
    while true {
      let pairs = zip(tokens, tokens.dropFirst()).map { Pair(left: $0, right: $1) }
      let found = pairs.compactMap { pair in ranks[pair].map { (pair: pair, rank: $0) } }
      guard let next = found.min(by: { $0.rank < $1.rank }) else { return tokens }
      BytePairs.join(next.pair, as: Int32(symbols + next.rank), in: &tokens)
    }
  }

  private static func words(
    _ text: [Int32], _ isLetter: [Bool]
  ) throws(Diagnostic) -> [ArraySlice<Int32>] {
    if let stranger = text.first(where: { !isLetter.indices.contains(Int($0)) }) {
      throw Diagnostic(
        .argument, "the text has \(stranger), which is none of its \(isLetter.count) symbols",
        hint: "symbols are numbered from 0")
    }
    var words: [ArraySlice<Int32>] = []
    var start = text.startIndex
    for index in text.indices.dropFirst() where !isLetter[Int(text[index])] {
      words.append(text[start..<index])
      start = index
    }
    if start < text.endIndex { words.append(text[start...]) }
    return words
  }

  private static func holds(_ tokens: [Int32], _ pair: Pair) -> Bool {
    var index = 1
    while index < tokens.count {
      if tokens[index] == pair.right, tokens[index - 1] == pair.left { return true }
      index += 1
    }
    return false
  }

  private static func add(_ word: Word, times: Int, to counts: inout [Pair: Int]) {
    for (left, right) in zip(word.tokens, word.tokens.dropFirst()) {
      let pair = Pair(left: left, right: right)
      let total = counts[pair, default: 0] + times * word.count
      counts[pair] = total == 0 ? nil : total
    }
  }

  private static func join(_ pair: Pair, as token: Int32, in tokens: inout [Int32]) {
    var joined: [Int32] = []
    for next in tokens {
      if next == pair.right, joined.last == pair.left {
        joined[joined.count - 1] = token
      } else {
        joined.append(next)
      }
    }
    tokens = joined
  }
}
