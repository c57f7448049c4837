import Foundation
import Samples
import Testing

@Suite struct DataFolderTests {
  @Test(arguments: [
    "digits8x8/digits.csv.gz", "mnist5k/train-images-idx3-ubyte.gz",
    "mnist5k/train-labels-idx1-ubyte.gz", "mnist5k/t10k-images-idx3-ubyte.gz",
    "mnist5k/t10k-labels-idx1-ubyte.gz", "diabetes/diabetes.csv.gz",
  ])
  func isCopiedBesideTheProgram(file: String) throws {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: DataFolder.path(of: file)))
    #expect(bytes.prefix(2) == Data([0x1f, 0x8b]), "a gzip file")
  }
}
