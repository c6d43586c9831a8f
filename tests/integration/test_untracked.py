"""What the servers' session tracking leaves out, seen through the proxy: reads answer as on the primary."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from proxied import Proxied  # noqa: E402

READ = "SELECT COLLATION('a'), CHARSET('a'), LENGTH('\u00e4'), 1/3"


class Untracked(Proxied):
    def direct(self, statements):
        connection = self.cluster.primary.connect(database="shop")
        self.addCleanup(connection.close)
        for sql in statements:
            self.run_sql(connection, sql)
        return self.run_sql(connection, READ)

    def check(self, statements, place):
        """READ through the proxy goes to `place` and answers as the primary does; ten times, on any replica."""
        connection = self.connect()
        for sql in statements:
            self.run_sql(connection, sql)
        expected = self.direct(statements)
        self.assertEqual(self.went_to(connection, READ), place, statements)
        for _ in range(10):
            self.assertEqual(self.run_sql(connection, READ), expected, statements)

    def test_a_temporary_table_made_by_code_that_was_not_seen(self):
        """MariaDB reports CREATE TEMPORARY TABLE, but not with a SELECT behind it."""
        root = self.cluster.primary.connect(database="shop")
        self.run_sql(root, "CREATE PROCEDURE hide() CREATE TEMPORARY TABLE t SELECT 7 AS id, 'hidden' AS v")
        self.run_sql(root, "CREATE FUNCTION hides() RETURNS INT BEGIN CREATE TEMPORARY TABLE t SELECT 7 AS id,"
                           " 'hidden' AS v; RETURN 1; END")
        self.run_sql(root, "CREATE PROCEDURE nothing() DO 1")
        root.close()
        self.settle()
        for code in ("CALL hide()", "SELECT hides()", "BEGIN NOT ATOMIC CALL hide(); END"):
            with self.subTest(code=code):
                connection = self.connect()
                self.run_sql(connection, code)
                self.settle()
                for _ in range(3):
                    self.assertEqual(self.run_sql(connection, "SELECT v FROM t WHERE id=7"), [("hidden",)])
        self.check(["CALL nothing()", "SELECT 1"], "replica")

    def test_collation_behind_names(self):
        for statements in (
                ["SET NAMES utf8mb4"],
                ["SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci"],
                ["set names 'utf8mb4' collate 'utf8mb4_bin'"],
                ["SET session_track_system_variables=''", "SET NAMES utf8mb4 COLLATE utf8mb4_bin"],
                ["SET NAMES utf8mb4 COLLATE utf8mb4_bin", "SET NAMES utf8mb4"],
                ["SET NAMES utf8mb4 COLLATE utf8mb4_bin", "SET collation_connection=utf8mb4_unicode_ci"],
                ["SET collation_connection=utf8mb4_bin", "SET character_set_connection=utf8mb4"],
                ["SET character_set_connection=latin1, collation_connection=utf8mb4_bin"],
                ["SET collation_connection=utf8mb4_bin, character_set_connection=latin1"]):
            with self.subTest(statements=statements):
                self.check(statements, "replica")

    def test_a_refused_collation_changes_nothing(self):
        connection = self.connect()
        self.run_sql(connection, "SET NAMES utf8mb4 COLLATE utf8mb4_bin")
        with self.assertRaises(Exception):
            self.run_sql(connection, "SET NAMES utf8mb4 COLLATE latin1_bin")
        for _ in range(5):
            self.assertEqual(self.run_sql(connection, READ), self.direct(["SET NAMES utf8mb4 COLLATE utf8mb4_bin"]))

    def test_what_was_set_unreported_is_asked_for(self):
        for statements in (["SET CHARACTER SET latin1"], ["SET NAMES DEFAULT"],
                           ["SET @@collation_connection=utf8mb4_bin"],
                           ["SET character_set_results=NULL, @@collation_connection=latin1_general_cs"]):
            with self.subTest(statements=statements):
                self.check(statements, "replica")

    def test_what_is_set_for_one_statement_is_over_with_it(self):
        self.check(["SET collation_connection=utf8mb4_bin",
                    "SET STATEMENT div_precision_increment=9 FOR SELECT 1"], "replica")

    def test_what_nobody_can_follow_stays(self):
        for statements in (["SET session_track_schema=0, CHARACTER SET latin1"],
                           ["SET STATEMENT session_track_schema=0 FOR DO 1"]):
            with self.subTest(statements=statements):
                self.check(statements, "primary")


if __name__ == "__main__":
    unittest.main()
