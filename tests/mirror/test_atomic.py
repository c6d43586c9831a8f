"""`mirror.atomic`: a batch's documents and the checkpoint appear at once, whoever is killed when; what is too large for that is right all the same.

Environment: SEED; KILLS, how often the mirror is killed."""

import os
import random
import unittest

import pymongo.errors
from pymongo.read_concern import ReadConcern

from mapped import Mapped, section
from shop_mirror import new_mirror, sequence

from harness import scratch
from harness.mongo import Mongo
from harness.repeating import Repeating

ACCOUNTS = 60
EACH = 100  # what an account begins with
KILLS = int(os.environ.get("KILLS", 2))

SCHEMA = """
CREATE DATABASE bank;
CREATE TABLE bank.Account (id INT PRIMARY KEY, balance INT, note LONGTEXT);
INSERT INTO bank.Account SELECT seq, %d, '' FROM bank.seq_1_to_%d;
""" % (EACH, ACCOUNTS)

MAPPING = """
- collection: accounts
  table: bank.Account
  key: [id]
  fields: {Balance: balance, Note: note}
"""


class Bank(Mapped):
    def __init__(self):
        super().__init__(SCHEMA, MAPPING)

    def section(self):
        mirror = super().section()
        mirror["mirror"]["atomic"] = True
        return mirror


class Transfers(Repeating):
    """Moves money from one account to another, two statements a transaction."""

    def __init__(self, world):
        super().__init__(pause=0.002)
        self.world = world

    def turn(self):
        a, b = random.sample(range(1, ACCOUNTS + 1), 2)
        self.world.run("BEGIN", "UPDATE Account SET balance = balance - 1 WHERE id = %d" % a,
                       "UPDATE Account SET balance = balance + 1 WHERE id = %d" % b, "COMMIT", database="bank")


class Watch(Repeating):
    """Looks at all documents and the checkpoint as of one moment, again and again; `wrong` says what did not fit."""

    def __init__(self, mongo):
        super().__init__(pause=0.01)
        self.client = mongo.client()
        self.db = self.client[mongo.database]
        self.looks, self.places, self.wrong = 0, set(), []

    def look(self):
        with self.client.start_session() as session, session.start_transaction(read_concern=ReadConcern("snapshot")):
            documents = list(self.db.accounts.find({}, {"Balance": 1, "_tillway": 1}, session=session))
            at = self.db.tillway_mirror.find_one({"_id": "checkpoint"}, session=session)["gtid"]
        total = sum(d["Balance"] for d in documents)
        newer = [d for d in documents if sequence(d["_tillway"]["gtid"]) > sequence(at)]
        if total != ACCOUNTS * EACH or newer:
            self.wrong.append((at, total, newer))
        self.places.add(at)
        self.looks += 1

    def turn(self):
        try:
            self.look()
        except pymongo.errors.PyMongoError as e:
            if not e.has_error_label("TransientTransactionError"):
                raise


class AtomicTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = cls.enterClassContext(Bank())

    def setUp(self):
        self.world.wait_state("streaming")
        self.world.wait_applied()

    def assert_same(self):
        self.world.wait_applied()
        rows = self.world.rows("SELECT id, balance, note FROM bank.Account")
        got = {d["_id"]: (d["Balance"], d["Note"]) for d in self.world.mongo.db().accounts.find()}
        self.assertEqual(got, {key: (balance, note) for key, balance, note in rows})

    def streams(self):
        return self.world.mirror.log_text().count("mirror.streaming")

    def test_10_killed_in_the_middle(self):
        seed = int(os.environ.get("SEED", random.randrange(1 << 30)))
        print("SEED=%d" % seed)
        chance = random.Random(seed)
        with Watch(self.world.mongo) as watch, Transfers(self.world):
            for _ in range(KILLS):
                before = len(watch.places)
                scratch.wait_until("batches", lambda n=before + chance.randint(5, 15): len(watch.places) > n or not watch.is_alive(), 60)
                self.world.mirror.kill()
                streams = self.streams()
                self.world.mirror.start()
                scratch.wait_until("the stream", lambda n=streams: self.streams() > n, 60)
        self.assertEqual(watch.wrong, [])
        self.assertGreaterEqual(len(watch.places), 5 * KILLS)
        self.assert_same()
        self.assertNotIn("mirror.atomic.split", self.world.mirror.log_text())

    def test_20_a_refused_document(self):
        """It becomes a dead letter; the others of its transaction are written."""
        db = self.world.mongo.db()
        db.command("collMod", "accounts", validator={"Note": {"$ne": "refused"}})
        self.world.run("BEGIN", "UPDATE Account SET note = 'fine' WHERE id IN (1, 3)",
                       "UPDATE Account SET note = 'refused', balance = 7 WHERE id = 2", "COMMIT", database="bank")
        self.world.wait_applied()
        self.assertEqual([d["Note"] for d in db.accounts.find({"_id": {"$in": [1, 2, 3]}}).sort("_id")], ["fine", "", "fine"])
        self.assertEqual([d["_id"]["id"] for d in db.tillway_mirror_letters.find()], [2])
        self.world.run("UPDATE Account SET note = 'taken', balance = %d WHERE id = 2" % EACH, database="bank")
        self.assert_same()
        # It is taken away behind the transaction.
        scratch.wait_until("no letter", lambda: db.tillway_mirror_letters.count_documents({}) == 0, 60)

    def test_25_another_has_taken_over(self):
        """A later claim on the lease: the transaction is refused as a whole."""
        db = self.world.mongo.db()
        before = self.world.state("lease")["epoch"]
        db.accounts.update_one({"_id": 6}, {"$set": {"Note": "theirs", "_tillway.epoch": before + 1}})
        self.world.run("UPDATE Account SET note = 'late' WHERE id IN (5, 6)", database="bank")
        scratch.wait_until("a new claim", lambda: self.world.state("lease")["epoch"] > before + 1, 60)
        self.assert_same()
        self.world.mirror.wait_log("another mirror has taken over")

    def test_30_too_large_for_one_transaction(self):
        self.world.run("UPDATE Account SET note = REPEAT('x', 1 << 20) WHERE id <= 40", "UPDATE Account SET note = 'small' WHERE id = 1",
                       database="bank")
        self.assert_same()
        self.world.mirror.wait_log("mirror.atomic.split")
        self.world.run("UPDATE Account SET note = ''", database="bank")
        self.assert_same()

    def test_40_not_on_a_single_server(self):
        mirror = section(self.world.mongo, MAPPING)
        with Mongo(replica_set=False) as single:
            mirror["mirror"].update(uri=single.uri, atomic=True)
            with new_mirror(self.world.cluster, single, mirror) as refused:
                refused.wait_log('error mirror.stopped reason="mirror.atomic: a single MongoDB server has no transactions', timeout=60)


if __name__ == "__main__":
    unittest.main()
