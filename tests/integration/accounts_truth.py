"""The account a client is: the catalogue's choice against CURRENT_USER() of a real MariaDB.

Usage: accounts_truth.py PATH-OF-accounts_tool [unittest arguments]
"""

import itertools
import os
import random
import subprocess
import sys
import unittest

import pymysql

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.cluster import Cluster  # noqa: E402

TOOL = None
SEED = int(os.environ.get("TILLWAY_SEED", "20240301"))

HOSTS = ["%", "127.0.0.1", "127.0.0.5", "127.0.0.%", "127.0.%", "127.%", "127.0.0._", "127.0.0.__", "127._.0.5",
         "%.0.5", "%5", "127.0.0.5%", "%7.0.0.5", "1%.0.0.5", "127.0.0.0/255.255.255.0",
         "127.0.0.4/255.255.255.252", "127.0.0.5/255.255.255.255", "127.0.0.5/255.255.255.0", "localhost",
         "local%", "LOCALHOST", "%host", "::1", "12\\_.0.0.5", "127.0.%.5", "%.%.%.%", "_%", "127.0.0.5_",
         "127.0.0.12", "127.0.0.1_", "1__.0.0.5"]
ADDRESSES = ["127.0.0.2", "127.0.0.5", "127.0.0.6", "127.0.0.12", "127.0.7.5", "127.1.0.5", "localhost"]
USERS = ["", "a", "b"]


class Accounts(unittest.TestCase):
    def make(self, options=()):
        cluster = Cluster(replicas=0, options=options)
        cluster.start()
        self.addCleanup(cluster.stop)
        return cluster.primary

    @staticmethod
    def replace_accounts(server, accounts):
        """Root stays where the test comes from: by the socket."""
        with server.connect(unix_socket=server.socket) as connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM mysql.global_priv WHERE NOT (User='root' AND Host='localhost')")
            cursor.execute("FLUSH PRIVILEGES")
            for user, host in accounts:
                cursor.execute("CREATE USER %s@%s", (user, host))

    @staticmethod
    def server_choice(server, user, address):
        where = dict(unix_socket=server.socket) if address == "localhost" else dict(bind_address=address)
        try:
            with server.connect(user=user, **where) as connection, connection.cursor() as cursor:
                cursor.execute("SELECT CURRENT_USER()")
                return cursor.fetchone()[0]
        except pymysql.err.OperationalError as error:
            if error.args[0] in (1045, 1698, 1130, 2003, 2013):
                return "none"
            raise

    @staticmethod
    def our_choices(accounts, questions):
        lines = ["account\t%s\t%s" % (a if isinstance(a, tuple) else a) for a in accounts]
        lines += ["who\t%s\t%s" % q for q in questions]
        out = subprocess.run([TOOL], input="\n".join(lines) + "\n", stdout=subprocess.PIPE, text=True, check=True)
        return out.stdout.splitlines()

    def compare(self, server, accounts, addresses):
        self.replace_accounts(server, accounts)
        known = [(u, h.lower()) for u, h in accounts] + [("root", "localhost")]
        questions = list(itertools.product(["a", "b", "nobody"], addresses))
        ours = self.our_choices(known, questions)
        matched = 0
        for (user, address), our in zip(questions, ours):
            theirs = self.server_choice(server, user, address)
            with self.subTest(user=user, address=address, accounts=accounts):
                self.assertEqual(our.lower(), theirs.lower())
            matched += theirs != "none"
        return matched

    def test_random_sets_of_accounts(self):
        dice = random.Random(SEED)
        server = self.make()
        matched = 0
        for _ in range(25):
            accounts = set()
            while len(accounts) < 12:
                accounts.add((dice.choice(USERS), dice.choice(HOSTS)))
            lowered = {(u, h.lower()): (u, h) for u, h in accounts}
            matched += self.compare(server, sorted(lowered.values()), ADDRESSES)
        self.assertGreater(matched, 100)

    def test_all_patterns_at_once(self):
        server = self.make()
        accounts = [(u, h) for u in USERS for h in HOSTS if h != "LOCALHOST"]
        self.assertGreater(self.compare(server, accounts, ADDRESSES), 10)

    def test_loopback_is_localhost_where_names_are_resolved(self):
        server = self.make(options=["--skip-name-resolve=OFF"])
        for hosts in (["localhost"], ["127.0.0.1"], ["localhost", "127.0.0.1"], ["127.0.0.%", "local%"],
                      ["%", "127._.0.1"], ["l%"]):
            self.compare(server, [("a", h) for h in hosts], ["127.0.0.1", "localhost"])


if __name__ == "__main__":
    TOOL = sys.argv.pop(1)
    unittest.main()
