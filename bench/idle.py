"""What a session that is logged in and idle costs the proxy in memory: resident bytes, divided by the sessions."""

import statistics
import time

from harness import raw

import contenders

WARM = 50  # sessions before the first measure: pools, libraries and the like are there then
SETTLE_SECONDS = 2  # buffers are given back by a timer
# Each measured with a contender anew: memory that was used before is used again.
KINDS = (("haproxy", None), ("tillway", None), ("tillway, TLS", raw.trusting()))


def _open(port, tls, n):
    sessions = [raw.connected(port, tls=tls) for _ in range(n)]
    for s in sessions:
        s.value("SELECT 1")
    time.sleep(SETTLE_SECONDS)
    return sessions


def _bytes_each(contender, tls, n):
    warm = _open(contender.port, tls, WARM)
    before = contenders.rss_bytes(contender.pids)
    sessions = _open(contender.port, tls, n)
    each = (contenders.rss_bytes(contender.pids) - before) / n
    for s in sessions + warm:
        s.close()
    return each


def make_table(connections, rounds, cluster):
    """Markdown, and the single results by kind."""
    rows = {}
    for _ in range(rounds):
        for name, tls in KINDS:
            if name == "haproxy" and connections + WARM > contenders.HAPROXY_MOST:
                continue  # more than it may have here
            contender, = contenders.make([name], cluster)
            rows.setdefault(name, []).append(_bytes_each(contender, tls, connections))
            contender.stop()
    lines = ["", "### idle sessions, %d connections" % connections, "", "| | KiB a session |", "|---|---|"]
    for name, values in rows.items():
        lines.append("| %s | %.1f (%.1f–%.1f) |" % (
            name, statistics.median(values) / 1024, min(values) / 1024, max(values) / 1024))
    return "\n".join(lines), rows
