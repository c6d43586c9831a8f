"""The shop that bench/mirror.py measures in: made by SQL, as large as asked for; and how far the mirror is behind, seen from outside."""

import multiprocessing
import os
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "mirror"))

import bson  # noqa: E402
import test_paged  # noqa: E402
from bson.raw_bson import RawBSONDocument  # noqa: E402

from harness import scratch, tillway  # noqa: E402
from harness.cluster import Cluster  # noqa: E402
from harness.mongo import Mongo  # noqa: E402

SERVER = ["--innodb-buffer-pool-size=512M", "--innodb-log-file-size=256M"]
MONGO_CACHE_GB = 4  # its default would be half of the machine's memory
# As docs/mirror.md advises.
MONGO = ["--setParameter", "minSnapshotHistoryWindowInSeconds=5"]
FIRST = 2000000  # of the ids made here
ORDERS_EACH = 10  # of a customer


def other_gtid(raw):
    """The document's bytes with another last digit in its `_tillway.gtid`."""
    at = raw.rindex(b"\x02gtid\x00") + len(b"\x02gtid\x00")
    last = at + 4 + int.from_bytes(raw[at:at + 4], "little") - 2
    return raw[:last] + (b"1" if raw[last:last + 1] == b"0" else b"0") + raw[last + 1:]


class BenchShop(test_paged.PagedShop):
    """One MariaDB server, one mongod. page: elements a document takes; None: no pages. replicas: of the server; the mirror reads from the first."""

    atomic = False  # mirror.atomic
    batch_delay = "20ms"  # mirror.batch_delay
    validate = False

    def __init__(self, page=None, replicas=0):
        super().__init__(replicas=replicas, mongo=Mongo(MONGO, cache_gb=MONGO_CACHE_GB))
        self.cluster = Cluster(replicas=replicas, options=SERVER)
        self.pages = {"Orders": page, "Buyers": page} if page else {}

    def section(self):
        section = super().section()
        section["mirror"].update(atomic=self.atomic, batch_delay=self.batch_delay)
        return section

    def proxy(self):
        """A Tillway for tills, beside the one that mirrors, in front of the primary alone; not started."""
        proxy = tillway.Tillway(self.cluster)
        proxy.write_config({"servers": proxy.config["servers"][:1]})
        return proxy

    def make_orders(self, orders):
        """So many orders of two lines, ten a customer."""
        self.run("SET @tillway_etl = 1",
                 "INSERT INTO Customer (id, firstName, lastName, email) SELECT %d + seq, 'Buyer', seq, CONCAT('c', seq, '@example.com')"
                 " FROM seq_1_to_%d" % (FIRST, max(1, orders // ORDERS_EACH)),
                 "INSERT INTO `Order` (id, datePlaced, customer_id) SELECT {0} + seq, '2026-01-01' + INTERVAL seq SECOND, {0} + 1 + (seq - 1) DIV {1}"
                 " FROM seq_1_to_{2}".format(FIRST, ORDERS_EACH, orders),
                 "INSERT INTO Orderline (order_id, product_id, quantity) SELECT {0} + seq, 1 + seq % 200, 1 + seq % 3 FROM seq_1_to_{1}"
                 " UNION ALL SELECT {0} + seq, 201 + seq % 40, 1 FROM seq_1_to_{1}".format(FIRST, orders))

    def raw(self, collection, query=None):
        """Its documents as bytes."""
        options = bson.codec_options.CodecOptions(document_class=RawBSONDocument)
        return self.mongo.db()[collection].with_options(codec_options=options).find(query or {})

    def alone(self, collection, how, query=None):
        """Documents a second that libmongoc's bulk writes alone reach with a collection's documents: "insert" into an empty collection, or
        "replace" over others of the same size in a copy of the collection (MongoDB writes nothing where a document is what it was)."""
        path = os.path.join(scratch.current().folder("documents"), "documents.bson")
        with open(path, "wb") as f:
            for document in self.raw(collection, query):
                f.write(document.raw if how == "insert" else other_gtid(document.raw))
        to = "alone"
        self.mongo.db().alone.drop()
        if how == "replace":
            self.copy(collection, to)
        done = subprocess.run([os.path.join(ROOT, "build", "release", "bench", "bench_bulk"), self.mongo.uri, self.mongo.database, to, how, path],
                              check=True, stdout=subprocess.PIPE, text=True)
        self.mongo.db().alone.drop()
        return float(done.stdout)

    def copy(self, collection, to):
        """With the same documents and indexes."""
        db = self.mongo.db()
        db[collection].aggregate([{"$out": to}])
        for name, index in db[collection].index_information().items():
            if name != "_id_":
                db[to].create_index(index["key"], name=name)

    def memory_mib(self):
        """The mirror's peak."""
        with open("/proc/%d/status" % self.mirror.pid, encoding="ascii") as f:
            return int([line for line in f if line.startswith("VmHWM")][0].split()[1]) / 1024

    def verified(self):
        done = self.mirror.command("mirror", "verify", timeout=3600)
        return done.stdout.strip().splitlines()[-1]

    def wait_all(self, timeout=3600):
        self.wait_applied(timeout=timeout)


class Probe:
    """Changes one customer again and again; how long after each commit the document shows it, to `look` seconds. A process, so that it takes
    no time from the tills of this one; on `cores`, if any are named."""

    def __init__(self, shop, pause=0.05, look=0.001, cores=None):
        self.shop = shop
        self.pause = pause
        self.look = look
        self.cores = cores or os.sched_getaffinity(0)
        self.path = os.path.join(scratch.current().folder("probe"), "times")
        self.end = multiprocessing.Event()

    def __enter__(self):
        self.process = multiprocessing.Process(target=self.run, daemon=True)
        self.process.start()
        return self

    def __exit__(self, *exc):
        self.end.set()
        self.process.join()
        if self.process.exitcode:
            raise RuntimeError("the probe of the mirror's lag ended with %d" % self.process.exitcode)

    def run(self):
        """The process: writes a line, seconds, a change."""
        os.sched_setaffinity(0, self.cores)
        connection = self.shop.primary.connect(database="pos", autocommit=True)
        key = self.shop.primary.value("SELECT MIN(id) FROM pos.Customer")
        customers = self.shop.mongo.client()[self.shop.mongo.database].customers
        n = 0
        with open(self.path, "w", buffering=1, encoding="ascii") as times:
            while not self.end.is_set():
                n += 1
                with connection.cursor() as cursor:
                    cursor.execute("UPDATE Customer SET phone = %s WHERE id = %s", (str(n), key))
                began = time.monotonic()
                while customers.find_one({"_id": key}, {"Phone": 1})["Phone"] != str(n):
                    time.sleep(self.look)
                times.write("%.6f\n" % (time.monotonic() - began))
                self.end.wait(self.pause)

    def times(self, since=0):
        """Seconds, in their order, but for the first `since`."""
        with open(self.path, encoding="ascii") as lines:
            return [float(line) for line in lines if line.endswith("\n")][since:]


def below(times, share):
    """Milliseconds that `share` of the times are not above."""
    ordered = sorted(times)
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


