"""Carrying variables from one connection to another, against a real MariaDB: afterwards every session
variable is equal, unless the catalogue of exceptions pins the session.

Usage: vars_truth.py PATH-OF-vars_tool [unittest arguments]
"""

import os
import random
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.cluster import Cluster  # noqa: E402

TOOL = None
SEED = int(os.environ.get("TILLWAY_SEED", "20240301"))

# Values for what is no number and no switch; else a number near the default, or the other way.
TEXTS = {
    "time_zone": ["+03:00", "-11:30", "SYSTEM"],
    "lc_time_names": ["de_DE", "ja_JP"], "lc_messages": ["de_DE", "fr_FR"],
    "character_set_client": ["latin1", "gbk", "sjis", "utf8mb3", "swe7"],
    "character_set_connection": ["latin1", "ucs2", "utf16"],
    "character_set_results": ["latin1", "utf8mb3", None],
    "character_set_server": ["latin1", "utf8mb3"], "character_set_filesystem": ["latin1"],
    "collation_connection": ["latin1_german1_ci", "utf8mb4_bin", "utf8mb4_unicode_ci", "binary"],
    "collation_server": ["latin1_german1_ci", "utf8mb4_bin"],
    "sql_mode": ["ANSI", "ORACLE", "", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES", "TRADITIONAL"],
    "optimizer_switch": ["mrr=on", "index_merge=off,mrr=on"],
    "tx_isolation": ["SERIALIZABLE", "READ-COMMITTED"],
    "default_storage_engine": ["MyISAM", "Aria"], "storage_engine": ["MyISAM"],
    "default_tmp_storage_engine": ["MyISAM", None], "enforce_storage_engine": ["MyISAM", None],
    "default_regex_flags": ["MULTILINE,DOTALL"], "innodb_tmpdir": ["/tmp", None],
    "log_slow_filter": ["admin,full_join", ""], "log_slow_verbosity": ["innodb", ""],
    "log_slow_disabled_statements": ["admin", ""], "log_disabled_statements": ["slave", ""],
    "note_verbosity": ["basic", ""], "old_mode": ["", "NO_PROGRESS_INFO"],
    "system_versioning_asof": ["2020-01-01 00:00:00"], "completion_type": ["CHAIN"],
    "use_stat_tables": ["NEVER"], "alter_algorithm": ["COPY"], "wsrep_osu_method": ["RSU"],
}
SKIPPED = {"max_statement_time"}  # it ends the comparison
STATEMENTS = [
    "SET NAMES latin1", "SET NAMES utf8mb4", "SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci",
    "SET NAMES 'utf8mb3' COLLATE 'utf8mb3_bin'", "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "SET SESSION TRANSACTION READ ONLY",
]


def literal(value):
    return "NULL" if value is None else "'%s'" % value


class Vars(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(replicas=0)
        cls.cluster.start()
        cls.settings = cls.all_settings()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.stop()

    @classmethod
    def all_settings(cls):
        """For each session variable the SETs to try."""
        rows = cls.cluster.primary.query(
            "SELECT LOWER(variable_name), variable_type, session_value FROM"
            " information_schema.system_variables WHERE variable_scope LIKE 'SESSION%' AND read_only='NO'"
            " ORDER BY 1")
        found = {}
        for name, kind, value in rows:
            if name in TEXTS:
                values = [literal(v) for v in TEXTS[name]]
            elif kind == "BOOLEAN":
                values = ["0", "1"]
            elif kind == "DOUBLE":
                values = ["7.5", "0.25"]
            elif "INT" in kind:
                number = int(value)
                values = [str(number // 2 + 1 if number > 10 else number + 1), str(number)]
            else:
                values = ["1", "0"]
            if name not in SKIPPED and not name.startswith("session_track_"):  # the client has its own of these
                found[name] = ["SET SESSION %s=%s" % (name, v) for v in values + ["DEFAULT"]]
        return found

    def run_tool(self, lines):
        out = subprocess.run([TOOL, str(self.cluster.primary.port)], input="\n".join(lines) + "\n",
                             stdout=subprocess.PIPE, text=True, check=True)
        return out.stdout.splitlines()

    def check(self, lines, output):
        """Nothing differs but what pins, and no SET of ours was refused. Returns how much was carried."""
        pinned = any(line.startswith(("pins:", "untracked")) for line in output)
        sets = [line[5:] for line in output if line.startswith("set: ")]
        refused = [line for line in output if line.startswith("error:")
                   and any(line.endswith(": " + s) for s in sets)]
        self.assertEqual(refused, [], lines)
        if not pinned:
            self.assertEqual([line for line in output if line.startswith("differs:")], [], lines)
        return len(sets)

    def test_each_variable(self):
        carried = 0
        for name, settings in self.settings.items():
            with self.subTest(variable=name):
                lines = []
                for setting in settings:
                    lines += [setting, "CARRY"]
                # … and both ways
                lines += ["SWAP", settings[0], "CARRY"]
                carried += self.check(lines, self.run_tool(lines)) > 0
        self.assertGreater(carried, 120)

    def test_what_pins(self):
        """What cannot be carried says so."""
        for name in ("timestamp", "insert_id", "last_insert_id", "rand_seed1", "sql_log_bin", "pseudo_thread_id",
                     "max_join_size", "old", "character_set_database", "collation_database"):
            value = "latin1" if name.startswith("char") else "latin1_bin" if name.startswith("coll") else "1"
            output = self.run_tool(["SET SESSION %s=%s" % (name, value)])
            self.assertTrue(any(line.startswith("pins: ") for line in output) or name == "sql_log_bin", name)

    def test_what_the_server_reports_wrongly(self):
        """The classifier knows: these pin too."""
        for sql in ("SET STATEMENT lock_wait_timeout=5 FOR DO 1", "SET CHARACTER SET latin1", "SET NAMES DEFAULT"):
            self.assertIn("untracked", self.run_tool([sql, "CARRY"]), sql)

    def test_random_histories(self):
        """Many settings on both connections, in any order: one carry makes them equal."""
        dice = random.Random(SEED)
        pinning = re.compile(r"SET SESSION (%s)=" % "|".join(self.pinning_names()))
        pool = [s for settings in self.settings.values() for s in settings if not pinning.match(s)]
        pool += STATEMENTS * 20
        for round_ in range(60):
            lines = []
            for _ in range(4):
                lines += [dice.choice(pool) for _ in range(dice.randrange(1, 12))]
                lines += ["CARRY"]
                if dice.randrange(2):
                    lines.append("SWAP")
            with self.subTest(round=round_):
                output = self.run_tool(lines)
                self.assertFalse(any(line.startswith(("pins:", "untracked", "full")) for line in output), lines)
                self.check(lines, output)

    def pinning_names(self):
        names = []
        for name, settings in self.settings.items():
            if any(line.startswith(("pins:", "untracked")) for line in self.run_tool(settings)):
                names.append(name)
        self.assertIn("timestamp", names)
        return names


if __name__ == "__main__":
    TOOL = sys.argv.pop(1)
    unittest.main()
