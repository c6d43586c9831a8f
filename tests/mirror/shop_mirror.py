"""The POS database, a MongoDB, and the mirror between them; the truth is pos/generate_aggregates.sql."""

import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from bson.codec_options import CodecOptions  # noqa: E402
from pymongo.read_concern import ReadConcern  # noqa: E402

from harness import pos, tillway  # noqa: E402
from harness.cluster import Cluster  # noqa: E402
from harness.mongo import Mongo  # noqa: E402

COLLECTIONS = ("customers", "products")


def new_mirror(cluster, mongo, section):
    """A tillway process that only mirrors; not started."""
    return tillway.Tillway(cluster, mongo, config=dict(section, listeners=None), ready=False)


class Shop:
    """cluster, mongo, mirror: started, the sample loaded, the first snapshot not awaited."""

    example = "pos.example.yaml"  # the mapping, in conf/
    validate = False  # mirror.validate

    def __init__(self, replicas=1, mongo=None):
        self.cluster = Cluster(replicas=replicas)
        self.mongo = mongo or Mongo()
        self.mirror = None

    def load(self):
        """Make the databases."""
        pos.load(self.primary.host, self.primary.port)

    def section(self):
        """The mirror's section of the configuration."""
        return tillway.pos_mirror(self.mongo, self.example, batch_delay="1ms", validate=self.validate)

    def new_mirror(self):
        """The Tillway that mirrors; not started."""
        return new_mirror(self.cluster, self.mongo, self.section())

    def __enter__(self):
        try:
            self.cluster.start()
            self.mongo.start()
            self.load()
            self.cluster.wait_in_sync()
            self.mirror = self.new_mirror()
            self.mirror.start()
        except BaseException:
            self.cluster.stop()
            self.mongo.stop()
            raise
        return self

    def __exit__(self, kind, value, trace):
        try:
            self.mirror.__exit__(kind, value, trace)
        finally:
            self.cluster.stop()
            self.mongo.stop()

    @property
    def primary(self):
        return self.cluster.primary

    def run(self, *statements, database="pos"):
        """The statements on one connection to the primary."""
        connection = self.primary.connect(database=database, local_infile=True)
        try:
            with connection.cursor() as cursor:
                for sql in statements:
                    cursor.execute(sql)
                    while cursor.nextset():
                        pass
        finally:
            connection.close()

    def state(self, name="checkpoint"):
        """A state document as the mirror and its commands read it: a local read is ahead of them for a while."""
        state = self.mongo.db().get_collection("tillway_mirror", read_concern=ReadConcern("majority"))
        return state.find_one({"_id": name}) or {}

    def wait_state(self, state, timeout=30):
        """Until the status document says so; the document."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            status = self.state("status")
            if status.get("state") == state:
                return status
            time.sleep(0.05)
        raise TimeoutError("the mirror is not %s: %r\n%s" % (state, status, self.mirror.log_text()[-3000:]))

    def wait_applied(self, timeout=60):
        """Until the checkpoint holds all that the primary has committed."""
        need = self.primary.value("SELECT @@gtid_binlog_pos")
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            at = self.state()
            if at and tillway.covers(at["gtid"], need):
                return at
            time.sleep(0.01)
        raise TimeoutError("the mirror did not reach %s: %r, %r\n%s" % (
            need, at, self.state("status"), self.mirror.log_text()[-3000:]))

    def sell_in_bulk(self):
        """Transactions of 12,000 order lines, and others behind them that move, rename and delete what these lead to."""
        first, n = 3000000, 6000
        last = first + n
        self.run("SET @tillway_etl = 1",
                 "INSERT INTO Customer (id, firstName, lastName) SELECT %d + seq, 'Lines', seq FROM seq_1_to_600" % first,
                 "INSERT INTO `Order` (id, datePlaced, customer_id) SELECT {0} + seq, '2026-04-01', {0} + 1 + seq % 600 FROM seq_1_to_{1}".format(first, n))
        lines = "WHERE order_id BETWEEN %d AND %d" % (first, last)
        for big in ("INSERT INTO Orderline (order_id, product_id, quantity) SELECT {0} + seq, 1 + seq % 9, 1 FROM seq_1_to_{1}"
                    " UNION ALL SELECT {0} + seq, 11 + seq % 9, 2 FROM seq_1_to_{1}".format(first, n),
                    "UPDATE Orderline SET quantity = quantity + 1 " + lines, "UPDATE Orderline SET product_id = product_id + 20 " + lines,
                    "DELETE FROM Orderline %s AND product_id < 30" % lines):
            self.run("SET @tillway_etl = 1", big,
                     "UPDATE `Order` SET customer_id = %d WHERE id BETWEEN %d AND %d" % (first + 1, last - 20, last),
                     "UPDATE `Order` SET customer_id = %d + id %% 7 WHERE id > %d AND id <= %d" % (first + 2, first, first + 20),
                     "DELETE FROM Orderline WHERE order_id = %d" % (last - 30),
                     "UPDATE Customer SET lastName = CONCAT(lastName, '+') WHERE id IN (%d, %d)" % (first + 1, first + 3),
                     "UPDATE Orderline SET order_id = %d WHERE order_id = %d" % (last - 30, last - 40))
            self.wait_applied(timeout=300)

    def read(self, collection):
        """All documents of a collection, without _tillway."""
        options = CodecOptions(tz_aware=True)
        return list(self.mongo.db()[collection].with_options(codec_options=options).find({}, {"_tillway": 0}))

    def documents(self):
        """{collection: {_id: document}}"""
        return {name: {d["_id"]: d for d in self.read(name)} for name in COLLECTIONS}

    def difference(self):
        """None, or the first difference to SQL, in words. Nobody writes meanwhile."""
        self.wait_applied()
        wanted, got = pos.documents(self.primary), self.documents()
        for name in COLLECTIONS:
            for key in sorted(set(wanted[name]) | set(got[name])):
                a, b = wanted[name].get(key), got[name].get(key)
                if a != b or typed(a) != typed(b):
                    return "%s %r:\n  SQL     %r\n  MongoDB %r" % (name, key, a, b)
        return None


def whole(documents, array):
    """{_id: head with the elements of its pages}, a key of several columns as its pairs; each page has some."""
    heads = {of_key(d["_id"]): d for d in documents if not is_page(d)}
    for page in sorted(filter(is_page, documents), key=lambda d: of_key(d["_id"]["from"])):
        assert page[array], page
        heads[of_key(page["_id"]["k"])][array] += page[array]
    return heads


def of_key(value):
    """A key to look up by, and to sort by."""
    return tuple(value.items()) if isinstance(value, dict) else value


def is_page(document):
    return isinstance(document["_id"], dict) and set(document["_id"]) == {"k", "from"}


def sequence(gtid):
    """The sequence number of a position in one domain."""
    return int(gtid.split("-")[2]) if gtid else 0


def typed(value):
    """The document with the order of its fields, and what Python's == overlooks; whole numbers of any
    width are the same (SQL's JSON has no widths)."""
    if isinstance(value, dict):
        return [(k, typed(v)) for k, v in value.items()]
    if isinstance(value, list):
        return [typed(v) for v in value]
    if isinstance(value, bool) or not isinstance(value, int):
        return (type(value).__name__, value)
    return ("int", int(value))


class ShopTest(unittest.TestCase):
    """Tests on one Shop, in the order of their names."""

    @classmethod
    def setUpClass(cls):
        cls.shop = cls.enterClassContext(Shop())

    def assert_same(self):
        self.assertIsNone(self.shop.difference())
