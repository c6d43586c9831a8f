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
from tables import TABLES  # noqa: E402

SERVER = ["--innodb-buffer-pool-size=256M", "--max-connections=12000", "--back-log=2000", "--table-open-cache=4000"]
IDLE, IDLE_CONNECTIONS = "idle", 2000
LARGE = "large"
SOAK, SOAK_SECONDS = "soak", 300


def arguments():
    names = "\n".join("  %-16s %s" % (n, t[0]) for n, t in TABLES.items())
    names += "\n  %-16s memory of idle sessions\n  %-16s one result set of a GiB" % (IDLE, LARGE)
    names += "\n  %-16s only by name: %d s of everything at once, what it leaves in memory" % (SOAK, SOAK_SECONDS)
    p = argparse.ArgumentParser(prog="bench/run", description=__doc__, epilog="tables:\n" + names,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("tables", nargs="*", metavar="TABLE", help="which to make (default: all)")
    p.add_argument("--rounds", type=int, default=3, help="each round runs every contender once (3)")
    p.add_argument("--seconds", type=int, help="of one run (10; of a soak %d)" % SOAK_SECONDS)
    p.add_argument("--connections", type=int, nargs="+", help="instead of the table's own")
    p.add_argument("--json", metavar="FILE", help="write every single result there, too")
    a = p.parse_args()
    known = list(TABLES) + [IDLE, LARGE, SOAK]
    unknown = [t for t in a.tables if t not in known]
    if unknown:
        p.error("no table %s; there are: %s" % (", ".join(unknown), ", ".join(known)))
    return a


def measure(contender, cluster, script, options, connections, seconds):
    servers = [s.pid for s in cluster.servers]
    proxy, server = contenders.cpu_seconds(contender.pids), contenders.cpu_seconds(servers)
    result = load.run(contender.port, script, options, connections, seconds)
    result["server_us"] = (contenders.cpu_seconds(servers) - server) / result["queries"] * 1e6
    if contender.pids:
        result["proxy_us"] = (contenders.cpu_seconds(contender.pids) - proxy) / result["queries"] * 1e6
        result["rss_mib"] = contenders.rss_bytes(contender.pids) / 2**20
    return result


def make_table(name, a, all_contenders, cluster, results):
    what, script, options, connections = TABLES[name]
    for n in a.connections or connections:
        rows = {c.name: [] for c in all_contenders}
        for turn in range(a.rounds):
            # another first one each round: whoever follows whom must not matter
            for c in all_contenders[turn % len(all_contenders):] + all_contenders[:turn % len(all_contenders)]:
                print("\r%s, %d connections, round %d of %d: %-12s" % (name, n, turn + 1, a.rounds, c.name),
                      end="", file=sys.stderr, flush=True)
                rows[c.name].append(measure(c, cluster, script, options, n, a.seconds or 10))
        print("\r\033[K", end="", file=sys.stderr)
        print(report.table("%s, %d connections" % (what, n), rows), flush=True)
        results.append({"table": name, "connections": n, "rows": rows})


def make_idle_table(a, cluster, results):
    for n in a.connections or [IDLE_CONNECTIONS]:
        text, rows = idle.make_table(n, a.rounds, cluster)
        print(text, flush=True)
        results.append({"table": IDLE, "connections": n, "rows": rows})


def make_large_table(a, cluster, results):
    text, rows = large.make_table(a.rounds, cluster)
    print(text, flush=True)
    results.append({"table": LARGE, "connections": 1, "rows": rows})


def make_soak_table(a, cluster, results):
    text, rows = soak.make_table(cluster, a.seconds or SOAK_SECONDS)
    print(text, flush=True)
    results.append({"table": SOAK, "rows": rows})


def make_load_tables(a, cluster, results):
    all_contenders = [contenders.Direct(cluster), contenders.HAProxy(cluster), contenders.Proxy(cluster),
                      contenders.Proxy(cluster, "tillway, pipelining", {"pool": {"pipelining": True}})]
    for c in all_contenders:
        c.start()
    for name in a.tables or TABLES:
        if name in TABLES:
            make_table(name, a, all_contenders, cluster, results)
    for c in all_contenders:
        c.stop()


def main():
    a = arguments()
    results = []
    with Cluster(replicas=2, options=SERVER) as cluster:
        load.prepare(cluster.primary)
        cluster.wait_in_sync()
        if not a.tables or IDLE in a.tables:
            make_idle_table(a, cluster, results)
        if not a.tables or LARGE in a.tables:
            make_large_table(a, cluster, results)
        if SOAK in a.tables:
            make_soak_table(a, cluster, results)
        if not a.tables or any(t in TABLES for t in a.tables):
            make_load_tables(a, cluster, results)
    if a.json:
        with open(a.json, "w", encoding="utf-8") as f:
            json.dump({"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "cores": os.cpu_count(),
                       "seconds": a.seconds or 10, "results": results}, f, indent=1)


if __name__ == "__main__":
    main()
