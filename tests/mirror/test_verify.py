"""`mirror verify` finds what was planted and nothing else, also while tills sell; `status` and `rebuild`."""

import json
import os
import re
import threading
import time
import unittest

import bson
import pymongo
import pymysql

from shop_mirror import ShopTest

from harness import paths, scratch
from harness.pos_till import Tills


QUERY_PLAN_KILLED = 175


class Counts(threading.Thread):
    """Counts a collection's documents again and again; `seen` has what was found."""

    def __init__(self, shop, collection):
        super().__init__(daemon=True)
        self.collection = shop.mongo.client()[shop.mongo.database][collection]
        self.seen = []
        self.end = threading.Event()

    def __enter__(self):
        self.start()
        self.wait_more()
        return self

    def __exit__(self, *exc):
        self.end.set()
        self.join()

    def wait_more(self):
        before = len(self.seen)
        scratch.wait_until("a count", lambda: len(self.seen) > before, 60)

    def run(self):
        while not self.end.is_set():
            try:
                self.seen.append(self.collection.count_documents({}))
            except pymongo.errors.OperationFailure as e:
                if e.code != QUERY_PLAN_KILLED:  # the collection that it was reading is replaced
                    raise


class VerifyTest(ShopTest):
    def verify(self, timeout=120):
        return self.shop.mirror.command("mirror", "verify", timeout=timeout)

    def assert_clean(self):
        done = self.verify()
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertRegex(done.stdout, r"^verify: \d+ documents compared, 0 differences\n")
        return done.stdout

    def assert_found(self, *lines):
        done = self.verify()
        self.assertEqual((done.returncode, done.stderr), (1, ""), done.stdout)
        found = done.stdout.splitlines()
        self.assertEqual(len(found), len(lines) + 1, done.stdout)
        for line, wanted in zip(sorted(found[:-1]), sorted(lines)):
            self.assertRegex(line, wanted)
        self.assertRegex(found[-1], r"^verify: \d+ documents compared, %d differences$" % len(lines))

    def customers(self):
        return self.shop.mongo.db().customers

    def setUp(self):
        self.shop.wait_applied()

    def test_10_equal(self):
        documents = sum(len(d) for d in self.shop.documents().values())
        self.assertEqual(self.assert_clean(), "verify: %d documents compared, 0 differences\n" % documents)

    def test_11_status(self):
        time.sleep(1.2)
        done = self.shop.mirror.command("mirror", "status")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        at = self.shop.state()["gtid"]
        self.assertRegex(done.stdout, r"^state: streaming\nsource: replica1\ngtid: %s\nlag: 0 ms\n"
                                      r"documents written: \d+\nrow changes read: \d+\nlast error: none\ndead letters: 0\n$" % at)

    def test_12_usage(self):
        for words in (["mirror", "frobnicate"], ["mirror", "verify", "--what"], ["mirror", "verify", "--sample"],
                      ["mirror", "verify", "--sample", "1.5"], ["mirror", "status", "--sample", "0.5"]):
            done = self.shop.mirror.command(*words)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn("usage: tillway mirror status|plan|verify|repair|retry|rebuild", done.stderr)

    def test_13_reports(self):
        """pos/reports.mongo.json gives the figures of pos/reports.sql: all of them."""
        wanted = self.sql_reports()
        reports = json.loads(self.pos_file("reports.mongo.json"))
        self.assertEqual(len(reports), len(wanted))
        for title, report in reports.items():
            rows, = (r for name, r in wanted.items() if name.startswith(title))
            got = list(self.shop.mongo.db()[report["collection"]].aggregate(report["pipeline"]))
            self.assertGreater(len(got), 0, title)
            self.assertEqual([{k: str(v) for k, v in g.items()} for g in got],
                             [{k: str(v) for k, v in r.items()} for r in rows], title)

    @staticmethod
    def pos_file(name):
        with open(os.path.join(paths.ROOT, "pos", name), encoding="utf-8") as f:
            return f.read()

    def sql_reports(self):
        """{title: [row as a dictionary]}"""
        found = {}
        connection = self.shop.primary.connect(database="pos")
        with connection.cursor(pymysql.cursors.DictCursor) as cursor:
            for sql in self.pos_file("reports.sql").split(";\n"):
                if "SELECT" not in sql:
                    continue
                cursor.execute(sql)
                rows = cursor.fetchall()
                if set(rows[0]) == {"report"}:
                    title = rows[0]["report"]
                else:
                    found[title] = rows
        connection.close()
        return found

    def test_20_changed_field(self):
        self.customers().update_one({"_id": 1}, {"$set": {"Email": "x"}})
        self.assert_found(r'^customers 1: Email: MongoDB has "x", SQL says "c1@example.com"$')
        self.shop.run("UPDATE Customer SET phone = '1' WHERE id = 1")
        self.shop.wait_applied()
        self.assert_clean()

    def test_21_nested_field(self):
        self.customers().update_one({"_id": 1}, {"$set": {"Orders.1.Items.0.Quantity": bson.Int64(77)}})
        self.assert_found(r"^customers 1: Orders\.1\.Items\.0\.Quantity: MongoDB has 77, SQL says \d+$")
        self.shop.run("UPDATE Customer SET phone = '2' WHERE id = 1")

    def test_22_type_and_order_of_fields(self):
        self.customers().update_one({"_id": 2}, {"$set": {"Customer ID": 2.0}})
        self.customers().update_one({"_id": 3}, {"$unset": {"Email": 1}})
        self.customers().update_one({"_id": 4}, {"$set": {"More": 1}})
        self.assert_found(r"^customers 2: Customer ID: MongoDB has 2.0, SQL says 2$",
                          r"^customers 3: Email: MongoDB has nothing, SQL says ",
                          r"^customers 4: More: MongoDB has 1, SQL says nothing$")
        self.shop.run("UPDATE Customer SET phone = '2' WHERE id IN (2, 3, 4)")

    def test_23_array_element_missing(self):
        self.customers().update_one({"_id": 1}, {"$pop": {"Orders": 1}})
        self.assert_found(r"^customers 1: Orders\.\d+: MongoDB has nothing, SQL says \{")
        self.shop.run("UPDATE Customer SET phone = '3' WHERE id = 1")

    def test_24_missing_and_extra(self):
        self.customers().delete_one({"_id": 5})
        self.customers().insert_one({"_id": bson.Int64(123456), "Customer ID": bson.Int64(123456)})
        self.customers().insert_one({"_id": "no key of ours"})
        oid = self.customers().insert_one({}).inserted_id
        self.assert_found(r"^customers 5: missing in MongoDB$",
                          r"^customers 123456: MongoDB has it, SQL does not$",
                          r'^customers "no key of ours": MongoDB has it, SQL does not$',
                          r'^customers \{ "_id" : \{ "\$oid" : "%s" \} \}: MongoDB has it, SQL can' % oid)

    def test_25_repair_mends_just_them(self):
        """Those that test_24 left; others are not written."""
        def marks():
            return {str(d["_id"]): d["_tillway"] for d in self.customers().find({}, {"_tillway": 1}) if "_tillway" in d}
        before = marks()
        done = self.shop.mirror.command("mirror", "repair")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertRegex(done.stdout, r"(?m)^customers 123456: MongoDB has it")
        self.assertTrue(done.stdout.endswith("\nrepair: 4 documents written anew\n"), done.stdout)
        after = marks()
        self.assertEqual({key for key in after if after[key] != before.get(key)}, {"5"})
        self.assert_same()
        self.assert_clean()

    def test_26_sample(self):
        """Which ranges are of the sample is chance: all of them, now and then."""
        self.customers().update_many({}, {"$set": {"Email": "x"}})
        whole = len(self.shop.documents()["customers"])

        def found():
            done = self.shop.mirror.command("mirror", "verify", "--sample", "0.3")
            self.assertEqual(done.stderr, "")
            return int(re.search(r"compared, (\d+) differences", done.stdout)[1])
        self.assertTrue(any(found() < whole for _ in range(20)))

    def test_27_dead_letters(self):
        """What MongoDB refuses is kept with its reason; the rest goes on."""
        db = self.shop.mongo.db()
        self.shop.run("UPDATE Customer SET phone = 'anew'")  # after test_26
        self.shop.wait_applied()
        db.command("collMod", "customers", validator={"Phone": {"$ne": "refused"}})
        self.shop.run("UPDATE Customer SET phone = 'refused' WHERE id IN (7, 8)", "UPDATE Customer SET phone = 'next' WHERE id = 9")
        self.shop.wait_applied()
        letters = {d["_id"]["id"]: d for d in db.tillway_mirror_letters.find()}
        self.assertEqual(set(letters), {7, 8})
        self.assertIn("failed validation", letters[7]["reason"])
        self.assertEqual((letters[7]["_id"]["collection"], letters[7]["code"]), ("customers", 121))
        self.assertEqual(self.customers().find_one({"_id": 9})["Phone"], "next")
        self.assertIn("dead letters: 2 (tillway mirror retry)\n", self.shop.mirror.command("mirror", "status").stdout)
        self.assert_found("^customers 7: Phone: ", "^customers 8: Phone: ")
        self.shop.run("UPDATE Customer SET phone = 'fine' WHERE id = 8")
        self.shop.wait_applied()
        self.assertEqual(db.tillway_mirror_letters.distinct("_id.id"), [7])
        done = self.shop.mirror.command("mirror", "retry")
        self.assertEqual((done.returncode, done.stderr), (1, "mirror: documents are refused\n"), done.stdout)
        self.assertRegex(done.stdout, r'"reason" : "Document failed validation".*\nretry: 1 dead letters, 1 are left\n$')
        db.command("collMod", "customers", validator={})
        done = self.shop.mirror.command("mirror", "retry")
        self.assertEqual((done.returncode, done.stdout), (0, "retry: 1 dead letters, 0 are left\n"), done.stderr)
        self.assert_same()

    def test_29_rebuild_mends_all(self):
        self.customers().update_one({"_id": 1}, {"$set": {"Email": "x"}})
        done = self.shop.mirror.command("mirror", "rebuild")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertTrue(done.stdout.endswith("rebuilt\n"), done.stdout)
        self.assert_clean()
        self.assert_same()

    def test_28_rebuild_takes_the_place_as_a_whole(self):
        """Who reads meanwhile finds all documents at any time; the collection's indexes and its validator stay, and nothing is left over."""
        self.shop.wait_state("streaming")  # its own indexes are made by then
        db = self.shop.mongo.db()
        db.command("collMod", "customers", validator={"Phone": {"$ne": "nobody's"}})
        self.customers().create_index([("Phone", 1)], name="theirs")
        db["customers.tillway_1"].insert_one({"_id": "left by an attempt before"})
        indexes, options = self.customers().index_information(), self.customers().options()
        with Counts(self.shop, "customers") as counts:
            done = self.shop.mirror.command("mirror", "rebuild")
            counts.wait_more()
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertEqual(set(counts.seen), {self.shop.primary.value("SELECT COUNT(*) FROM pos.Customer")})
        self.assertEqual((self.customers().index_information(), self.customers().options()), (indexes, options))
        self.assertEqual([name for name in db.list_collection_names() if ".tillway_" in name], [])
        self.assert_clean()

    def test_28_rebuild_with_documents_that_are_refused(self):
        """They become dead letters, and those of before that are fine now, or gone, are none any more."""
        db = self.shop.mongo.db()
        db.command("collMod", "customers", validator={"Phone": {"$ne": "unwanted"}})
        self.shop.run("INSERT INTO Customer (id, firstName, lastName, phone) VALUES (940001, 'Gone', 'Soon', 'unwanted')",
                      "UPDATE Customer SET phone = 'unwanted' WHERE id IN (7, 8, 9)")
        self.shop.wait_applied()
        self.assertEqual(set(db.tillway_mirror_letters.distinct("_id.id")), {7, 8, 9, 940001})
        self.shop.mirror.stop()
        self.shop.run("DELETE FROM Customer WHERE id = 940001", "UPDATE Customer SET phone = 'fine' WHERE id = 8")
        done = self.shop.mirror.command("mirror", "rebuild")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(set(db.tillway_mirror_letters.distinct("_id.id")), {7, 9})
        self.assertEqual(self.customers().count_documents({"_id": {"$in": [7, 9]}}), 0)
        self.shop.mirror.start()
        self.shop.wait_state("streaming")
        db.command("collMod", "customers", validator={})
        self.assertEqual(self.shop.mirror.command("mirror", "retry").returncode, 0)
        self.assert_same()

    def test_30_while_tills_sell(self):
        with Tills(self.shop.primary.host, self.shop.primary.port, count=3, pace=0.01):
            for _ in range(3):
                time.sleep(0.5)
                self.assert_clean()
            self.customers().update_one({"_id": 290}, {"$set": {"Email": "planted"}})
            self.customers().delete_one({"_id": 291})
            done = self.verify()
        # A till may have repaired one of them by selling to that customer.
        left = {d["_id"] for d in self.customers().find({"Email": "planted"}, {"_id": 1})}
        if not self.customers().find_one({"_id": 291}):
            left.add(291)
        named = {int(n) for n in re.findall(r"^customers (\d+):", done.stdout, re.M)}
        self.assertLessEqual(left, named, done.stdout)
        self.assertLessEqual(named, {290, 291}, done.stdout)
        self.shop.run("UPDATE Customer SET phone = 'mend' WHERE id IN (290, 291)")
        self.assert_same()
        self.assert_clean()

    def test_40_mirror_stopped(self):
        self.shop.mirror.stop()
        status = self.shop.mirror.command("mirror", "status")
        self.assertEqual(status.returncode, 1)
        self.assertIn("state: not running (was ended)\n", status.stdout)
        self.assert_clean()
        self.customers().update_one({"_id": 1}, {"$set": {"Email": "x"}})
        self.assert_found(r'^customers 1: Email: MongoDB has "x"')

    def test_41_repair_without_a_daemon(self):
        self.shop.run("UPDATE Customer SET phone = 'not seen' WHERE id = 2")
        self.shop.cluster.wait_in_sync()
        done = self.shop.mirror.command("mirror", "repair")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("no mirror is running: one runs here meanwhile\n", done.stdout)
        self.assertTrue(done.stdout.endswith("repair: 1 documents written anew\n"), done.stdout)
        self.assertEqual(self.customers().find_one({"_id": 2})["Phone"], "not seen")
        self.assert_clean()
        self.customers().update_one({"_id": 1}, {"$set": {"Email": "x"}})

    def test_42_rebuild_without_a_daemon(self):
        done = self.shop.mirror.command("mirror", "rebuild")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("no mirror is running: rebuilding here\n", done.stdout)
        self.assert_clean()
        self.shop.mirror.start()
        self.shop.run("UPDATE Customer SET phone = 'again' WHERE id = 1")
        self.assert_same()


if __name__ == "__main__":
    unittest.main()
