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


def _spent(clients, servers):
    groups = {"proxy_us": clients.contender.pids, "server_us": [s.pid for s in servers], "client_us": [clients.proc.pid]}
    return {what: contenders.cpu_seconds(pids) for what, pids in groups.items()}


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
    reads, spent, began = _reads(connections), _spent(clients, servers), time.monotonic()
    time.sleep(SECONDS)
    reads, after, ended = _reads(connections) - reads, _spent(clients, servers), time.monotonic()
    clients.proc.freeze()
    time.sleep(SETTLE_SECONDS)
    if reads == 0:
        raise RuntimeError("%s answered nothing in %g s" % (clients.contender.name, SECONDS))
    result = {what: (after[what] - spent[what]) / reads * 1e6 for what in spent}
    result["qps"] = reads / (ended - began)
    if clients.contender.pids:
        result["rss_mib"] = contenders.rss_bytes(clients.contender.pids) / 2**20
    else:
        del result["proxy_us"]
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
