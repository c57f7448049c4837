"""The results as one page of HTML that needs nothing else."""

from html import escape

import charts
import report

STYLE = """
:root { color-scheme: light dark; --page: #fff; --ink: #1a1d21; --faint: #d5d9de;
  --s0: #c2410c; --s1: #4b6a9b; --s2: #4d8a63; --s3: #8a6fa8; --s4: #8c8c8c; }
@media (prefers-color-scheme: dark) { :root { --page: #14171a; --ink: #e4e7ea; --faint: #3a4046;
  --s0: #f97b3d; --s1: #7fa3d9; --s2: #74bd8e; --s3: #b79ad6; --s4: #a8a8a8; } }
body { background: var(--page); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto;
  max-width: 66rem; padding: 0 1rem; }
svg { max-width: 100%; height: auto; } svg text { fill: var(--ink); font-size: 12px; }
svg text.small { font-size: 10px; } .grid { stroke: var(--faint); }
.s0 { fill: var(--s0); background: var(--s0); } .s1 { fill: var(--s1); background: var(--s1); }
.s2 { fill: var(--s2); background: var(--s2); } .s3 { fill: var(--s3); background: var(--s3); }
.s4 { fill: var(--s4); background: var(--s4); }
.key span { display: inline-block; width: .8em; height: .8em; margin: 0 .4em 0 1.2em; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 1rem 0; }
td, th { padding: .15rem .7rem; text-align: right; border-bottom: 1px solid var(--faint); }
td:first-child, th:first-child { text-align: left; } .behind, .wrong { font-weight: 600; color: var(--s0); }
pre { overflow-x: auto; }
"""


def page(results):
    parts = "".join(section(part, results) for part in results["parts"])
    methods = "".join(f"<p>{escape(text)}</p>" for text in report.METHODS.split("\n\n"))
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Martlet beside its peers</title><style>{STYLE}</style><h1>Martlet beside its peers</h1>"
        f"<p>{escape(results['date'])}; {results['threads']} threads; {escape(versions)}</p>{parts}"
        f"<h2>Methods</h2>{methods}</html>\n")


def section(part, results):
    found = results["parts"][part]
    rows, subjects = found["rows"], results["subjects"]
    measured = {name for row in rows for name in row["median_ms"]}
    key = "".join(
        f'<span class="s{place}"></span>{escape(name)}' for place, name in enumerate(subjects) if name in measured)
    summary = "\n".join(report.summary(part, rows))
    return (
        f"<h2>{escape(part)}</h2><pre>{escape(summary)}</pre><p>Longer is better: the share of the machine's limit.</p>"
        f'<p class="key">{key}</p>{charts.chart(rows, subjects)}'
        f"<details><summary>Table</summary>{table(rows, subjects)}</details>"
        f"<details><summary>The machine's limits in this part</summary><pre>{escape(chr(10).join(found['limits']))}"
        f"</pre></details>")


def table(rows, subjects):
    head = "".join(f"<th>{escape(name)}, ms</th>" for name in subjects)
    body = "".join(table_row(row, subjects) for row in rows)
    return f"<table><tr><th>workload</th>{head}<th>ratio</th><th>% of limit</th><th>limited by</th></tr>{body}</table>"


def table_row(row, subjects):
    times = "".join(f"<td>{cell(row['median_ms'].get(name), '.4f')}</td>" for name in subjects)
    behind = " class=behind" * (row["ratio"] is not None and row["ratio"] < 1)
    wrong = " <span class=wrong>WRONG</span>" * ("wrong" in row)
    return (
        f"<tr><td>{escape(row['name'])}</td>{times}<td{behind}>{cell(row['ratio'], '.2f')}</td>"
        f"<td>{cell(row['percent_of_limit'].get(subjects[0]), '.0f')}</td><td>{row['bound_by'] or ''}{wrong}</td></tr>")


def cell(number, digits):
    return "-" if number is None else format(number, digits)
