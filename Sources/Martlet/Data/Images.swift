import GraphIR

/// Images as data sets: inputs `[height, width, channels]`, f32 from 0 to 1, with a class or an image of classes as label.
public enum Images {
  /// A set of arrays, as NumPy's files hold them.
  ///
  /// - Parameters:
  ///   - pixels: `[n, height, width]` of grey or `[n, height, width, channels]`: floats as they are to be; u8 from 0 to 255
  ///     and u16 from 0 to 65,535 become 0 to 1.
  ///   - labels: Classes `[n]`, or for segmentation `[n, height, width]`: integers and bools become i32. Floats stay as they
  ///     are.
  /// - Throws: when they are no images, or not as many as labels.
  public static func dataset(
    _ pixels: Literal, labels: Literal, classNames: [String] = []
  ) throws(Diagnostic) -> Dataset {
    var extents = pixels.type.shape.extents
    let greatest: Double? =
      switch pixels.type.dtype {
      case .u8: 255
      case .u16: 65535
      case .f32, .f64, .f16, .bf16: 1
      case .i8, .i16, .i32, .i64, .u32, .u64, .bool: nil
      }
    guard let greatest, extents.count == 3 || extents.count == 4 else {
      throw Diagnostic(
        .shapeMismatch, "\(pixels.type) holds no images",
        hint: "images are u8, u16 or floats, [n, height, width] or [n, height, width, channels]")
    }
    if extents.count == 3 { extents.append(1) }
    let inputs = Literal(
      TensorType(.f32, Shape(extents)), doubles: pixels.doubles().map { $0 / greatest })
    let isWhole = labels.type.dtype.isInteger || labels.type.dtype == .bool
    return try Dataset(
      inputs: inputs,
      labels: isWhole
        ? Literal(TensorType(.i32, labels.type.shape), doubles: labels.doubles()) : labels,
      inputName: "image", classNames: classNames)
  }
}
