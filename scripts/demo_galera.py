"""Shows Tillway before a Galera cluster: tills sell while the node that takes writes is killed and comes back.

Run by scripts/demo --galera.
"""

import contextlib
import time

from harness import scratch
from harness.galera import Galera
from harness.sale_till import SCHEMA, SaleTill
from harness.tillway import Tillway

CONFIG = {"failover": {"enabled": True, "wait": "30s"}, "monitor": {"timeout": "300ms"}}


def status(tillway):
    return tillway.command("cluster", "status").stdout


def writer(tillway, galera):
    """The node that takes writes."""
    first = scratch.wait_until("a writer", lambda: "writes go to: node" in status(tillway), 60) and status(tillway)
    return next(n for n in galera.nodes if "writes go to: %s\n" % n.name in first)


def kept(node):
    with contextlib.closing(node.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SET wsrep_sync_wait=1")
        cursor.execute("SELECT id FROM shop.sale")
        return {row[0] for row in cursor.fetchall()}


def sell(show, galera, tillway, options):
    """Tills sell; in the middle of it their node dies. They, ended."""
    tills = [SaleTill(tillway, i) for i in range(min(options.tills, 100))]
    for till in tills:
        till.start()
    try:
        with show.step("%d tills sell for %d s" % (len(tills), options.seconds)):
            time.sleep(options.seconds)
        lost = writer(tillway, galera)
        with show.step("%s, which takes their writes, is killed; they go on" % lost.name):
            lost.kill()
            sold = [len(t.acknowledged) for t in tills]
            scratch.wait_until("sales after the kill", lambda: all(
                len(t.acknowledged) > n + 10 for t, n in zip(tills, sold)), 60)
        with show.step("%s comes back, with what was sold meanwhile" % lost.name):
            lost.start()
    finally:
        for till in tills:
            till.ended.set()
        for till in tills:
            till.join(60)
    return tills


def run(show, options, failure):
    with contextlib.ExitStack() as stack:
        galera = Galera(nodes=3)
        with show.step("MariaDB: a Galera cluster of three nodes") as step:
            stack.enter_context(galera)
            step.note("ports " + ", ".join(str(n.port) for n in galera.nodes))
        for sql in SCHEMA:
            galera.nodes[0].query(sql)
        tillway = Tillway(galera, config=CONFIG)
        with show.step("Tillway before them") as step:
            stack.enter_context(tillway)
            step.note("port %d" % tillway.port)
        tills = sell(show, galera, tillway, options)
        sold = {n for t in tills for n in t.acknowledged}
        lost = {n.name: len(sold - kept(n)) for n in galera.nodes}
        unseen = sum(len(t.unseen) for t in tills)
        show.heading("What came of it")
        show.facts([
            ("sales acknowledged", len(sold)),
            ("of these missing", ", ".join("%s: %d" % pair for pair in lost.items())),
            ("own sales not seen at once", unseen),
            ("longest pause of a till", "%.2f s" % max(t.longest for t in tills)),
            ("errors", ", ".join(str(e) for t in tills for e in t.errors) or "none"),
        ])
        show.heading("The cluster now")
        show.text(status(tillway))
        if any(lost.values()) or unseen:
            raise failure("sales were lost or not seen")
