import GraphIR
import Runtime
import Testing

@Suite("Buffers")
struct BufferTests {
  /// From some size on a buffer begins with a large page; all are zeroed and can be read past their end.
  @Test(arguments: [1, 1000, 1 << 20, (1 << 20) + 5, 3 << 20])
  func alignedAndZeroed(count: Int) {
    let buffer = Buffer(TensorType(.f32, [count]))
    defer { withExtendedLifetime(buffer) {} }
    let address = UInt(bitPattern: buffer.bytes.baseAddress)
    #expect(address % UInt(Buffer.alignment) == 0)
    if count * 4 >= 4 << 20 { #expect(address % (2 << 20) == 0) }
    #expect(buffer.bytes.count >= count * 4 + Buffer.alignment)
    #expect(buffer.bytes.allSatisfy { $0 == 0 })
  }

  @Test func keepsWhatIsWritten() throws {
    let count = (1 << 20) + 3
    let literal = Literal(
      TensorType(.f32, [count]), doubles: (0..<count).map { Double($0 % 1021) })
    #expect(Buffer(literal).literal() == literal)
  }
}
