"""What docs/failover.md says is done about errant transactions, done on real servers."""

import os
import re
import subprocess
import tempfile
import unittest

import proxied  # noqa: F401 (the path)
from harness import paths, scratch
from harness.cluster import Cluster


def documented(values):
    """The command of the page, as arguments, with values in the places of its words in capitals."""
    with open(os.path.join(paths.ROOT, "docs", "failover.md"), encoding="utf-8") as f:
        line = re.search(r"(?m)^mariadb-binlog .*$", f.read()).group(0)
    for word, value in values.items():
        line = line.replace(word, value)
    return line.split()


class Errant(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster(replicas=1)
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.old, self.new = self.cluster.primary, self.cluster.replicas[0]
        self.old.query("CREATE TABLE test.sale (id INT PRIMARY KEY, what VARCHAR(20))")
        self.old.query("INSERT INTO test.sale VALUES (1, 'survived')")
        self.cluster.wait_in_sync()

    def exported(self, server, start):
        """Rows that the file shows, by the values of their columns."""
        with tempfile.TemporaryDirectory(dir=scratch.current().path) as folder:
            files = " ".join(row[0] for row in server.query("SHOW BINARY LOGS"))
            argv = documented({"HOST": server.host, "PORT": str(server.port), "USER": "root", "GTID": start,
                               "FILE...": files, "errant.sql": os.path.join(folder, "errant.sql")})
            subprocess.run(argv[:1] + ["--no-defaults"] + argv[1:], check=True, capture_output=True)
            with open(os.path.join(folder, "errant.sql"), encoding="utf-8") as f:
                return re.findall(r"(?m)^###   @2='(\w+)'", f.read())

    @staticmethod
    def entries(server):
        """GTIDs of @@gtid_binlog_state by the server id in them."""
        return {g.split("-")[1]: g for g in server.value("SELECT @@gtid_binlog_state").split(",")}

    def test_an_old_primary(self):
        self.new.query("STOP SLAVE")
        self.new.query("SET GLOBAL read_only=0")
        self.new.query("INSERT INTO test.sale VALUES (2, 'elsewhere')")
        self.old.query("FLUSH BINARY LOGS")
        self.old.query("INSERT INTO test.sale VALUES (3, 'errant')")
        self.old.query("UPDATE test.sale SET what='forked' WHERE id=1")
        start = self.entries(self.new)[str(self.old.server_id)]
        self.assertEqual(self.exported(self.old, start), ["errant", "survived", "forked"])

    def test_a_replica_that_was_written_to(self):
        self.new.query("SET GLOBAL read_only=0")
        self.new.query("INSERT INTO test.sale VALUES (4, 'mine')")
        self.assertNotIn(str(self.new.server_id), self.entries(self.old))
        start = self.entries(self.new)[str(self.old.server_id)]
        self.assertEqual(self.exported(self.new, start), ["mine"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
