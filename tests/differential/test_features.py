"""Every feature of a session (features.py) on a primary alone and through Tillway, with lagging replicas and two connections to
each server for three sessions: the statements of two others come between any two of the session's; each reply is equal, byte for byte.

usage: test_features.py [FEATURE]
"""

import sys

import features
from test_differential import Lag, Side, difference, spread
from harness.cluster import TILL_USER, Cluster
from harness.tillway import Tillway

DATABASE = "features"


def differing(sides, names):
    """How many of the features differ; each is shown."""
    bad = 0
    for name in names:
        steps = features.steps(features.FEATURES[name], DATABASE)
        found = difference(sides, DATABASE, steps)
        print("%-20s %s" % (name, "DIFFERS" if found else "equal"), flush=True)
        if found:
            place, truth, shown = found
            print("\n".join("    " + str(step) for step in steps[:place + 1]))
            print("    primary: %s\n    Tillway: %s" % (truth, shown), flush=True)
            bad += 1
    return bad


def prepare(sides):
    for side in sides:
        side.make(DATABASE)
        side.server.query("CREATE ROLE clerk")
        side.server.query("GRANT clerk TO %s" % TILL_USER)


def main():
    names = sys.argv[1:] or list(features.FEATURES)
    with Cluster(replicas=0) as alone, Cluster(replicas=2) as cluster:
        servers = [{"name": s.name, "address": "%s:%d" % (s.host, s.port), "max_connections": 2} for s in cluster.servers]
        with Tillway(cluster, config={"servers": servers}) as tillway:
            sides = (Side(alone.primary, alone.primary.host, alone.primary.port),
                     Side(cluster.primary, tillway.host, tillway.port))
            prepare(sides)
            with Lag(cluster.replicas, 1):
                bad = differing(sides, names)
            reads, _ = spread(tillway)
    print("%d features, %d differ; %d statements by replicas" % (len(names), bad, reads))
    return 1 if bad or not reads else 0


if __name__ == "__main__":
    sys.exit(main())
