"""One run of a load generator against a port, and what it did."""

import re
import subprocess

import tls
from tables import CROWD, TPCC
from harness import pos
from harness.chaos import grant, make_outcome
from harness.cluster import TILL_PASSWORD, TILL_USER

TABLE = ["--tables=1", "--table-size=100000"]
PERCENTILES = (50, 95, 99, 99.9)


def _argv(port, script, options):
    return ["sysbench", script, "--db-driver=mysql", "--mysql-host=127.0.0.1", "--mysql-port=%d" % port,
            "--mysql-user=" + TILL_USER, "--mysql-password=" + TILL_PASSWORD, "--mysql-db=bench"] + TABLE + options


def _sysbench(argv, cwd=None):
    done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=cwd)
    if done.returncode != 0:
        raise RuntimeError("%s: %s%s" % (" ".join(argv), done.stdout[-2000:], done.stderr[-500:]))
    return done.stdout


def sysbench(contender, script, options, clients):
    """The load of so many clients, but for how long; and the folder that it is to run in."""
    options = options + ["--threads=%d" % clients] + (["--mysql-ssl=on"] if contender.tls else [])
    return _argv(contender.port, script, options), tls.folder() if contender.tls else None


def prepare(primary):
    """The tables that all runs use, made without a proxy; and what failover needs."""
    primary.query("CREATE DATABASE bench")
    _sysbench(_argv(primary.port, "oltp_point_select", ["prepare"]))
    _sysbench(_argv(primary.port, TPCC, ["prepare"]))
    pos.load(primary.host, primary.port)
    primary.query("UPDATE pos.Product SET availableQuantity = 1000000000")
    grant(primary)
    make_outcome(primary)


def _percentiles(text):
    """From the histogram's lines, "    value -- ... count"; milliseconds."""
    rows = [(float(v), int(n)) for v, n in re.findall(r"^\s*([\d.]+) \|[* ]*\s(\d+)$", text, re.M)]
    total, result, passed = sum(n for _, n in rows), {}, 0
    wanted = list(PERCENTILES)
    for value, count in rows:
        passed += count
        while wanted and passed >= total * wanted[0] / 100:
            result["p%g" % wanted.pop(0)] = value
    return result


def _run_sysbench(contender, script, options, clients, seconds):
    argv, cwd = sysbench(contender, script, options, clients)
    text = _sysbench(argv + ["--time=%d" % seconds, "--histogram=on", "run"], cwd)
    queries, per_second = re.search(r"queries:\s+(\d+)\s+\(([\d.]+) per sec", text).groups()
    result = {"queries": int(queries), "qps": float(per_second)}
    result.update(_percentiles(text))
    return result


def _run_crowd(contender, clients, seconds, begin):
    argv = [CROWD, str(contender.port), TILL_USER, TILL_PASSWORD, "bench", str(clients), str(seconds)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL) as crowd:
        if crowd.stdout.readline() == "ready\n":
            begin()
        rows = [line.split() for line in crowd.stdout]
    if crowd.returncode != 0:
        raise RuntimeError("%s: status %d" % (" ".join(argv), crowd.returncode))
    return {name: float(value) for name, value in rows}


def run(contender, script, options, connections, seconds, begin):
    """{queries, qps, p50, p95, p99, p99.9}: latencies in milliseconds, of a transaction. `begin` is called when what counts begins:
    with sysbench before its clients log in, with the crowd behind that."""
    clients = min(connections, contender.most or connections)
    if script == CROWD:
        return _run_crowd(contender, clients, seconds, begin)
    begin()
    return _run_sysbench(contender, script, options, clients, seconds)
