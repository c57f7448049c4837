"""Bar charts in SVG: for each workload a bar for each subject, as long as its share of the machine's limit."""

from html import escape

BAR, GAP, PLOT, FIGURES = 11, 10, 460, 210
# The width of a letter of a name, at most.
LETTER = 6.6
# Fill by classes, whose colours the page chooses for light and dark.
GRID = (0, 25, 50, 75, 100)


def chart(rows, subjects):
    """One figure for rows that have a limit."""
    rows = [row for row in rows if row["percent_of_limit"]]
    if not rows:
        return ""
    left = 12 + LETTER * max(len(row["name"]) for row in rows)
    longest = max(100, *(max(row["percent_of_limit"].values()) for row in rows))
    scale = PLOT / min(longest, 130)
    parts, y = [], 22
    for row in rows:
        shown = [name for name in subjects if name in row["percent_of_limit"]]
        height = BAR * len(shown)
        parts.append(text(left - 8, y + height / 2 + 4, row["name"], "end"))
        for place, name in enumerate(shown):
            parts.append(bar(row, name, subjects.index(name), left, y + place * BAR, scale))
        y += height + GAP
    lines = "".join(
        f'<line class="grid" x1="{left + share * scale:.1f}" x2="{left + share * scale:.1f}" y1="16" y2="{y}"/>'
        + text(left + share * scale, 11, f"{share} %", "middle") for share in GRID)
    width = round(left + PLOT + FIGURES)
    return (
        f'<svg viewBox="0 0 {width} {y}" width="{width}" height="{y}" role="img" '
        f'aria-label="share of the limit">{lines}{"".join(parts)}</svg>')


def bar(row, name, place, left, y, scale):
    share, milliseconds = row["percent_of_limit"][name], row["median_ms"][name]
    length = min(share * scale, PLOT)
    title = f"{row['name']}: {name} {milliseconds:.4g} ms, {share:.0f} % of the limit"
    ratio = f", {row['ratio']:.2f} times as fast" if name == "martlet" and row["ratio"] is not None else ""
    return (
        f'<rect class="s{place}" x="{left:.1f}" y="{y:.1f}" width="{length:.1f}" height="{BAR - 2}">'
        f"<title>{escape(title)}</title></rect>"
        + text(left + length + 5, y + BAR - 3, f"{milliseconds:.4g} ms{ratio}", "start", "small"))


def text(x, y, content, anchor, style=""):
    kind = f' class="{style}"' if style else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(content)}</text>'
