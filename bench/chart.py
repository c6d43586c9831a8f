#!/usr/bin/python3
"""A chart of bench/run's results: bench/chart.py results.json > docs/performance.svg

A bar a contender and table, the median of the rounds: the proxy's CPU time a query as a multiple of HAProxy's, and for the tables in which
HAProxy with all others does not stand, queries a second as a multiple of the first contender's."""

import json
import statistics
import sys

WIDTH, LEFT, BAR, GAP, TOP = 860, 330, 16, 14, 64
COLOURS = {"haproxy": "#8b949e", "tillway, one by one": "#79c0ff", "tillway": "#1f6feb"}
OTHERS = ("#8b949e", "#79c0ff", "#1f6feb", "#56d364", "#238636", "#d29922")
STYLE = ("text{font:12px -apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#57606a}"
         ".title{font-weight:600;font-size:14px}")


def _has_all(rows):
    """Whether every proxy of the first chart was measured, and its CPU time."""
    return all(isinstance(x, dict) and "proxy_us" in x for name in COLOURS for x in rows.get(name, [None]))


def _is_load(rows):
    return all(isinstance(x, dict) and "qps" in x for results in rows.values() for x in results)


def _medians(rows, names, column, peer):
    return {name: statistics.median(a[column] / b[column] for a, b in zip(rows[name], rows[peer])) for name in names}


def _title(result):
    return "%s, %d connections" % (result["table"], result["connections"])


def cpu_ratios(results):
    """[(title, {contender: median ratio})], of the tables that have the proxies' CPU time."""
    return [(_title(r), _medians(r["rows"], COLOURS, "proxy_us", "haproxy")) for r in results if _has_all(r["rows"])]


def throughput_ratios(results):
    """The same of queries a second, of all other tables of a load."""
    return [(_title(r), _medians(r["rows"], r["rows"], "qps", next(iter(r["rows"]))))
            for r in results if _is_load(r["rows"]) and not _has_all(r["rows"])]


def _bar(y, name, value, most, colour):
    length = value / most * (WIDTH - LEFT - 190)
    return ['<rect x="%d" y="%d" width="%.0f" height="%d" rx="2" fill="%s"/>' % (LEFT, y, length, BAR - 3, colour),
            '<text x="%.0f" y="%d">%.2f %s</text>' % (LEFT + length + 6, y + BAR - 5, value, name)]


def _section(y, title, tables):
    """Its lines, and where the next one begins."""
    out = ['<text class="title" x="10" y="%d">%s</text>' % (y + 20, title)]
    most = max([value for _, bars in tables for value in bars.values()], default=1)
    y += TOP - 24
    for name, bars in tables:
        out.append('<text x="%d" y="%d" text-anchor="end">%s</text>' % (LEFT - 10, y + BAR - 5, name))
        for i, (contender, value) in enumerate(bars.items()):
            out += _bar(y, contender, value, most, COLOURS.get(contender, OTHERS[i % len(OTHERS)]))
            y += BAR
        y += GAP
    return out, y


def chart(results):
    y, lines = 0, []
    for title, tables in (("CPU time of the proxy a query, as a multiple of HAProxy's (less is better)", cpu_ratios(results)),
                          ("Queries a second, as a multiple of the first (more is better)", throughput_ratios(results))):
        if tables:
            section, y = _section(y, title, tables)
            lines += section
    head = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d">' % (WIDTH, y), "<style>%s</style>" % STYLE]
    return "\n".join(head + lines + ["</svg>"]) + "\n"


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as f:
        sys.stdout.write(chart(json.load(f)["results"]))
