"""Medians of several rounds, beside each other and as ratios."""

import statistics

COLUMNS = (("qps", "queries/s", "%.0f"), ("p50", "p50 ms", "%.2f"), ("p95", "p95 ms", "%.2f"),
           ("p99", "p99 ms", "%.2f"), ("p99.9", "p99.9 ms", "%.2f"),
           ("proxy_us", "proxy CPU µs/query", "%.1f"), ("server_us", "server CPU µs/query", "%.1f"),
           ("client_us", "client CPU µs/query", "%.1f"),
           ("rss_mib", "proxy RSS MiB", "%.1f"))
FIRST = None  # the table's first contender
PEERS = (("haproxy", "proxy_us", "proxy CPU a query"), ("haproxy", "qps", "queries/s"), ("haproxy", "p50", "p50"),
         ("tillway", "proxy_us", "proxy CPU a query"), ("tillway", "qps", "queries/s"),
         (FIRST, "qps", "queries/s"), (FIRST, "server_us", "server CPU a query"))
MANY = 8  # rounds; of more the middle half is told, of so many where they end


def _cell(values, form):
    """The median, and how far several rounds lie apart; of many where the middle half of them is."""
    middle = form % statistics.median(values)
    if len(values) == 1:
        return middle
    low, high = (min(values), max(values)) if len(values) <= MANY else statistics.quantiles(values, n=4)[::2]
    return "%s (%s–%s)" % (middle, form % low, form % high)


def _ratio(rows, name, peer, column):
    """Round by round, as the two stood beside each other."""
    pairs = [(a[column], b[column]) for a, b in zip(rows[name], rows[peer]) if b.get(column)]
    return _cell([a / b for a, b in pairs], "%.2f") if pairs else None


def _ratios(rows):
    lines, first = [], next(iter(rows))
    for name in rows:
        if not name.startswith("tillway"):
            continue
        for peer, column, what in PEERS:
            peer = first if peer is FIRST else peer
            ratio = _ratio(rows, name, peer, column) if peer in rows and peer != name else None
            if ratio is not None:
                lines.append("- %s: %s %s × %s" % (name, what, ratio, peer))
    return lines


def table(title, rows):
    """rows: {contender: [result of each round]}; Markdown."""
    shown = [c for c in COLUMNS if any(c[0] in r for results in rows.values() for r in results)]
    lines = ["", "### " + title, "", "| | " + " | ".join(c[1] for c in shown) + " |",
             "|---|" + "---|" * len(shown)]
    for name, results in rows.items():
        cells = [_cell([r[key] for r in results], form) if all(key in r for r in results) else ""
                 for key, _, form in shown]
        lines.append("| %s | %s |" % (name, " | ".join(cells)))
    return "\n".join(lines + [""] + _ratios(rows))
