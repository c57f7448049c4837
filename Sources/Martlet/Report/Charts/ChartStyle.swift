/// The colours and letters of charts, for a light ground and a dark one.
package enum ChartStyle {
  /// How many colours there are for series; the next one begins anew.
  static let colors = light.count

  /// Hues that people with defective colour vision tell apart in this order, and their steps for a dark ground.
  private static let light = [
    "#2a78d6", "#eb6834", "#1baf7a", "#4a3aa7", "#e34948", "#b57b00", "#e87ba4", "#008300",
  ]
  private static let dark = [
    "#3987e5", "#d95926", "#199e70", "#9085e9", "#e66767", "#c98500", "#d55181", "#2fa32f",
  ]

  /// The rules; `root` selects what holds the colours.
  static func css(root: String) -> String {
    """
    \(root){\(variables(light, ground: "#ffffff", ink: "#1c1c1a", soft: "#5c5b56", line: "#dddcd5"))}
    @media (prefers-color-scheme:dark){\(root){\
    \(variables(dark, ground: "#1d1d1c", ink: "#f3f2ee", soft: "#b5b4ab", line: "#393935"))}}
    @media print{\(root){\
    \(variables(light, ground: "#ffffff", ink: "#1c1c1a", soft: "#5c5b56", line: "#dddcd5"))}}
    .chart{font:13px system-ui,-apple-system,"Segoe UI","Helvetica Neue",Arial,sans-serif}
    .chart text{fill:var(--soft);font-variant-numeric:tabular-nums}
    .chart .heading{fill:var(--ink);font-weight:600;font-size:14px}
    .chart .value{fill:var(--ink)}
    .chart .ground{fill:var(--ground)}
    .chart .grid{stroke:var(--line);fill:none}
    .chart .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
    .chart .dashed{stroke-dasharray:5 4;stroke-width:1.5}
    .chart .point{fill:var(--ink);fill-opacity:0}
    .chart .point:hover{fill-opacity:.35}
    .chart .right{fill:var(--c0)}
    .chart .wrong{fill:var(--c1)}
    .chart .ridge{fill:var(--ground);stroke:var(--c0);stroke-width:1.2;stroke-linejoin:round}
    .chart .depth{stroke:var(--c0)}
    \(light.indices.map { ".chart .c\($0){stroke:var(--c\($0))}" }.joined(separator: "\n"))
    """
  }

  private static func variables(
    _ colors: [String], ground: String, ink: String, soft: String, line: String
  ) -> String {
    let list = colors.enumerated().map { "--c\($0):\($1)" }
    return (list + ["--ground:\(ground)", "--ink:\(ink)", "--soft:\(soft)", "--line:\(line)"])
      .joined(separator: ";")
  }
}
