"""Measures Tillway beside its peers: starts servers, runs the contenders in turn, prints medians and ratios."""

import argparse
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests"))

from harness.cluster import Cluster  # noqa: E402

import contenders  # noqa: E402
import idle  # noqa: E402
import large  # noqa: E402
import load  # noqa: E402
import report  # noqa: E402
import soak  # noqa: E402
import tls  # noqa: E402
import turns  # noqa: E402
from quota import Quota  # noqa: E402
from tables import TABLES  # noqa: E402

SERVER = ["--innodb-buffer-pool-size=256M", "--max-connections=12000", "--back-log=2000", "--table-open-cache=4000"]
IDLE, IDLE_CONNECTIONS = "idle", 2000
SOAK, SOAK_SECONDS = "soak", 300
SECONDS = 10
CATCH_UP_SECONDS = 300
ALL = list(TABLES) + list(large.STREAMS) + [IDLE, SOAK]


def arguments():
    names = "\n".join("  %-16s %s" % (n, t[0]) for n, t in list(TABLES.items()) + list(large.STREAMS.items()))
    names += "\n  %-16s memory of idle sessions" % IDLE
    names += "\n  %-16s only by name: %d s of everything at once, what it leaves in memory" % (SOAK, SOAK_SECONDS)
    p = argparse.ArgumentParser(prog="bench/run", description=__doc__, epilog="tables:\n" + names,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("tables", nargs="*", metavar="TABLE", help="which to make (default: all)")
    p.add_argument("--rounds", type=int, default=3, help="each round runs every contender once (3)")
    p.add_argument("--seconds", type=int, help="of one run (%d; of a soak %d)" % (SECONDS, SOAK_SECONDS))
    p.add_argument("--turns", type=int, help="reads only: in the place of rounds and seconds, so many of %g s each, with the clients of all connected all the time"
                   % turns.SECONDS)
    p.add_argument("--connections", type=int, nargs="+", help="instead of the table's own")
    p.add_argument("--json", metavar="FILE", help="write every single result there, too")
    a = p.parse_args()
    unknown = [t for t in a.tables if t not in ALL]
    if unknown:
        p.error("no table %s; there are: %s" % (", ".join(unknown), ", ".join(ALL)))
    unfit = [t for t in a.tables or ALL if a.turns and not (t in TABLES and turns.is_fit(TABLES[t]))]
    if unfit:
        p.error("--turns is not for " + ", ".join(unfit))
    return a


def measure(contender, cluster, table, connections, seconds):
    cluster.wait_in_sync(CATCH_UP_SECONDS)  # what the one before has written is not to be this one's work
    meters = []
    result = load.run(contender, table.script, table.options, connections, seconds,
                      lambda: meters.append(contenders.Meter(contender, cluster.servers)))
    result.update(meters[0].per_query(result["queries"]))
    return result


def run_rounds(name, n, a, cluster, all_contenders):
    rows = {c.name: [] for c in all_contenders}
    for turn in range(a.rounds):
        for c in contenders.in_turn(all_contenders, turn):
            print("\r%s, %d connections, round %d of %d: %-24s" % (name, n, turn + 1, a.rounds, c.name),
                  end="", file=sys.stderr, flush=True)
            rows[c.name].append(measure(c, cluster, TABLES[name], n, a.seconds or SECONDS))
    return rows


def make_load_table(name, a, cluster, results):
    table = TABLES[name]
    all_contenders = contenders.make(table.contenders, cluster)
    for n in a.connections or table.connections:
        if a.turns:
            rows = turns.run(all_contenders, table, n, a.turns, cluster, "%s, %d connections" % (name, n))
        else:
            rows = run_rounds(name, n, a, cluster, all_contenders)
        print("\r\033[K", end="", file=sys.stderr)
        print(report.table("%s, %d connections" % (table.what, n), rows), flush=True)
        results.append({"table": name, "connections": n, "rows": rows})
    for c in all_contenders:
        c.stop()


def make_idle_table(a, cluster, results):
    for n in a.connections or [IDLE_CONNECTIONS]:
        text, rows = idle.make_table(n, a.rounds, cluster)
        print(text, flush=True)
        results.append({"table": IDLE, "connections": n, "rows": rows})


def make_stream_table(name, a, cluster, results):
    text, rows = large.make_table(name, a.rounds, cluster)
    print(text, flush=True)
    results.append({"table": name, "connections": 1, "rows": rows})


def make_soak_table(a, cluster, results):
    text, rows = soak.make_table(cluster, a.seconds or SOAK_SECONDS)
    print(text, flush=True)
    results.append({"table": SOAK, "rows": rows})


def make_tables(names, a, results):
    """Those for which servers may use what they can."""
    with Cluster(replicas=2, options=SERVER + tls.server_options()) as cluster:
        load.prepare(cluster.primary)
        cluster.wait_in_sync()
        for name in names:
            if name in TABLES:
                make_load_table(name, a, cluster, results)
            elif name in large.STREAMS:
                make_stream_table(name, a, cluster, results)
            else:
                {IDLE: make_idle_table, SOAK: make_soak_table}[name](a, cluster, results)


def make_held_table(name, a, results):
    """One for which each server is held to a share of a core."""
    table = TABLES[name]
    with Cluster(replicas=table.replicas, options=SERVER) as cluster:
        load.prepare(cluster.primary)
        cluster.wait_in_sync()
        with Quota([s.pid for s in cluster.servers], table.held):
            make_load_table(name, a, cluster, results)


def main():
    a = arguments()
    names = a.tables or [n for n in ALL if n != SOAK]
    held = [n for n in names if n in TABLES and TABLES[n].held]
    free = [n for n in names if n not in held]
    results = []
    if free:
        make_tables(free, a, results)
    for name in held:
        make_held_table(name, a, results)
    if a.json:
        with open(a.json, "w", encoding="utf-8") as f:
            json.dump({"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "cores": os.cpu_count(),
                       "seconds": a.seconds or SECONDS, "results": results}, f, indent=1)


if __name__ == "__main__":
    main()
