"""Shows the main job: real MariaDB and MongoDB servers, Tillway between them, tills that sell.

scripts/demo installs and builds what this needs, then runs it.
"""

import contextlib
import json
import os
import shutil
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests"))

from harness import pos, scratch  # noqa: E402
from harness.cluster import Cluster  # noqa: E402
from harness.mongo import Mongo  # noqa: E402
from harness.paths import tillway_binary  # noqa: E402
from harness.pos_till import Tills, percentile  # noqa: E402
from harness.tillway import Tillway, covers, pos_mirror  # noqa: E402
import demo_failover  # noqa: E402
import demo_galera  # noqa: E402
from demo_args import CSV_FILES, arguments  # noqa: E402
from show import ROWS, Show  # noqa: E402

DATABASE = "pos"
STALL_SECONDS = 60  # without any progress of the mirror
# Throwaway servers are small; files of this many bytes get servers of a usual size.
BIG_BYTES = 2 << 20
BIG_OPTIONS = ["--innodb-buffer-pool-size=512M", "--innodb-log-file-size=256M"]

SQL_QUERIES = [
    ("Customers and where they live",
     "SELECT CONCAT(c.firstName,' ',c.lastName) AS CustomerName, ci.city, ci.state"
     " FROM Customer c JOIN City ci ON c.zip = ci.zip"),
    ("What each order comes to",
     "SELECT o.id AS OrderID, o.datePlaced, o.dateShipped, SUM(ol.quantity*p.currentPrice) AS OrderTotal"
     " FROM `Order` o JOIN Orderline ol ON o.id=ol.order_id JOIN Product p ON ol.product_id=p.id"
     " GROUP BY o.id"),
    ("What customer 1 bought",
     "SELECT p.name AS ProductName, ol.quantity FROM Orderline ol JOIN Product p ON ol.product_id=p.id"
     " JOIN `Order` o ON ol.order_id=o.id WHERE o.customer_id=1"),
]
MONGO_QUERIES = [
    ("Orders of customer 1", "customers", {"Customer ID": 1}, {"Orders": 1}),
    ("What Houston buys", "customers", {"Full Address": {"$regex": "Houston"}},
     {"Orders.Items.Product Name": 1}),
    ("Who buys each product", "products", {}, {"Product Name": 1, "Buyers": 1}),
]


class Failure(Exception):
    """The demo did not show what it should; the text says why."""


def server_options(csv):
    total = sum(os.path.getsize(os.path.join(csv, name)) for name in CSV_FILES) if csv else 0
    return BIG_OPTIONS if total > BIG_BYTES else []


def load(show, tillway, csv):
    """The POS database and its CSV files, through the proxy."""
    with show.step("POS database and its CSV files, loaded through the proxy", many_lines=True):
        pos.load(tillway.host, tillway.port, database=DATABASE, csv=csv, quiet=False)


def status_of(mirror):
    """What the mirror says of itself; where MongoDB has no primary, that."""
    try:
        return mirror.mirror_status()
    except RuntimeError as error:
        return {"state": str(error), "lag_ms": None}


def watch(step, tills, mirror, seconds):
    """Tills go on for so long; how far the mirror was behind meanwhile."""
    lags = []
    end = time.monotonic() + seconds
    while time.monotonic() < end and not tills.stopping.is_set():
        time.sleep(min(1.0, max(0.0, end - time.monotonic())))
        lags.append(status_of(mirror)["lag_ms"])
        now = tills.running_total()
        step.progress("%d orders, %d reads, %d writes" % (now.orders, now.reads, now.writes))
    return lags


def kill_primary(mongo):
    """SIGKILL of MongoDB's primary; in words what came of it."""
    old, began = mongo.primary(), time.monotonic()
    old.kill()
    return "MongoDB's primary (port %d) was killed meanwhile, the one on port %d elected %.1f s later" % (
        old.port, mongo.primary().port, time.monotonic() - began)


def sell(show, tillway, mirror, mongo, options):
    """Tills sell for the time asked for; in the middle of it a larger replica set loses its primary.

    Their sum, and how far the mirror was behind."""
    tills = Tills(tillway.host, tillway.port, count=options.tills, database=DATABASE)
    with show.step("%d tills sell for %d s" % (options.tills, options.seconds)) as step:
        with tills:
            lags = watch(step, tills, mirror, options.seconds / 2)
            if options.mongo_replicas > 1:
                step.note(kill_primary(mongo))
            lags += watch(step, tills, mirror, options.seconds / 2)
    return tills.total, lags


def bring_back(show, mongo):
    """The members that were killed."""
    for member in mongo.members:
        if not member.alive():
            with show.step("MongoDB's member on port %d comes back" % member.port):
                member.start()
                mongo.wait_complete()


def show_sales(show, total):
    show.heading("What the tills did")
    show.facts([
        ("orders placed", "%d (%d shipped, %d cancelled)" % (total.orders, total.shipped, total.cancelled)),
        ("prices changed", total.repriced),
        ("statements", "%d reads, %d writes, %.0f a second" % (
            total.reads, total.writes, (total.reads + total.writes) / max(total.seconds, 0.001))),
        ("read, ms", "median %.2f, 99%% under %.2f" % (
            percentile(total.read_times, 0.5), percentile(total.read_times, 0.99))),
        ("write, ms", "median %.2f, 99%% under %.2f" % (
            percentile(total.write_times, 0.5), percentile(total.write_times, 0.99))),
        ("own writes read back", "%d, stale: %d" % (total.checked, total.stale)),
        ("refused for want of stock", total.refused),
    ])


def show_queries(show, tillway, mongo):
    database = mongo.client()[mongo.database]
    show.heading("The six target queries")
    for number, (title, sql) in enumerate(SQL_QUERIES, 1):
        with contextlib.closing(tillway.connect(database=DATABASE)) as connection:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                rows = cursor.fetchall()
                names = [d[0] for d in cursor.description]
        show.query("%d. %s" % (number, title), sql)
        show.table(names, rows)
    for number, (title, collection, query, fields) in enumerate(MONGO_QUERIES, 4):
        found = database[collection].find(query, fields).sort("_id", 1).limit(ROWS)
        show.query("%d. %s" % (number, title), show.find_text(collection, query, fields))
        show.documents(list(found), database[collection].count_documents(query))


def stats(tillway, *words):
    done = tillway.command("stats", *words, timeout=60)
    if done.returncode != 0:
        raise Failure("tillway stats: " + done.stderr.strip())
    return done.stdout


def show_routes(show, tillway):
    show.heading("Where the statements went, and why")
    sums = [(s["name"], sum(s["routed"].values())) for s in json.loads(stats(tillway, "json"))["servers"]]
    total = max(1, sum(count for _, count in sums))
    show.facts([(name, "%d statements, %.0f %%" % (count, 100 * count / total)) for name, count in sums])
    show.line()
    _, _, reasons = stats(tillway).partition("\n\n")  # the counters of the process come first
    show.text(reasons)


def catch_up(show, cluster, mirror, title):
    """Wait until the mirror has applied all that is committed now; its status, and how long that took.

    It may take as long as it likes while it gets on."""
    position = cluster.primary.value("SELECT @@gtid_binlog_pos")
    began = moved = time.monotonic()
    before = None
    with show.step(title) as step:
        while True:
            status = status_of(mirror) if mirror.alive() else {"state": "its process has ended"}
            if covers(status.get("gtid", ""), position):
                step.note("GTID " + status["gtid"])
                return status, time.monotonic() - began
            now = {k: v for k, v in status.items() if k not in ("lag", "lag_ms")}
            if now != before:
                before, moved = now, time.monotonic()
            step.progress(status["state"])
            if time.monotonic() - moved > STALL_SECONDS or not mirror.alive() \
                    or status["state"].startswith("stopped"):
                raise Failure("the mirror gets no further: %s; last error: %s"
                              % (status["state"], status.get("last error", "none")))
            time.sleep(0.1)


def show_mirror(show, lags, status, seconds):
    known = sorted(lag for lag in lags if lag is not None)
    behind = "not known"
    if known:
        behind = "median %d ms, at most %d ms" % (known[len(known) // 2], known[-1])
    show.heading("The mirror")
    show.facts([
        ("lag while tills sold", behind),
        ("lag now", "%s ms (caught up %.1f s after the last sale)" % (status["lag_ms"], seconds)),
        ("read from", status["source"]),
        ("row changes read", status["row changes read"]),
        ("documents written", status["documents written"]),
    ])


def verify(show, mirror):
    done = mirror.command("mirror", "verify", timeout=600)
    lines = [line for line in done.stdout.splitlines() if line.startswith("verify:")]
    show.text(done.stdout)
    if done.returncode != 0 or not lines or not lines[-1].endswith(" 0 differences"):
        raise Failure("the mirror differs from the SQL data: %s %s"
                      % (done.stdout.strip()[-500:], done.stderr.strip()[-500:]))


def show_connections(show, cluster, mongo, tillway, mirror):
    show.heading("Left running; scripts/demo --stop ends it")
    show.facts([
        ("through Tillway", "mariadb -h %s -P %d -u till -ptill %s" % (tillway.host, tillway.port, DATABASE)),
        ("the primary itself", "mariadb -h 127.0.0.1 -P %d -u root %s" % (cluster.primary.port, DATABASE)),
    ] + [(r.name, "mariadb -h 127.0.0.1 -P %d -u root %s" % (r.port, DATABASE)) for r in cluster.replicas] + [
        ("MongoDB", "mongosh '%s'   (then: use %s)" % (mongo.uri, mongo.database)),
        ("configuration", tillway.config_file),
        ("log", tillway.log_file),
        ("counters", "%s stats --config %s" % (tillway.binary, tillway.config_file)),
        ("mirror", "%s mirror status --config %s" % (mirror.binary, mirror.config_file)),
    ])


def run(show, options):
    with contextlib.ExitStack() as stack:
        cluster = Cluster(replicas=2, options=server_options(options.csv))
        with show.step("MariaDB: a primary and two replicas") as step:
            stack.enter_context(cluster)
            step.note("ports " + ", ".join(str(s.port) for s in cluster.servers))
        mongo = Mongo(members=options.mongo_replicas)
        with show.step("MongoDB: a replica set") as step:
            stack.enter_context(mongo)
            step.note("MONGODB_URI" if mongo.external else "ports " + ", ".join(str(m.port) for m in mongo.members))
        # A copy, so that a rebuild meanwhile doesn't matter.
        binary = shutil.copy2(tillway_binary(), scratch.current().folder("bin"))
        tillway = Tillway(cluster, binary=binary)
        with show.step("Tillway before them") as step:
            stack.enter_context(tillway)
            step.note("port %d" % tillway.port)
        load(show, tillway, options.csv)
        cluster.wait_in_sync(timeout=1800)
        mirror = Tillway(cluster, config={"listeners": None, **pos_mirror(mongo)}, binary=binary, ready=False)
        stack.enter_context(mirror)
        catch_up(show, cluster, mirror, "mirror: a snapshot of all rows becomes documents")
        total, lags = sell(show, tillway, mirror, mongo, options)
        bring_back(show, mongo)
        status, seconds = catch_up(show, cluster, mirror, "the mirror catches up")
        show_sales(show, total)
        show_queries(show, tillway, mongo)
        show_routes(show, tillway)
        show_mirror(show, lags, status, seconds)
        verify(show, mirror)
        if total.stale:
            raise Failure("%d stale reads: %s" % (total.stale, "; ".join(total.stale_examples)))
        if options.keep:
            show_connections(show, cluster, mongo, tillway, mirror)
            scratch.current().keep()
            stack.pop_all()
            sys.stdout.flush()
            os._exit(0)  # no clean-up of any kind


def main():
    options = arguments()
    show = Show(sys.stdout)
    if options.stop:
        print("demo: %d ended" % scratch.end_kept())
        return 0
    began = time.monotonic()
    try:
        if options.galera:
            demo_galera.run(show, options, Failure)
        elif options.failover:
            demo_failover.run(show, options, Failure)
        else:
            run(show, options)
    except KeyboardInterrupt:
        show.failed("interrupted; nothing is left running")
        return 130
    except BrokenPipeError:
        return 1
    except Exception as error:
        show.failed(str(error) or repr(error))
        return 1
    show.done("all shown in %.1f s; nothing is left running" % (time.monotonic() - began))
    return 0


if __name__ == "__main__":
    sys.exit(main())
