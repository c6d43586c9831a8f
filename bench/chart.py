"""A chart of bench/run's results: bench/chart.py results.json > docs/performance.svg

A bar a contender and table: the proxy's CPU time a query as a multiple of HAProxy's, the median of the rounds."""

import json
import statistics
import sys

WIDTH, LEFT, BAR, GAP, SCALE_MAX = 760, 250, 16, 14, 2.0
COLOURS = {"haproxy": "#8b949e", "tillway": "#79c0ff", "tillway, pipelining": "#1f6feb"}
STYLE = ("text{font:12px -apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#57606a}"
         ".title{font-weight:600;font-size:14px}")


def ratios(results):
    """[(title, {contender: median ratio})], of the tables that have the proxy's CPU time."""
    found = []
    for r in results:
        rows = r["rows"]
        if not all(isinstance(x, dict) and "proxy_us" in x for name in COLOURS for x in rows.get(name, [None])):
            continue
        found.append(("%s, %d connections" % (r["table"], r["connections"]),
                      {name: statistics.median(a["proxy_us"] / b["proxy_us"] for a, b in zip(rows[name], rows["haproxy"]))
                       for name in COLOURS}))
    return found


def _bar(y, name, value):
    length = min(value, SCALE_MAX) / SCALE_MAX * (WIDTH - LEFT - 60)
    return ['<rect x="%d" y="%d" width="%.0f" height="%d" rx="2" fill="%s"><title>%s</title></rect>'
            % (LEFT, y, length, BAR - 3, COLOURS[name], name),
            '<text x="%.0f" y="%d">%.2f</text>' % (LEFT + length + 6, y + BAR - 5, value)]


def chart(results):
    y, out = 64, []
    for title, by_contender in ratios(results):
        out.append('<text x="%d" y="%d" text-anchor="end">%s</text>' % (LEFT - 10, y + BAR * 2 - 4, title))
        for name, value in by_contender.items():
            out += _bar(y, name, value)
            y += BAR
        y += GAP
    legend, x = [], LEFT
    for name, colour in COLOURS.items():
        legend.append('<rect x="%d" y="36" width="10" height="10" rx="2" fill="%s"/><text x="%d" y="45">%s</text>'
                      % (x, colour, x + 15, name))
        x += 40 + 7 * len(name)
    head = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d">' % (WIDTH, y), "<style>%s</style>" % STYLE,
            '<text class="title" x="10" y="20">CPU time of the proxy a query, as a multiple of HAProxy\'s (less is better)</text>']
    return "\n".join(head + legend + out + ["</svg>"]) + "\n"


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as f:
        sys.stdout.write(chart(json.load(f)["results"]))
