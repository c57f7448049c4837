import CPNG
import CZlib
import Testing

/// The C libraries are those that the headers describe.
@Suite struct CLibraryTests {
  @Test func zlib() {
    #expect(String(cString: zlibVersion()) == ZLIB_VERSION)
  }

  @Test func png() {
    #expect(png_access_version_number() == UInt32(PNG_LIBPNG_VER))
  }
}
