import Testing

/// One function of x, y (of one type) and the scalar s, by its statements; `%z` is the result.
struct Identity: CustomTestStringConvertible, Sendable {
  var type: String
  var statements: [String]
  var left: [String]
  var result: String?

  init(_ type: String, _ statements: String..., left: [String], result: String? = nil) {
    (self.type, self.statements, self.left, self.result) = (type, statements, left, result)
  }

  var testDescription: String { statements.joined(separator: "; ") }

  var text: String {
    let dtype = type.prefix { $0 != "[" }
    return """
      (%x: \(type), %y: \(type), %s: \(dtype)) -> \(result ?? type) {
        \(statements.joined(separator: "\n  "))
        return %z
      }
      """
  }
}

@Suite struct SimplifyTests {
  @Test(arguments: [
    Identity("f32[24]", "%c = constant 1 : f32[24]", "%z = multiply %x, %c : f32[24]", left: []),
    Identity("f32[24]", "%c = constant 1 : f32[24]", "%z = multiply %c, %x : f32[24]", left: []),
    Identity(
      "f32[24]", "%k = constant 1 : f32", "%c = broadcast %k {dimensions = []} : f32[24]",
      "%z = multiply %x, %c : f32[24]", left: []),
    Identity(
      "f32[24]", "%c = constant -1 : f32[24]", "%z = multiply %x, %c : f32[24]", left: ["negate"]),
    Identity("f32[24]", "%c = constant -0 : f32[24]", "%z = add %x, %c : f32[24]", left: []),
    Identity("f32[24]", "%c = constant 0 : f32[24]", "%z = subtract %x, %c : f32[24]", left: []),
    Identity(
      "f32[24]", "%c = constant -0 : f32[24]", "%z = subtract %c, %x : f32[24]", left: ["negate"]),
    Identity("f32[24]", "%c = constant 1 : f32[24]", "%z = divide %x, %c : f32[24]", left: []),
    Identity(
      "f32[24]", "%c = constant -8 : f32[24]", "%z = divide %x, %c : f32[24]",
      left: ["constant", "broadcast", "multiply"]),
    Identity(
      "f16[24]", "%c = constant 64 : f16[24]", "%z = divide %x, %c : f16[24]",
      left: ["constant", "broadcast", "multiply"]),
    Identity(
      "f32[24]", "%c = constant 2 : f32[24]", "%z = power %x, %c : f32[24]", left: ["multiply"]),
    Identity("f32[24]", "%c = constant 1 : f32[24]", "%z = power %x, %c : f32[24]", left: []),
    Identity(
      "f32[24]", "%c = constant 0 : f32[24]", "%z = power %x, %c : f32[24]",
      left: ["constant", "broadcast"]),
    Identity(
      "f32[24]", "%c = constant -1 : f32[24]", "%z = power %x, %c : f32[24]",
      left: ["constant", "broadcast", "divide"]),
    Identity("f32[24]", "%a = negate %x : f32[24]", "%z = negate %a : f32[24]", left: []),
    Identity(
      "f32[24]", "%a = negate %x : f32[24]", "%z = add %y, %a : f32[24]", left: ["subtract"]),
    Identity(
      "f32[24]", "%a = negate %x : f32[24]", "%z = add %a, %y : f32[24]", left: ["subtract"]),
    Identity(
      "f32[24]", "%a = negate %x : f32[24]", "%z = subtract %y, %a : f32[24]", left: ["add"]),
    Identity("f32[24]", "%a = negate %x : f32[24]", "%z = abs %a : f32[24]", left: ["abs"]),
    Identity("f32[24]", "%a = abs %x : f32[24]", "%z = abs %a : f32[24]", left: ["abs"]),
    Identity("f32[24]", "%a = floor %x : f32[24]", "%z = round %a : f32[24]", left: ["floor"]),
    Identity("f32[24]", "%z = maximum %x, %x : f32[24]", left: []),
    Identity("f32[24]", "%c = constant -inf : f32[24]", "%z = maximum %c, %x : f32[24]", left: []),
    Identity("f32[24]", "%c = constant inf : f32[24]", "%z = minimum %x, %c : f32[24]", left: []),
  ])
  func floats(_ identity: Identity) throws {
    try expect("simplify", of: identity.text, leave: identity.left)
  }

  @Test(arguments: [
    Identity(
      "f32[24]", "%c = constant 0 : f32[24]", "%z = add %x, %c : f32[24]",
      left: ["constant", "add"]),
    Identity(
      "f32[24]", "%c = constant -0 : f32[24]", "%z = subtract %x, %c : f32[24]",
      left: ["constant", "subtract"]),
    Identity(
      "f32[24]", "%c = constant 0 : f32[24]", "%z = subtract %c, %x : f32[24]",
      left: ["constant", "subtract"]),
    Identity(
      "f32[24]", "%c = constant 0 : f32[24]", "%z = multiply %x, %c : f32[24]",
      left: ["constant", "multiply"]),
    Identity("f32[24]", "%z = subtract %x, %x : f32[24]", left: ["subtract"]),
    Identity("f32[24]", "%z = divide %x, %x : f32[24]", left: ["divide"]),
    Identity(
      "f32[24]", "%c = constant 3 : f32[24]", "%z = divide %x, %c : f32[24]",
      left: ["constant", "divide"]),
    Identity(
      "f32[24]", "%c = constant 1.7014118e38 : f32[24]", "%z = divide %x, %c : f32[24]",
      left: ["constant", "divide"]),
    Identity(
      "f32[24]", "%a = subtract %x, %y : f32[24]", "%z = negate %a : f32[24]",
      left: ["subtract", "negate"]),
    Identity(
      "f32[24]", "%c = constant 0.5 : f32[24]", "%z = power %x, %c : f32[24]",
      left: ["constant", "power"]),
    Identity("f32[24]", "%z = equal %x, %x : bool[24]", left: ["equal"], result: "bool[24]"),
    Identity(
      "f32[24]", "%a = less %x, %y : bool[24]", "%z = not %a : bool[24]", left: ["less", "not"],
      result: "bool[24]"),
    Identity(
      "f32[3,1,8]", "%z = reduce_sum %x {dimensions = [1]} : f32[3,8]", left: ["reduce_sum"],
      result: "f32[3,8]"),
    Identity("f32[3]", "%z = reduce_sum %x {dimensions = []} : f32[3]", left: ["reduce_sum"]),
    Identity(
      "f32[24]", "%a = convert %x : f16[24]", "%z = convert %a : f32[24]",
      left: ["convert", "convert"]),
    Identity(
      "i16[24]", "%a = convert %x : f32[24]", "%z = convert %a : u8[24]",
      left: ["convert", "convert"], result: "u8[24]"),
  ])
  func whatIsNotExactStays(_ identity: Identity) throws {
    try expect("simplify", of: identity.text, leave: identity.left)
  }

  @Test(arguments: [
    Identity("i32[24]", "%c = constant 0 : i32[24]", "%z = add %c, %x : i32[24]", left: []),
    Identity(
      "i32[24]", "%c = constant 0 : i32[24]", "%z = multiply %x, %c : i32[24]", left: ["constant"]),
    Identity(
      "i64[24]", "%z = subtract %x, %x : i64[24]", left: ["constant", "broadcast"]),
    Identity("u8[24]", "%c = constant 255 : u8[24]", "%z = and %x, %c : u8[24]", left: []),
    Identity("u8[24]", "%c = constant 255 : u8[24]", "%z = or %c, %x : u8[24]", left: ["constant"]),
    Identity("i32[24]", "%c = constant -1 : i32[24]", "%z = xor %x, %c : i32[24]", left: ["not"]),
    Identity("i8[24]", "%z = xor %x, %x : i8[24]", left: ["constant", "broadcast"]),
    Identity("u32[24]", "%c = constant 0 : u32[24]", "%z = shift_left %x, %c : u32[24]", left: []),
    Identity(
      "i32[24]", "%z = less_equal %x, %x : bool[24]", left: ["constant", "broadcast"],
      result: "bool[24]"),
    Identity(
      "i32[24]", "%a = less %x, %y : bool[24]", "%z = not %a : bool[24]", left: ["greater_equal"],
      result: "bool[24]"),
    Identity("bool[24]", "%z = and %x, %x : bool[24]", left: []),
    Identity("bool[24]", "%c = constant true : bool[24]", "%z = and %c, %x : bool[24]", left: []),
    Identity(
      "bool[24]", "%c = constant false : bool[24]", "%z = maximum %c, %x : bool[24]", left: []),
    Identity(
      "bool[24]", "%t = constant true : bool[24]", "%f = constant false : bool[24]",
      "%z = select %x, %t, %f : bool[24]", left: []),
    Identity(
      "bool[24]", "%n = not %x : bool[24]", "%c = constant true : bool[24]",
      "%z = select %n, %c, %y : bool[24]", left: ["constant", "select"]),
    Identity("bool[24]", "%z = select %x, %y, %y : bool[24]", left: []),
    Identity(
      "i32[24]", "%c = constant true : bool[24]", "%z = select %c, %y, %x : i32[24]", left: []),
  ])
  func integersAndTruthValues(_ identity: Identity) throws {
    try expect("simplify", of: identity.text, leave: identity.left)
  }

  @Test(arguments: [
    Identity("f32[24]", "%a = convert %x : f64[24]", "%z = convert %a : f32[24]", left: []),
    Identity(
      "f32[24]", "%a = convert %x : f64[24]", "%z = convert %a : i8[24]", left: ["convert"],
      result: "i8[24]"),
    Identity(
      "bool[24]", "%a = convert %x : i32[24]", "%z = convert %a : f32[24]", left: ["convert"],
      result: "f32[24]"),
    Identity(
      "i8[24]", "%a = convert %x : i32[24]", "%z = convert %a : u8[24]", left: ["convert"],
      result: "u8[24]"),
    Identity(
      "i8[24]", "%a = convert %x : f16[24]", "%z = convert %a : f64[24]", left: ["convert"],
      result: "f64[24]"),
    Identity("i8[24]", "%a = convert %x : f16[24]", "%z = convert %a : i8[24]", left: []),
  ])
  func conversions(_ identity: Identity) throws {
    try expect("simplify", of: identity.text, leave: identity.left)
  }

  @Test(arguments: [
    Identity(
      "f32[2,3,4]", "%a = reshape %x : f32[6,4]", "%z = reshape %a : f32[2,3,4]", left: []),
    Identity(
      "f32[2,3,4]", "%a = reshape %x : f32[6,4]", "%z = reshape %a : f32[24]", left: ["reshape"],
      result: "f32[24]"),
    Identity(
      "f32[2,3,4]", "%a = transpose %x {permutation = [2, 0, 1]} : f32[4,2,3]",
      "%z = transpose %a {permutation = [1, 2, 0]} : f32[2,3,4]", left: []),
    Identity(
      "f32[2,3,4]", "%a = transpose %x {permutation = [2, 0, 1]} : f32[4,2,3]",
      "%z = transpose %a {permutation = [0, 2, 1]} : f32[4,3,2]", left: ["transpose"],
      result: "f32[4,3,2]"),
    Identity(
      "f32[2,1,4]", "%z = transpose %x {permutation = [1, 0, 2]} : f32[1,2,4]",
      left: ["reshape"], result: "f32[1,2,4]"),
    Identity(
      "f32[3]", "%a = broadcast %x {dimensions = [1]} : f32[2,3]",
      "%z = broadcast %a {dimensions = [0, 2]} : f32[2,4,3]", left: ["broadcast"],
      result: "f32[2,4,3]"),
    Identity(
      "f32[3]", "%a = reshape %x : f32[3,1]",
      "%z = broadcast %a {dimensions = [0, 1]} : f32[3,4]", left: ["broadcast"],
      result: "f32[3,4]"),
    Identity(
      "f32[3]", "%z = broadcast %x {dimensions = [1]} : f32[1,3,1]", left: ["reshape"],
      result: "f32[1,3,1]"),
    Identity(
      "f32[3]", "%a = broadcast %x {dimensions = [1]} : f32[2,3]",
      "%z = transpose %a {permutation = [1, 0]} : f32[3,2]", left: ["broadcast"],
      result: "f32[3,2]"),
    Identity(
      "f32[5]", "%z = slice %x {start = [0], limit = [5], stride = [1]} : f32[5]", left: []),
    Identity(
      "f32[24]", "%a = slice %x {start = [2], limit = [20], stride = [3]} : f32[6]",
      "%z = slice %a {start = [1], limit = [6], stride = [2]} : f32[3]", left: ["slice"],
      result: "f32[3]"),
    Identity(
      "f32[5]", "%z = pad %x, %s {low = [0], high = [0], interior = [0]} : f32[5]", left: []),
    Identity("f32[5]", "%z = concatenate %x {dimension = 0} : f32[5]", left: []),
    Identity(
      "f32[5]", "%a = slice %x {start = [1], limit = [1], stride = [1]} : f32[0]",
      "%z = concatenate %a, %y {dimension = 0} : f32[5]", left: []),
    Identity(
      "f32[2,3]", "%a = reverse %x {dimensions = [0, 1]} : f32[2,3]",
      "%z = reverse %a {dimensions = [1]} : f32[2,3]", left: ["reverse"]),
    Identity("f32[1,3]", "%z = reverse %x {dimensions = [0]} : f32[1,3]", left: []),
    Identity(
      "f32[3,1]", "%z = reduce_max %x {dimensions = [1]} : f32[3]", left: ["reshape"],
      result: "f32[3]"),
    Identity("f32[3]", "%z = reduce_product %x {dimensions = []} : f32[3]", left: []),
    Identity(
      "i32[3,1]", "%z = reduce_sum %x {dimensions = [1]} : i32[3]", left: ["reshape"],
      result: "i32[3]"),
    Identity(
      "f32[3,1]", "%z = argmax %x {dimension = 1} : i32[3]", left: ["constant", "broadcast"],
      result: "i32[3]"),
    Identity(
      "f32[5]",
      "%z = reduce_window_max %x "
        + "{window = {size = [1], stride = [2], padding = [[0, 0]], dilation = [1]}} : f32[3]",
      left: ["slice"], result: "f32[3]"),
  ])
  func shapes(_ identity: Identity) throws {
    try expect("simplify", of: identity.text, leave: identity.left)
  }

  @Test(arguments: [
    Identity(
      "f32[24]", "%a = broadcast %s {dimensions = []} : f32[24]", "%z = exp %a : f32[24]",
      left: ["exp", "broadcast"]),
    Identity(
      "f32[3]", "%a = broadcast %x {dimensions = [1]} : f32[4,3]", "%k = constant 2 : f32",
      "%b = broadcast %k {dimensions = []} : f32[4,3]", "%z = multiply %a, %b : f32[4,3]",
      left: ["constant", "broadcast", "multiply", "broadcast"], result: "f32[4,3]"),
    Identity(
      "f32[3]", "%a = broadcast %x {dimensions = [1]} : f32[3,3]",
      "%b = broadcast %y {dimensions = [0]} : f32[3,3]", "%z = add %a, %b : f32[3,3]",
      left: ["broadcast", "broadcast", "add"], result: "f32[3,3]"),
    Identity(
      "f32[24]", "%a = broadcast %s {dimensions = []} : f32[24]",
      "%b = reshape %a : f32[2,12]", "%c = transpose %b {permutation = [1, 0]} : f32[12,2]",
      "%z = reverse %c {dimensions = [0]} : f32[12,2]", left: ["broadcast"], result: "f32[12,2]"),
  ])
  func repetitionsMoveOutward(_ identity: Identity) throws {
    try expect("simplify", of: identity.text, leave: identity.left)
  }

  @Test func transposesVanishInProducts() throws {
    try expect(
      "simplify",
      of: """
        (%x: f32[4,3], %y: f32[5,4]) -> (f32[3,5], f32[3,5]) {
          %a = transpose %x {permutation = [1, 0]} : f32[3,4]
          %b = transpose %y {permutation = [1, 0]} : f32[4,5]
          %0 = dot %a, %y {contracting = [[1], [1]]} : f32[3,5]
          %1 = dot %a, %b {contracting = [[1], [0]]} : f32[3,5]
          return %0, %1
        }
        """, leave: ["dot", "dot"])
    // Here the free dimensions change their order.
    try expect(
      "simplify",
      of: """
        (%x: f32[4,3,2], %y: f32[5,4]) -> f32[2,3,5] {
          %a = transpose %x {permutation = [2, 1, 0]} : f32[2,3,4]
          %0 = dot %a, %y {contracting = [[2], [1]]} : f32[2,3,5]
          return %0
        }
        """, leave: ["transpose", "dot"])
  }
}
