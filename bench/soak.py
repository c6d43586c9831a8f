"""Minutes of everything at once, and what is left of it in the proxy: memory and descriptors.

Tills come, work, fail and leave in every way, and are killed at random, while the proxy's resident memory and descriptors are
sampled. What counts is the slope: the last samples against those after the first quarter, and what remains when all have left."""

import os
import random
import statistics
import sys
import threading
import time

import pymysql

from harness import leaving, raw, scratch

import contenders

TILLS, TURNS, SAMPLES = 12, 25, 40
KILL_SECONDS = 0.2
TABLE = ("CREATE DATABASE soak", "CREATE TABLE soak.t (id INT PRIMARY KEY, v INT, s MEDIUMTEXT)",
         "INSERT INTO soak.t SELECT seq, seq, REPEAT('s', 200) FROM mysql.seq_1_to_1000", )


def _read(c, n):
    c.execute("SELECT v, s FROM t WHERE id=%s", (n,))
    c.fetchall()


def _write(c, n):
    c.execute("UPDATE t SET v=v+1 WHERE id=%s", (n,))


def _transaction(c, n):
    c.execute("BEGIN")
    c.execute("UPDATE t SET v=v+1 WHERE id=%s", (n,))
    c.execute("SELECT v FROM t WHERE id=%s", (n,))
    c.execute("COMMIT" if n % 2 else "ROLLBACK")


def _state(c, n):
    c.execute("SET @n = %s, sql_mode = %s", (n, "ANSI_QUOTES" if n % 2 else ""))
    c.execute("CREATE TEMPORARY TABLE own%d AS SELECT @n AS n" % n)
    c.execute("PREPARE p FROM 'SELECT ? + n FROM own%d'" % n)
    c.execute("EXECUTE p USING @n")
    c.execute("DROP TEMPORARY TABLE own%d" % n)


def _many_rows(c, n):
    c.execute("SELECT a.s FROM t a JOIN t b ON b.id <= 5 WHERE a.id > %s", (n % 900,))
    c.fetchall()


def _big(c, n):
    c.execute("UPDATE t SET s=%s WHERE id=%s", ("b" * (1 << 20), n % 10 + 1))
    c.execute("SELECT s FROM t WHERE id=%s", (n % 10 + 1,))
    c.fetchall()
    c.execute("UPDATE t SET s='' WHERE id=%s", (n % 10 + 1,))


def _fail(c, n):
    try:
        c.execute("SELECT nosuch, %s FROM t", (n,))
    except pymysql.err.OperationalError:
        c.execute("SHOW WARNINGS")
        c.fetchall()


WORK = (_read,) * 8 + (_write,) * 4 + (_transaction,) * 2 + (_state,) * 2 + (_many_rows, _big, _fail)


class Soak:
    def __init__(self, cluster, seconds):
        self._contender = contenders.Proxy(cluster)
        self._until = time.monotonic() + seconds
        self._seconds = seconds
        self.counts = {"statements": 0, "sessions": 0, "kills": 0, "cut short": 0}
        self._lock = threading.Lock()
        self._alive = {}

    def _count(self, what, n=1):
        with self._lock:
            self.counts[what] += n

    def _going(self):
        return time.monotonic() < self._until

    def _work(self, rnd):
        """One session of a driver; a kill may end it anywhere."""
        c = pymysql.connect(host="127.0.0.1", port=self._contender.port, user="till", password="till", database="soak",
                            autocommit=True, charset="utf8mb4")
        self._alive[threading.get_ident()] = c.thread_id()
        try:
            for turn in range(TURNS):
                rnd.choice(WORK)(c.cursor(), rnd.randrange(1, 1000))
                self._count("statements")
                if not self._going():
                    break
        finally:
            self._alive.pop(threading.get_ident(), None)
            c.close()

    def _till(self, number):
        rnd = random.Random(number)
        while self._going():
            try:
                if rnd.random() < 0.5:
                    self._work(rnd)
                else:
                    rnd.choice(leaving.ENDS)(raw.connected(self._contender.port, database="soak"))
                self._count("sessions")
            except (pymysql.err.MySQLError, OSError, EOFError, PermissionError):
                self._count("cut short")

    def _killer(self):
        rnd = random.Random(0)
        c = raw.connected(self._contender.port)
        while self._going():
            time.sleep(KILL_SECONDS)
            ids = list(self._alive.values())
            if ids:
                c.send(raw.COM_QUERY, b"KILL %s%d" % (rnd.choice((b"", b"QUERY ")), rnd.choice(ids)))
                c.packet()
                self._count("kills")
        c.close()

    def _descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self._contender.pids[0]))

    def _sample(self):
        return contenders.rss_bytes(self._contender.pids) / 2**20, self._descriptors()

    def run(self):
        """[(RSS in MiB, descriptors)] while it ran, and at the end, once all have left."""
        self._contender.start()
        before = self._descriptors()
        threads = [threading.Thread(target=self._till, args=(n,)) for n in range(TILLS)]
        threads.append(threading.Thread(target=self._killer))
        for t in threads:
            t.start()
        samples = []
        while self._going():
            time.sleep(self._seconds / SAMPLES)
            samples.append(self._sample())
            print("\rsoak: %.0f s left, %.1f MiB, %d descriptors " % (
                max(self._until - time.monotonic(), 0), *samples[-1]), end="", file=sys.stderr, flush=True)
        for t in threads:
            t.join()
        print("\r\033[K", end="", file=sys.stderr)
        # What idles in the pools (pool.idle, a minute) is the same at the beginning: none.
        scratch.wait_until("the descriptors of the beginning", lambda: self._descriptors() <= before, 150)
        samples.append(self._sample())
        self._contender.stop()
        return samples, before


def make_table(cluster, seconds):
    """Markdown, and all samples."""
    for sql in TABLE:
        cluster.primary.query(sql)
    cluster.wait_in_sync()
    soak = Soak(cluster, seconds)
    samples, before = soak.run()
    quarter = len(samples) // 4
    early = statistics.median(rss for rss, _ in samples[quarter:2 * quarter])
    late = statistics.median(rss for rss, _ in samples[-quarter - 1:-1])
    lines = ["", "### soak, %d s, %d tills" % (seconds, TILLS), "",
             ", ".join("%d %s" % (n, what) for what, n in soak.counts.items()), "",
             "| | RSS MiB | descriptors |", "|---|---|---|",
             "| at the start | | %d |" % before,
             "| second quarter (median) | %.1f | %d |" % (early, statistics.median(n for _, n in samples[quarter:2 * quarter])),
             "| last quarter (median) | %.1f | %d |" % (late, statistics.median(n for _, n in samples[-quarter - 1:-1])),
             "| when all had left | %.1f | %d |" % samples[-1]]
    return "\n".join(lines), {"before": before, "samples": samples, "counts": soak.counts}
