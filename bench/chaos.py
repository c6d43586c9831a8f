"""Takes servers away under tills that sell, again and again, and prints what the ledger says. bench/chaos --help."""

import argparse
import collections
import json
import os
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests"))

from harness.chaos import FAULTS, TAKES, WHERE, Failing  # noqa: E402

HEADING = ("| fault | runs | sales acknowledged | complaints | errors | longest pause of a till: p50 | max |\n"
           "|---|---|---|---|---|---|---|")


def arguments():
    p = argparse.ArgumentParser(prog="bench/chaos", description=__doc__, epilog="faults:\n" + "\n".join(
        "  %-15s %s" % (n, f.__doc__.strip()) for n, f in FAULTS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("faults", nargs="*", metavar="FAULT", help="which (default: all)")
    p.add_argument("--runs", type=int, default=10, help="of each fault, with seeds of their own (10)")
    p.add_argument("--seed", type=int, default=1, help="of the first run (1)")
    p.add_argument("--tills", type=int, default=16)
    p.add_argument("--without-exactly-once", action="store_true", help="the listener's option is off")
    p.add_argument("--json", metavar="FILE", help="write every run there, too")
    a = p.parse_args()
    unknown = [f for f in a.faults if f not in FAULTS]
    if unknown:
        p.error("no fault %s" % ", ".join(unknown))
    return a


def row(name, results):
    pauses = [r.pause for r in results]
    errors = sum((collections.Counter(r.errors) for r in results), collections.Counter())
    return "| %s | %d | %d | %d | %s | %.2f s | %.2f s |" % (
        name, len(results), sum(r.acknowledged for r in results), sum(len(r.complaints) for r in results),
        ", ".join("%d × %s" % (n, code) for code, n in sorted(errors.items())) or "0",
        statistics.median(pauses), max(pauses))


def strike(failing, name, a):
    results = []
    for seed in range(a.seed, a.seed + a.runs):
        r = failing.run(FAULTS[name], tills=a.tills, seed=seed)
        r.fault, r.seed = name, seed
        results.append(r)
        print("%s, seed %d: %d sales, pause %.2f s, errors %s%s" % (
            name, seed, r.acknowledged, r.pause, r.errors or 0,
            "".join("\n  " + c for c in r.complaints[:10])), file=sys.stderr, flush=True)
    return results


def record(r):
    return {"fault": r.fault, "seed": r.seed, "acknowledged": r.acknowledged, "pause_s": r.pause, "errors": r.errors,
            "complaints": r.complaints}


def groups(faults):
    """Those that strike at the same place, together: {the place: their names}."""
    found = {}
    for name in faults:
        found.setdefault(WHERE.get(name, Failing), []).append(name)
    return found


def main():
    a = arguments()
    lines, runs = [], []
    for takes in dict.fromkeys(TAKES[name] for name in a.faults or FAULTS if name in TAKES):
        why = takes()
        if why:
            sys.exit(why)
    for where, names in groups(a.faults or FAULTS).items():
        with where(exactly_once=not a.without_exactly_once) as failing:
            for name in names:
                results = strike(failing, name, a)
                runs += results
                lines.append(row(name, results))
    print(HEADING + "\n" + "\n".join(lines))
    if a.json:
        with open(a.json, "w", encoding="utf-8") as f:
            json.dump([record(r) for r in runs], f, indent=1)
    return 1 if any(r.complaints for r in runs) else 0


if __name__ == "__main__":
    sys.exit(main())
