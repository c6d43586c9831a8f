"""Random mappings, random transactions, and Tillway, MariaDB and MongoDB killed at random: at the end every document is what Python
makes of plain rows.

Environment: SEED; MAPPINGS and TRANSACTIONS (of each mapping): how much of it."""

import os
import random
import unittest

import pymysql
import yaml

import mapped
import random_mapping
from shop_mirror import typed, whole

from harness import yamlout

MAPPINGS = int(os.environ.get("MAPPINGS", 3))
TRANSACTIONS = int(os.environ.get("TRANSACTIONS", 150))
KILLS = 3  # of each mapping, about
IDS = 14  # few, so that rows meet


def section_of(aggregates):
    return yamlout.Raw(yaml.safe_dump(aggregates, sort_keys=False, default_flow_style=None).splitlines())


class Changer:
    """Random transactions, most of which make sense."""

    def __init__(self, chance):
        self.random = chance

    def id(self):
        return self.random.randint(1, IDS)

    def maybe(self, value):
        return "NULL" if self.random.random() < 0.15 else value

    def column(self, name):
        r = self.random
        return {"up": lambda: str(self.maybe(self.id())), "ref": lambda: str(self.maybe(r.randint(1, 4))), "n": lambda: str(self.maybe(r.randint(0, 9))),
                "s": lambda: self.maybe("'%s'" % r.choice(["x", "y", "", "long text"])), "d": lambda: self.maybe("%d.%02d" % (r.randint(-9, 99), r.randint(0, 99))),
                "id": lambda: str(self.id()), "no": lambda: str(r.randint(1, 3))}[name]()

    def row(self, table):
        columns = random_mapping.COLUMNS[table]
        values = [self.column(c) for c in columns]
        for i, c in enumerate(columns):
            if c in random_mapping.KEYS[table] and values[i] == "NULL":
                values[i] = str(self.id())
        return "(%s) VALUES (%s)" % (", ".join(columns), ", ".join(values))

    def some(self):
        """A condition for few rows of any table."""
        return self.random.choice(["n = %d" % self.random.randint(0, 9), "s = 'y'", "n IS NULL"] + ["KEY = %d" % self.id()] * 6)

    def statement(self):
        r = self.random
        table = r.choices(["A", "B", "C", "Look"], [3, 4, 4, 1])[0]
        key = random_mapping.KEYS[table][0]
        some = self.some().replace("KEY", key)
        changed = r.choice([c for c in random_mapping.COLUMNS[table] if c not in random_mapping.KEYS[table]])
        return r.choices([
            "INSERT IGNORE INTO %s %s" % (table, self.row(table)),
            "REPLACE INTO %s %s" % (table, self.row(table)),
            "INSERT INTO %s %s ON DUPLICATE KEY UPDATE n = n + 1, s = 'again'" % (table, self.row(table)),
            "UPDATE %s SET %s = %s WHERE %s" % (table, changed, self.column(changed), some),
            "UPDATE IGNORE %s SET %s = %d WHERE %s = %d" % (table, key, self.id(), key, self.id()),
            "UPDATE A JOIN B ON B.up = A.id SET A.n = %s, B.s = 'both' WHERE A.id = %d" % (self.column("n"), self.id()),
            "DELETE FROM %s WHERE %s" % (table, some),
            "DELETE A, B FROM A JOIN B ON B.up = A.id WHERE A.id = %d" % self.id(),
        ], [6, 4, 3, 6, 3, 1, 2, 1])[0]

    def transaction(self):
        end = self.random.choices(["COMMIT", "ROLLBACK"], [9, 1])[0]
        return ["BEGIN"] + [self.statement() for _ in range(self.random.randint(1, 6))] + [end]


class PropertyTest(unittest.TestCase):
    def setUp(self):
        seed = int(os.environ.get("SEED", random.randrange(1 << 30)))
        print("SEED=%d" % seed)
        self.random = random.Random(seed)
        self.changer = Changer(self.random)
        self.maker = random_mapping.Maker(self.random)
        self.aggregates = self.maker.aggregates()
        self.world = self.enterContext(mapped.Mapped(random_mapping.SCHEMA, section_of(self.aggregates), page_cache=self.page_cache()))
        self.connection = None
        self.wait_begun()

    def wait_begun(self):
        """The mapping is no good where it does not come to that."""
        self.world.mirror.wait_log("mirror.source ", timeout=60)

    def run_all(self, statements):
        """On one connection, anew where the server was killed; such a transaction may have happened or not."""
        try:
            if self.connection is None:
                self.connection = self.world.primary.connect(database="prop")
            with self.connection.cursor() as cursor:
                for sql in statements:
                    cursor.execute(sql)
        except pymysql.err.OperationalError as error:
            if error.args[0] not in (2006, 2013):
                raise
            self.connection = None

    def kill_one(self):
        kind = self.random.choice(["mirror", "mirror", "MariaDB", "MongoDB"])
        if kind == "mirror":
            self.world.mirror.kill()
            self.world.mirror.start()
        elif kind == "MariaDB":
            self.world.primary.kill()
            self.world.primary.restart()
        else:
            self.world.mongo.restart()

    def page_cache(self):
        """None, room for a few documents, for all."""
        return self.random.choice(["0", "4KiB", "1MiB"])

    def next_mapping(self):
        self.world.mirror.stop()
        self.aggregates = self.maker.aggregates()
        for name in self.world.mongo.db().list_collection_names():
            if name.startswith("c"):
                self.world.mongo.db()[name].drop()
        self.world.aggregates = section_of(self.aggregates)
        self.world.options = {"page_cache": self.page_cache()}
        self.world.mirror.write_config(self.world.section())
        self.world.mirror.start()
        self.wait_begun()

    def compare(self):
        self.world.wait_applied(timeout=120)
        rows = {t: [dict(zip(c, r)) for r in self.world.rows("SELECT %s FROM prop.%s" % (", ".join(c), t))]
                for t, c in random_mapping.COLUMNS.items()}
        wanted = random_mapping.Documents(rows)
        compared = 0
        for aggregate in self.aggregates:
            found = self.world.read(aggregate["collection"])
            paged = "page" in aggregate.get("arrays", {}).get("Kids", {})
            got = {str(d["_id"]): d for d in (whole(found, "Kids").values() if paged else found)}
            documents = wanted.of(aggregate)
            self.assertEqual(sorted(got), sorted(documents), aggregate)
            for key, document in documents.items():
                self.assertEqual(typed(got[key]), typed(document), aggregate)
            compared += len(documents)
        return compared

    def test_random_mappings(self):
        compared = 0
        for n in range(MAPPINGS):
            if n:
                self.next_mapping()
            for _ in range(TRANSACTIONS):
                self.run_all(self.changer.transaction())
                if self.random.random() < KILLS / TRANSACTIONS:
                    self.kill_one()
            compared += self.compare()
        print("documents compared: %d" % compared)
        self.assertGreater(compared, MAPPINGS)
        done = self.world.mirror.command("mirror", "verify")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
