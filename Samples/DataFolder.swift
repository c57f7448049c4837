import Foundation

/// Where the samples' data sets lie: the folder `Data`, which the build copies beside the program.
public enum DataFolder {
  /// The path of a file in the folder, such as `mnist5k/train-images-idx3-ubyte.gz`.
  public static func path(of file: String) -> String {
    Bundle.module.bundleURL.appendingPathComponent("Data/" + file).path
  }
}
