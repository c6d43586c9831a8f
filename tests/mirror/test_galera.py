"""The mirror on a Galera cluster: whichever node it reads, documents are right; nodes are lost and come back."""

import unittest

import pymysql

from shop_mirror import Shop, ShopTest, new_mirror

from harness import pos, scratch, tillway
from harness.galera import Galera
from harness.mongo import Mongo


class Nodes(Galera):
    """As Shop wants a cluster."""

    @property
    def primary(self):
        """The last node that runs: the mirror reads another."""
        return next(n for n in reversed(self.nodes) if n.alive())

    def wait_in_sync(self):
        """Every node applies what it gets."""


class GaleraShop(Shop):
    def __init__(self):
        super().__init__()
        self.cluster = Nodes(nodes=3)

    def node(self, name):
        return next(n for n in self.cluster.nodes if n.name == name)


class GaleraTest(ShopTest):
    @classmethod
    def setUpClass(cls):
        cls.shop = cls.enterClassContext(GaleraShop())

    def source(self):
        """The node that the checkpoint was read from."""
        return self.shop.node(self.shop.state()["source"])

    def change(self, n):
        """A node that sees another go may refuse for a moment."""
        scratch.wait_until("change %d is taken" % n, lambda: self.is_taken(n), 60)

    def is_taken(self, n):
        try:
            self.make(n)
        except pymysql.err.MySQLError:
            return False
        return True

    def make(self, n):
        self.shop.run("UPDATE Customer SET phone = 'change %d' WHERE id BETWEEN 1 AND 20" % n,
                      "UPDATE Product SET currentPrice = %d.5 WHERE id = %d" % (n, 1 + n % 5),
                      "INSERT INTO `Order` (datePlaced, customer_id) VALUES ('2026-05-05', %d)" % (1 + n % 7))

    def test_10_changes_of_all_nodes(self):
        for n, node in enumerate(self.shop.cluster.nodes):
            node.query("UPDATE pos.Customer SET phone = 'from %d' WHERE id = %d" % (n, n + 1))
            self.shop.wait_applied()
        self.change(1)
        self.assert_same()

    def lose_source(self):
        """The node that it reads is killed while changes come; the node."""
        lost = self.source()
        self.change(2)
        lost.kill()
        self.change(3)
        self.assert_same()
        self.assertIsNot(self.source(), lost)
        self.change(4)
        return lost

    def test_20_nodes_are_lost_and_come_back(self):
        """One that has come back by the others' writes is as good as those."""
        first = self.lose_source()
        first.start()
        second = self.lose_source()
        second.start()
        self.shop.mirror.stop()
        self.shop.mirror.write_config({"mirror": {"source": {"server": first.name}}})
        self.shop.mirror.start()
        self.change(5)
        self.assert_same()
        self.assertIs(self.source(), first)
        done = self.shop.mirror.command("mirror", "verify")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class RefusalTest(unittest.TestCase):
    def test_10_own_gtids(self):
        """No other node could be read on where this one stood."""
        with Nodes(nodes=1, gtids=False) as cluster, Mongo() as mongo:
            pos.load(cluster.primary.host, cluster.primary.port)
            with new_mirror(cluster, mongo, tillway.pos_mirror(mongo)) as mirror:
                mirror.wait_log("mirror.stopped .*wsrep_gtid_mode=ON")


if __name__ == "__main__":
    unittest.main()
