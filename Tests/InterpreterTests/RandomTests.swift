import GraphIR
import Interpreter
import Testing

@Suite struct RandomTests {
  /// The known answers that Random123 publishes for philox4x32-10 (kat_vectors).
  @Test func philoxKnownAnswers() {
    let zeros = philox(counter: (0, 0, 0, 0), key: (0, 0))
    #expect(zeros == (0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    let all = UInt32.max
    let ones = philox(counter: (all, all, all, all), key: (all, all))
    #expect(ones == (0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    let pi = philox(
      counter: (0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344),
      key: (0xa409_3822, 0x299f_31d0))
    #expect(pi == (0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  private func draw(
    _ dtype: DType, _ shape: Shape, seed: UInt64 = 0, step: UInt64 = 0, stream: Int = 0
  ) throws -> Literal {
    try result(
      .random(Random(TensorType(dtype, shape), stream: stream)), Literal([2], [seed, step]))
  }

  /// The words of block 0 with the state (0, 0) and stream 0 are those of the first known answer.
  @Test func elementsFromWords() throws {
    let words: [UInt32] = [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
    #expect(try draw(.u32, [4]).elements(as: UInt32.self) == words)
    #expect(try draw(.i8, [4]).elements(as: Int8.self) == [-43, -115, 76, -40])
    #expect(try draw(.u16, [2, 2]).elements(as: UInt16.self) == [0xe8d5, 0xc58d, 0xac4c, 0xdbd8])
    expect(try draw(.bool, [4]), [1, 1, 0, 0])
    expect(try draw(.f32, [4]), words.map { Double($0 >> 8) / 16_777_216 })
    expect(try draw(.f16, [4]), words.map { Double($0 >> 21) / 2048 })
    expect(try draw(.bf16, [4]), words.map { Double($0 >> 24) / 256 })
    let wide: [UInt64] = [0xe169_c58d_6627_e8d5, 0x9b00_dbd8_bc57_ac4c]
    #expect(try draw(.u64, [2]).elements(as: UInt64.self) == wide)
    expect(try draw(.f64, [2]), wide.map { Double($0 >> 11) * 0x1p-53 })
  }

  /// Seed and step of the third known answer make its key and half of its counter; block 0x243f6a88
  /// is far along.
  @Test func stateStreamAndBlocks() throws {
    let block = philox(counter: (3, 7, 0x1319_8a2e, 0x0370_7344), key: (0xa409_3822, 0x299f_31d0))
    let words = try #require(
      try draw(
        .u32, [15], seed: 0x299f_31d0_a409_3822, step: 0x0370_7344_1319_8a2e, stream: 7
      ).elements(as: UInt32.self))
    #expect(words.count == 15)
    #expect(Array(words[12...]) == [block.0, block.1, block.2])
    let wide = try #require(
      try draw(
        .u64, [7], seed: 0x299f_31d0_a409_3822, step: 0x0370_7344_1319_8a2e, stream: 7
      ).elements(as: UInt64.self))
    #expect(wide[6] == UInt64(block.1) << 32 | UInt64(block.0))
  }

  @Test func floatsAreUniform() throws {
    for dtype in floatTypes {
      let values = try draw(dtype, [40_000], seed: 5, step: 1).doubles()
      #expect(values.allSatisfy { $0 >= 0 && $0 < 1 })
      let mean = values.reduce(0, +) / 40_000
      // Four standard deviations of the mean, 4 * sqrt(1/12 / 40000), and bf16's half step of
      // 1/512.
      #expect(abs(mean - 0.5) < 0.0058 + 0.002)
    }
  }
}
