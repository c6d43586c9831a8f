"""conf/stores.example.yaml: composite keys, three levels, a table used twice, objects, filters, all types; compared with
what Python makes of plain SELECTs, after random transactions."""

import datetime
import decimal
import functools
import os
import random
import time
import unittest

import bson
from bson.decimal128 import Decimal128

from mapped import Mapped, moment, money, section
from shop_mirror import typed

from harness import paths, yamlout

SCHEMA = """
CREATE DATABASE rent CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE TABLE rent.Language (id INT PRIMARY KEY, name VARCHAR(20));
CREATE TABLE rent.Film (id INT UNSIGNED PRIMARY KEY, title VARCHAR(40), lang INT, original INT, year YEAR,
  KEY (lang), KEY (original));
CREATE TABLE rent.Store (country CHAR(2), no INT ZEROFILL, name VARCHAR(40), PRIMARY KEY (country, no));
CREATE TABLE rent.Copy (country CHAR(2), no INT, film INT UNSIGNED, copy INT, price DECIMAL(7,2),
  PRIMARY KEY (country, no, film, copy), KEY (film));
CREATE TABLE rent.Rental (country CHAR(2), no INT, film INT UNSIGNED, copy INT, at DATETIME(3), days INT, back DATE,
  PRIMARY KEY (country, no, film, copy, at));
CREATE DATABASE types CHARACTER SET utf8mb4;
CREATE TABLE types.T (id VARCHAR(20) COLLATE utf8mb4_bin PRIMARY KEY, i1 TINYINT, u8 BIGINT UNSIGNED, de DECIMAL(40,10), f FLOAT,
  d DOUBLE, dt DATE, tm TIME(2), ts TIMESTAMP(6) NULL, dtm DATETIME(6), y YEAR, vb VARBINARY(10), b3 BINARY(3), bl BLOB,
  e ENUM('x','y'), s SET('p','q'), j JSON, bit5 BIT(5), tx TEXT CHARACTER SET latin1, bo BOOL);
CREATE TABLE types.Root (id INT ZEROFILL PRIMARY KEY, name VARCHAR(9));
CREATE TABLE types.Kid (root INT ZEROFILL, id INT(5) ZEROFILL, f FLOAT, b BIT(9), e ENUM('x','y'), t TIME(2), n DECIMAL(5,2), PRIMARY KEY (root, id));
CREATE TABLE types.Exact (k DECIMAL(65,30) PRIMARY KEY, big DECIMAL(65,0), small DECIMAL(38,38), up DECIMAL(65,30), KEY (up));
"""

TYPES = """
- collection: types
  table: types.T
  key: [id]
  fields: {i1: i1, u8: u8, u9: {column: u8, type: int}, de: de, f: f, f2: {column: f, type: double}, d: d, dt: dt, tm: tm, ts: ts, dtm: dtm, y: y, vb: vb, b3: b3, bl: bl, e: e,
           s: s, j: j, bit5: bit5, tx: tx, bo: {column: bo, type: bool}}
- collection: paged
  table: types.Root
  key: [id]
  fields: {R: id, name: name}
  arrays:
    Kids: {table: types.Kid, on: {root: id}, key: [id], page: 2, fields: {id: id, f: f, b: b, e: e, t: t, n: n}}
- collection: exact
  table: types.Exact
  key: [k]
  fields: {big: big, small: small, twice: {sql: "{big} * 2"}, forced: {column: big, type: decimal}, whole: {column: big, type: int},
           below: {sum: "{Below.k}", of: Below}}
  arrays:
    Below: {table: types.Exact, as: Below, on: {up: k}, key: [k], fields: {k: k}}
"""


def aggregates():
    """Those of the example, and one of all types."""
    example = yamlout.block(os.path.join(paths.ROOT, "conf", "stores.example.yaml"), "aggregates")
    return yamlout.Raw(example.lines + TYPES.strip().splitlines())


def expected_stores(world):
    films = {r[0]: r for r in world.rows("SELECT id, title, lang, original FROM rent.Film")}
    names = dict(world.rows("SELECT id, name FROM rent.Language"))
    made = {}
    for country, no, name in world.rows("SELECT country, no + 0, name FROM rent.Store"):
        key = {"country": country, "no": no}
        doc = {"_id": key, "Name": name, "Copies": 0, "Shelf": []}
        for film, copy, price in sorted(world.rows("SELECT film, copy, price FROM rent.Copy WHERE country = '%s'"
                                                   " AND no = %d" % (country, no))):
            opened = world.rows("SELECT at, days FROM rent.Rental WHERE country = '%s' AND no = %d AND film = %d AND"
                                " copy = %d AND back IS NULL" % (country, no, film, copy))
            opened.sort(key=lambda r: (-r[1], r[0]))
            row = films.get(film)
            doc["Copies"] += 1
            doc["Shelf"].append({
                "Film": row and {"Title": row[1], "Languages": {"Now": names.get(row[2]), "Once": names.get(row[3])}},
                "Price": money(price),
                "Cents": None if price is None else int(price * 100),
                "Last": moment(max(r[0] for r in opened)) if opened else None,
                "Days": Decimal128(str(sum(r[1] for r in opened))),
                "Open": [{"At": moment(at), "Days": days, "Long": days > 5, "Store": name} for at, days in opened[:3]]})
        made[str(key)] = doc
    return made


def expected_films(world):
    stores = {(c, n): name for c, n, name in world.rows("SELECT country, no + 0, name FROM rent.Store")}
    made = {}
    for key, title, year in world.rows("SELECT id, title, year FROM rent.Film WHERE title <> 'hidden'"):
        groups = {}
        for country, no, price in world.rows("SELECT country, no, price FROM rent.Copy WHERE film = %d" % key):
            if (country, no) in stores:
                groups.setdefault((country, no), []).append(price)
        made[str(key)] = {"_id": key, "Title": title, "Year": year, "Stores": [
            {"Country": c, "Name": stores[c, n], "Copies": len(p),
             "Cheapest": money(min((x for x in p if x is not None), default=None))}
            for (c, n), p in sorted(groups.items())]}
    return made


DIGITS = decimal.Context(prec=80)


def exact(value):
    """A DECIMAL as its document has it: what 34 digits don't hold is text."""
    digits = "".join(map(str, value.as_tuple().digits)).lstrip("0")
    return Decimal128(value) if len(digits) <= 34 else format(value, "f")


class Changer:
    """Random statements that make sense or don't."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def key(self):
        return "'%s', %d" % (self.random.choice(["CH", "US"]), self.random.randint(1, 3))

    def where(self):
        return "country = '%s' AND no = %d" % (self.random.choice(["CH", "US"]), self.random.randint(1, 3))

    def film(self):
        return self.random.randint(1, 6)

    def statement(self):
        r = self.random
        return r.choice([
            lambda: "REPLACE INTO rent.Language VALUES (%d, 'l%d')" % (r.randint(1, 4), r.randint(1, 99)),
            lambda: "DELETE FROM rent.Language WHERE id = %d" % r.randint(1, 4),
            lambda: "INSERT INTO rent.Film VALUES (%d, 't%d', %d, %s, 19%02d) ON DUPLICATE KEY UPDATE title = 'u%d',"
                    " original = NULL" % (self.film(), r.randint(1, 9), r.randint(1, 4),
                                          r.choice(["NULL", "2"]), r.randint(1, 99), r.randint(1, 9)),
            lambda: "UPDATE rent.Film SET title = '%s' WHERE id = %d" % (r.choice(["hidden", "shown"]), self.film()),
            lambda: "UPDATE IGNORE rent.Film SET id = %d WHERE id = %d" % (self.film(), self.film()),
            lambda: "DELETE FROM rent.Film WHERE id = %d" % self.film(),
            lambda: "INSERT IGNORE INTO rent.Store VALUES (%s, 'n%d')" % (self.key(), r.randint(1, 9)),
            lambda: "UPDATE rent.Store SET name = 'm%d' WHERE %s" % (r.randint(1, 9), self.where()),
            lambda: "UPDATE IGNORE rent.Store SET no = %d WHERE %s" % (r.randint(1, 3), self.where()),
            lambda: "DELETE FROM rent.Store WHERE " + self.where(),
            lambda: "INSERT IGNORE INTO rent.Copy VALUES (%s, %d, %d, %s)" % (
                self.key(), self.film(), r.randint(1, 3), r.choice(["NULL", "1.05", "99.90"])),
            lambda: "UPDATE IGNORE rent.Copy SET country = 'CH', film = %d, price = price + 1 WHERE %s AND film = %d" % (
                self.film(), self.where(), self.film()),
            lambda: "DELETE FROM rent.Copy WHERE %s AND copy = %d" % (self.where(), r.randint(1, 3)),
            lambda: "INSERT IGNORE INTO rent.Rental SELECT country, no, film, copy, '2026-01-0%d 10:00:00.%03d', %d, %s"
                    " FROM rent.Copy WHERE %s" % (r.randint(1, 9), r.randint(0, 999), r.randint(1, 9),
                                                  r.choice(["NULL", "'2026-02-02'"]), self.where()),
            lambda: "UPDATE rent.Rental SET back = %s, days = days + 1 WHERE %s AND film = %d" % (
                r.choice(["NULL", "'2026-02-03'"]), self.where(), self.film()),
            lambda: "DELETE FROM rent.Rental WHERE %s AND film = %d" % (self.where(), self.film()),
        ])()

    def transaction(self):
        n = self.random.randint(1, 8)
        end = self.random.choices(["COMMIT", "ROLLBACK"], [9, 1])[0]
        return ["BEGIN"] + [self.statement() for _ in range(n)] + [end]


class MapsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = cls.enterClassContext(Mapped(SCHEMA, aggregates()))

    def compare(self):
        self.world.wait_applied()
        return (self.world.assert_documents(self, "stores", expected_stores(self.world)) +
                self.world.assert_documents(self, "films", expected_films(self.world)))

    def test_10_random_transactions(self):
        seed = int(os.environ.get("SEED", random.randrange(1 << 30)))
        print("SEED=%d" % seed)
        changer = Changer(seed)
        compared = 0
        for n in range(8):
            for _ in range(25):
                self.world.run(*changer.transaction(), database="rent")
            if n % 4 == 1:
                self.world.mirror.kill()
                self.world.mirror.start()
            compared += self.compare()
        self.assertGreater(compared, 20)
        done = self.world.mirror.command("mirror", "verify")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_11_rebuilt(self):
        done = self.world.mirror.command("mirror", "rebuild")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.compare()

    def test_20_types(self):
        self.world.run(
            "SET time_zone = '+02:00', sql_mode = ''",
            "INSERT INTO types.T VALUES ('a', -128, 18446744073709551615, 12345678901234567890.0123456789, 0.1, 0.1,"
            " '1000-01-01', '-838:59:59.99', '2026-03-01 14:05:00.123456', '9999-12-31 23:59:59.999999', 2155, x'00ff',"
            " 'a', 'blob', 'y', 'p,q', '{\"a\": [1]}', b'10101', 'caf\u00e9', TRUE)",
            "INSERT INTO types.T (id) VALUES ('A ')",
            "INSERT INTO types.T (id, dt, dtm, de, u8, f, tx, bo, e) VALUES ('\U0001f600\\'', '0000-00-00', '2024-00-10 00:00:00',"
            " 123456789012345678901234567890.1234567891, 1, 16777216, '', 0, 'nope')", database="types")
        self.world.wait_applied()
        utc = datetime.timezone.utc
        a = {"_id": "a", "i1": -128, "u8": Decimal128("18446744073709551615"), "u9": Decimal128("18446744073709551615"),
             "de": Decimal128("12345678901234567890.0123456789"), "f": 0.1, "f2": 0.10000000149011612, "d": 0.1,
             "dt": datetime.datetime(1000, 1, 1, tzinfo=utc), "tm": "-838:59:59.99",
             "ts": datetime.datetime(2026, 3, 1, 12, 5, 0, 123000, utc),
             "dtm": datetime.datetime(9999, 12, 31, 23, 59, 59, 999000, utc), "y": 2155, "vb": b"\x00\xff", "b3": b"a\0\0",
             "bl": b"blob", "e": "y", "s": "p,q", "j": "{\"a\": [1]}", "bit5": b"\x15", "tx": "caf\u00e9", "bo": True}
        got = self.world.found("types")
        self.assertEqual(typed(got["a"]), typed(a))
        self.assertEqual(typed(got["A "]), typed(dict(dict.fromkeys(a), _id="A ")))
        odd = dict(dict.fromkeys(a), _id="\U0001f600'", u8=1, u9=1, f=16777200.0, f2=16777216.0, tx="", bo=False, e="",
                   de="123456789012345678901234567890.1234567891")
        self.assertEqual(typed(got["\U0001f600'"]), typed(odd))
        self.world.run("DELETE FROM types.T WHERE id = 'a'", "UPDATE types.T SET id = 'B' WHERE id = 'A '", database="types")
        self.world.wait_applied()
        self.assertEqual(sorted(self.world.found("types")), ["B", "\U0001f600'"])

    def test_21_decimals_of_65_digits(self):
        """Exact, or text: never rounded. As keys and links, too."""
        n, tiny = "12345678901234567890123456789012345", "0." + "0" * 29 + "1"
        keys = [n + "." + "9" * 30, "-" + n + "." + "9" * 30, "0", tiny, "-" + tiny, "9" * 34, "1" + "0" * 34, "-" + "9" * 4 + "." + "9" * 30]
        for k in keys:
            self.world.run("INSERT INTO types.Exact VALUES (%s, %s, %s, %s)" % (k, "9" * 65, "-0." + "0" * 3 + "9" * 35, keys[1]),
                           "INSERT INTO types.Exact VALUES (%s - 1, -1, 0.%s, NULL) ON DUPLICATE KEY UPDATE big = 0" % (k, "9" * 34),
                           database="types")
        self.assert_exact()
        self.world.run("UPDATE types.Exact SET k = k + 0.%s5, big = big - 1 ORDER BY k DESC" % ("0" * 28), "UPDATE types.Exact SET up = k",
                       "DELETE FROM types.Exact WHERE k BETWEEN -0.5 AND 0 OR k > %s" % ("9" * 34), database="types")
        self.assert_exact()
        for command in ("verify", "rebuild"):
            done = self.world.mirror.command("mirror", command)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assert_exact()

    def assert_exact(self):
        self.world.wait_applied()
        rows = self.world.rows("SELECT * FROM types.Exact ORDER BY k")
        made = {}
        for k, big, small, _ in rows:
            below = [r[0] for r in rows if r[3] == k]
            made[str(exact(k))] = {"_id": exact(k), "big": exact(big), "small": exact(small), "twice": exact(DIGITS.multiply(big, 2)),
                                   "forced": exact(big), "whole": int(big) if abs(big) < 1 << 63 else exact(big),
                                   "below": exact(functools.reduce(DIGITS.add, below, decimal.Decimal("0E-30"))), "Below": [{"k": exact(b)} for b in below]}
        self.assertGreater(self.world.assert_documents(self, "exact", made), 5)

    def test_22_types_in_pages(self):
        """Read for several documents at once they are printed as for one."""
        self.world.run("INSERT INTO types.Root VALUES (1, 'one'), (20, 'two')",
                       "INSERT INTO types.Kid SELECT r.id, seq, 0.1, b'100000001', 'y', '-100:00:00.50', seq / 8 FROM types.Root AS r, seq_1_to_5", database="types")
        self.assert_paged()
        for where, f in (("TRUE", 1.5), ("root = 1 AND id > 2", 2.5), ("root = 20 AND id = 5", 3.5)):
            self.world.run("UPDATE types.Kid SET f = %s WHERE %s" % (f, where), database="types")
            self.assert_paged()

    def assert_paged(self):
        self.world.wait_applied()
        made = {}
        for root, name in ((1, "one"), (20, "two")):
            kids = [{"id": i, "f": x, "b": bytes(b), "e": e, "t": "-100:00:00.50", "n": exact(n)} for i, x, b, e, n in self.world.rows(
                "SELECT id, f, b, e, n FROM types.Kid WHERE root = %d ORDER BY id" % root)]
            made[str(root)] = {"_id": root, "R": root, "name": name, "Kids": kids[:2]}
            for at in (2, 4):
                key = {"k": root, "from": kids[at]["id"]}
                made[str(key)] = {"_id": key, "R": root, "Kids": kids[at:at + 2]}
        self.world.assert_documents(self, "paged", made)

    def refused(self, mapping, reason):
        self.world.mirror.stop()
        self.world.mirror.write_config(section(self.world.mongo, mapping))
        self.world.mirror.start()
        status = self.world.wait_state("stopped")
        self.assertRegex(status["reason"], r"tillway.yaml:\d+:\d+: mirror.aggregates\[0\]" + reason)

    def test_30_schema(self):
        """What does not fit the schema is refused with its place in the file."""
        head = "- collection: c\n  table: rent.%s\n  key: [%s]\n  fields: {F: %s}\n"
        self.refused(head % ("Zzzzzzzzzz", "id", "id"), r"\.table: no such table on the server \(or no right to see it\)$")
        self.refused(head % ("Flim", "id", "id"), r"\.table: no such table .*; did you mean `Film`\?$")
        self.refused(head % ("Film", "id", "nope"), r"\.fields\.F: no column `nope` in rent\.Film$")
        self.refused(head % ("Film", "id", "titel"), r"\.fields\.F: no column `titel` in rent\.Film; did you mean `title`\?$")
        self.refused(head % ("Film", "ID", "id"), r"\.key\[0\]: no column `ID` in rent\.Film; did you mean `id`\?$")
        self.refused(head % ("Film", "title", "id"), r"\.table: the key does not tell rows apart")
        array = "  arrays: {A: {table: rent.Film, as: F, on: {year: id}, key: [id], fields: {F: id}}}\n"
        self.refused(head % ("Film", "id", "id") + array,
                     r"\.arrays\.A\.table: each change .*; run CREATE INDEX `tillway_year` ON `rent`\.`Film` \(`year`\)$")
        paged = "  arrays: {A: {table: rent.Film, on: {lang: id}, group_by: [year], page: 9, fields: {F: year}}}\n"
        self.refused(head % ("Language", "id", "id") + paged, r"\.arrays\.A\.group_by\[0\]: where an array is paged, its key must not be NULL: ")
        self.refused(head % ("Film", "id", "{sql: \"CONCAT({title}, year)\"}"),
                     r"\.fields\.F\.sql: query: Unknown column 'year' in '.*'.*; columns are written in braces")
        self.refused(head % ("Film", "id", "{sql: \"CONCAT({title}, \"}"), r"\.fields\.F\.sql: query: You have an error")
        self.world.primary.query("CREATE TABLE rent.My (id INT PRIMARY KEY) ENGINE=MyISAM")
        self.world.cluster.wait_in_sync()
        self.refused(head % ("My", "id", "id"), r"\.table: only InnoDB tables can be mirrored; this is MyISAM")

        # With a rebuild that is asked for and can't be made it waits as well.
        self.world.mirror.stop()
        self.world.mongo.db().tillway_mirror.replace_one({"_id": "control"}, {"rebuild": bson.ObjectId()}, upsert=True)
        self.world.mirror.start()
        before = self.world.mirror.log_text().count("mirror.source")
        time.sleep(2)
        self.assertLessEqual(self.world.mirror.log_text().count("mirror.source"), before + 2)

    def test_31_mapping_changes(self):
        """Another mapping: a new snapshot by itself."""
        mapping = "- collection: languages\n  table: rent.Language\n  key: [id]\n  fields: {Name: name}\n"
        self.world.mirror.stop()
        self.world.mirror.write_config(section(self.world.mongo, mapping))
        self.world.mirror.start()
        self.world.mirror.wait_log("mirror.snapshot.why reason=\"the mapping has changed\"")
        self.world.run("REPLACE INTO rent.Language VALUES (9, 'Rumantsch')", database="rent")
        self.world.wait_applied()
        self.assertEqual({d["_id"]: d["Name"] for d in self.world.found("languages").values()},
                         dict(self.world.rows("SELECT id, name FROM rent.Language")))


if __name__ == "__main__":
    unittest.main()
