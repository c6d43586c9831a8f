"""Contenders in turns of half a second each: the clients of all stay connected, and all but one's stand still (SIGSTOP).

What a shared machine gives changes from one second to the next; so close together all get about the same of it. Not for what locks rows:
clients that stand still would keep the locks. Latencies are not told, for they would hold the standing still, too."""

import os
import sys
import time

import contenders
import load
from harness import scratch
from tables import READS

SECONDS = 0.5
WARM_SECONDS = 0.1  # of each turn, before it counts
SETTLE_SECONDS = 0.03  # what is under way when clients stop is answered
CONNECT_SECONDS = 120


def is_fit(table):
    return table.script in READS and not table.held


class _Clients:
    """A load generator of one contender. They stand still but in their turn."""

    def __init__(self, contender, table, connections):
        self.contender = contender
        log = os.path.join(scratch.current().folder("turns"), "sysbench.log")
        argv, cwd = load.sysbench(contender, table.script, table.options, connections)
        self.proc = scratch.spawn(argv + ["--time=0", "run"], log, cwd=cwd)
        scratch.wait_until("clients of " + contender.name, lambda: "Threads started!" in self.proc.log_text(),
                           CONNECT_SECONDS, self.proc)
        self.proc.freeze()


def _reads(connections):
    total = 0
    for c in connections:
        with c.cursor() as cursor:
            cursor.execute("SHOW GLOBAL STATUS LIKE 'Com_select'")
            total += int(cursor.fetchone()[1])
    return total


def _turn(clients, servers, connections):
    clients.proc.thaw()
    time.sleep(WARM_SECONDS)
    meter = contenders.Meter(clients.contender, servers, [clients.proc.pid])
    before, began = _reads(connections), time.monotonic()
    time.sleep(SECONDS)
    reads, ended = _reads(connections) - before, time.monotonic()
    if reads == 0:
        raise RuntimeError("%s answered nothing in %g s" % (clients.contender.name, SECONDS))
    result = dict(meter.per_query(reads), qps=reads / (ended - began))
    clients.proc.freeze()
    time.sleep(SETTLE_SECONDS)
    return result


def run(all_contenders, table, connections, rounds, cluster, title):
    """{contender: [result of each round]}, as load.run gives them, but for latencies."""
    counters = [s.connect() for s in cluster.servers]
    clients = [_Clients(c, table, connections) for c in all_contenders]
    rows = {c.name: [] for c in all_contenders}
    try:
        for turn in range(rounds):
            print("\r%s, turn %d of %d" % (title, turn + 1, rounds), end="", file=sys.stderr, flush=True)
            for c in contenders.in_turn(clients, turn):
                rows[c.contender.name].append(_turn(c, cluster.servers, counters))
    finally:
        for c in clients:
            c.proc.kill()
        for connection in counters:
            connection.close()
    return rows
