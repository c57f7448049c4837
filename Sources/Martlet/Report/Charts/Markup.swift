/// A value of an attribute in SVG or HTML.
package protocol MarkupValue {
  /// The value as it stands between quotes.
  var markup: String { get }
}

extension String: MarkupValue {
  /// The text with what would end it or begin an element written as entities; what XML cannot hold becomes a blank.
  package var markup: String {
    var result = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\n", "\t": result.unicodeScalars.append(scalar)
      case "\0"..<" ", "\u{FFFE}", "\u{FFFF}": result += " "
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

extension Int: MarkupValue {
  /// The digits.
  package var markup: String { "\(self)" }
}

extension Double: MarkupValue {
  /// The number to a hundredth, which is finer than any screen.
  package var markup: String {
    let text = isFinite ? formatted(digits: 2) : "0"
    return String(text.hasSuffix(".00") ? text.dropLast(3) : text[...])
  }
}

/// An element of SVG or HTML; its content is markup already.
package func element(
  _ name: String, _ attributes: KeyValuePairs<String, any MarkupValue> = [:],
  _ content: String = ""
) -> String {
  let list = attributes.map { " \($0.key)=\"\($0.value.markup)\"" }.joined()
  return content.isEmpty && childless.contains(name)
    ? "<\(name)\(list)/>" : "<\(name)\(list)>\(content)</\(name)>"
}

/// Elements that end where they begin: what HTML knows as void, and shapes of SVG.
///
/// Others need an end of their own in HTML.
private let childless: Set = ["br", "circle", "img", "meta", "path", "rect"]

/// An element of text.
package func element(
  _ name: String, _ attributes: KeyValuePairs<String, any MarkupValue> = [:], text: String
) -> String {
  element(name, attributes, text.markup)
}

/// A drawing in SVG that is as wide as its place allows.
package struct Drawing: Sendable {
  /// What it shows, for those who do not see it.
  package let title: String
  /// The width of its coordinates.
  package let width: Double
  /// The height of its coordinates.
  package let height: Double
  /// The elements.
  package let content: String

  /// Makes a drawing.
  package init(title: String, width: Double, height: Double, content: String) {
    self.title = title
    self.width = width
    self.height = height
    self.content = content
  }

  /// The element of a page that has the charts' style.
  package var element: String { svg(extra: "") }

  /// A file of its own.
  package var file: String {
    svg(extra: Martlet.element("style", [:], ChartStyle.css(root: "svg")), isFile: true) + "\n"
  }

  private func svg(extra: String, isFile: Bool = false) -> String {
    let size = "0 0 \(width.markup) \(height.markup)"
    let body = Martlet.element("title", text: title) + extra + content
    return isFile
      ? Martlet.element(
        "svg",
        [
          "xmlns": "http://www.w3.org/2000/svg", "viewBox": size, "width": width,
          "height": height, "class": "chart",
        ], body)
      : Martlet.element("svg", ["viewBox": size, "class": "chart", "role": "img"], body)
  }
}
