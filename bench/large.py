"""Much data in one statement, a result set of a GiB or a LOAD DATA LOCAL: how fast it goes, and what the proxy's memory grows by."""

import statistics
import threading
import time

from harness import raw

import contenders

ROWS, ROW_BYTES = 1024, 2**20
QUERY = "SELECT REPEAT('x', %d) FROM bench.seq_1_to_%d" % (ROW_BYTES, ROWS)
LOADED = b"x" * 1023 + b"\n"
PACKET_LINES, PACKETS = 1024, 64
LOAD = "LOAD DATA LOCAL INFILE 'rows' INTO TABLE bench.loaded"
TABLE = "CREATE OR REPLACE TABLE bench.loaded (s VARCHAR(1023)) CHARACTER SET latin1"
SAMPLE_SECONDS = 0.05
CONTENDERS = ("direct", "haproxy", "tillway")


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


def _receive(session):
    """At least as many bytes as the rows have."""
    room = memoryview(bytearray(2**20))
    left = ROWS * ROW_BYTES
    session.send(raw.COM_QUERY, QUERY.encode())
    while left > 0:
        got = session.sock.recv_into(room)
        if got == 0:
            raise EOFError("the connection closed with %d bytes to come" % left)
        left -= got


def _load(session):
    session.send(raw.COM_QUERY, LOAD.encode())
    seq, reply = session.packet()
    if reply[:1] != b"\xfb":
        raise RuntimeError("LOAD DATA answers %r" % reply)
    for n in range(1, PACKETS + 1):
        session.sock.sendall(raw.packet(LOADED * PACKET_LINES, (seq + n) & 0xFF))
    session.sock.sendall(raw.packet(b"", (seq + PACKETS + 1) & 0xFF))
    if session.packet()[1][:1] != b"\0":
        raise RuntimeError("LOAD DATA fails")


# name: (what it is, how it is done, MiB)
STREAMS = {
    "large": ("one result set of a GiB", _receive, ROWS * ROW_BYTES / 2**20),
    "load-data": ("LOAD DATA LOCAL, 64 MiB", _load, len(LOADED) * PACKET_LINES * PACKETS / 2**20),
}


def _measure(contender, stream, size):
    session = raw.connected(contender.port, caps=raw.LOCAL_FILES)
    session.value("SELECT 1")
    before = contenders.rss_bytes(contender.pids)
    watch = Watch(contender.pids)
    watch.start()
    cpu = contenders.cpu_seconds(contender.pids)
    begun = time.monotonic()
    stream(session)
    seconds = time.monotonic() - begun
    grown = watch.stop() - before
    session.close()
    return {"mib_s": size / seconds, "grown_mib": max(0, grown) / 2**20,
            "proxy_ms": (contenders.cpu_seconds(contender.pids) - cpu) * 1000}


def _cell(results, key, form):
    values = [r[key] for r in results]
    return form % statistics.median(values) + " (%s–%s)" % (form % min(values), form % max(values))


def make_table(name, rounds, cluster):
    """Markdown, and the single results by contender."""
    what, stream, size = STREAMS[name]
    all_contenders = contenders.make(CONTENDERS, cluster)
    rows = {c.name: [] for c in all_contenders}
    for turn in range(rounds):
        for c in contenders.in_turn(all_contenders, turn):
            cluster.primary.query(TABLE)
            cluster.wait_in_sync()  # what replicas still do would be done at the next one's cost
            rows[c.name].append(_measure(c, stream, size))
    for c in all_contenders:
        c.stop()
    lines = ["", "### " + what, "", "| | MiB/s | proxy CPU ms | proxy RSS grows by MiB |", "|---|---|---|---|"]
    for contender, results in rows.items():
        lines.append("| %s | %s | %s | %s |" % (contender, _cell(results, "mib_s", "%.0f"), _cell(results, "proxy_ms", "%.0f"),
                                                _cell(results, "grown_mib", "%.1f")))
    ratio = statistics.median(t["mib_s"] / h["mib_s"] for t, h in zip(rows["tillway"], rows["haproxy"]))
    return "\n".join(lines + ["", "- tillway: MiB/s %.2f × haproxy" % ratio]), rows
