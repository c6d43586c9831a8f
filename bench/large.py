"""One result set of a GiB: how fast it comes, and what the proxy's memory grows by meanwhile."""

import statistics
import threading
import time

from harness import raw

import contenders

ROWS, ROW_BYTES = 1024, 2**20
QUERY = "SELECT REPEAT('x', %d) FROM bench.seq_1_to_%d" % (ROW_BYTES, ROWS)
SAMPLE_SECONDS = 0.05


class Watch(threading.Thread):
    """The most memory that the processes had at one time."""

    def __init__(self, pids):
        super().__init__(daemon=True)
        self._pids = pids
        self._over = threading.Event()
        self.most = 0

    def run(self):
        while not self._over.wait(SAMPLE_SECONDS):
            self.most = max(self.most, contenders.rss_bytes(self._pids))

    def stop(self):
        self._over.set()
        self.join()
        return self.most


def _receive(sock, n):
    """At least n bytes; how long it took."""
    room = memoryview(bytearray(2**20))
    begun, left = time.monotonic(), n
    while left > 0:
        got = sock.recv_into(room)
        if got == 0:
            raise EOFError("the connection closed with %d bytes to come" % left)
        left -= got
    return time.monotonic() - begun


def _measure(contender):
    session = raw.connected(contender.port)
    session.value("SELECT 1")
    before = contenders.rss_bytes(contender.pids)
    watch = Watch(contender.pids)
    watch.start()
    cpu = contenders.cpu_seconds(contender.pids)
    session.sock.sendall(raw.packet(bytes([raw.COM_QUERY]) + QUERY.encode()))
    seconds = _receive(session.sock, ROWS * ROW_BYTES)
    grown = watch.stop() - before
    session.close()
    return {"mib_s": ROWS * ROW_BYTES / 2**20 / seconds, "grown_mib": max(0, grown) / 2**20,
            "proxy_ms": (contenders.cpu_seconds(contender.pids) - cpu) * 1000}


def _cell(results, key, form):
    values = [r[key] for r in results]
    return form % statistics.median(values) + " (%s–%s)" % (form % min(values), form % max(values))


def make_table(rounds, cluster):
    """Markdown, and the single results by contender."""
    all_contenders = [contenders.Direct(cluster), contenders.HAProxy(cluster), contenders.Proxy(cluster)]
    rows = {c.name: [] for c in all_contenders}
    for c in all_contenders:
        c.start()
    for turn in range(rounds):
        for c in all_contenders[turn % len(all_contenders):] + all_contenders[:turn % len(all_contenders)]:
            rows[c.name].append(_measure(c))
    for c in all_contenders:
        c.stop()
    lines = ["", "### one result set of a GiB", "", "| | MiB/s | proxy CPU ms | proxy RSS grows by MiB |", "|---|---|---|---|"]
    for name, results in rows.items():
        lines.append("| %s | %s | %s | %s |" % (name, _cell(results, "mib_s", "%.0f"), _cell(results, "proxy_ms", "%.0f"),
                                                _cell(results, "grown_mib", "%.1f")))
    ratio = statistics.median(t["mib_s"] / h["mib_s"] for t, h in zip(rows["tillway"], rows["haproxy"]))
    return "\n".join(lines + ["", "- tillway: MiB/s %.2f × haproxy" % ratio]), rows
