"""What a session that is logged in and idle costs the proxy in memory: resident bytes, divided by the sessions."""

import statistics
import time

from harness import raw, scratch
from harness.certs import Authority

import contenders

WARM = 50  # sessions before the first measure: pools, libraries and the like are there then
SETTLE_SECONDS = 2  # buffers are given back by a timer


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


def _kinds(cluster):
    """A contender anew for each measure: memory that was used before is used again."""
    pem = Authority(scratch.current().folder("certificates")).issue("tillway")

    def tillway(tls):
        c = contenders.Proxy(cluster)
        return c.listen({"certificate": pem}) if tls else c

    return (("haproxy (TCP)", lambda: contenders.HAProxy(cluster), None),
            ("tillway", lambda: tillway(False), None),
            ("tillway, TLS 1.3", lambda: tillway(True), raw.trusting()))


def make_table(connections, rounds, cluster):
    """Markdown, and the single results by kind."""
    rows = {}
    for _ in range(rounds):
        for name, make, tls in _kinds(cluster):
            contender = make()
            contender.start()
            rows.setdefault(name, []).append(_bytes_each(contender, tls, connections))
            contender.stop()
    lines = ["", "### idle sessions, %d connections" % connections, "", "| | KiB a session |", "|---|---|"]
    for name, values in rows.items():
        lines.append("| %s | %.1f (%.1f–%.1f) |" % (
            name, statistics.median(values) / 1024, min(values) / 1024, max(values) / 1024))
    return "\n".join(lines), rows
