import LLVMBackend
import Testing

@Suite struct HostTests {
  @Test func featuresAreLeftOutByTheBeginningOfTheirNames() {
    let features = "+avx2,+avx512f,-avx512er,+fma"
    #expect(Host.features(features, without: nil) == features)
    #expect(Host.features(features, without: " ,") == features)
    #expect(Host.features(features, without: "avx512") == "+avx2,-avx512f,-avx512er,+fma")
    #expect(Host.features(features, without: "fma, avx") == "-avx2,-avx512f,-avx512er,-fma")
  }
}
