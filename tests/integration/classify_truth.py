"""The classifier against a real MariaDB: what it calls a read changes nothing, as SUPER, on a writable server.

Three ways: a list of statements, read by read; every function that is called pure, with a stored function of
the same name in its way; and a writing function hidden between quotes, comments and other character sets, where
a lexer that cuts otherwise than the server's would not see it.

Usage: classify_truth.py PATH-OF-classify_tool [unittest arguments]
"""

import os
import random
import subprocess
import sys
import unittest

import pymysql

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness import paths  # noqa: E402
from harness.cluster import Cluster  # noqa: E402

TOOL = None
SEED = int(os.environ.get("TILLWAY_SEED", "20240301"))

SETUP = [
    "CREATE DATABASE truth",
    "USE truth",
    "CREATE TABLE log (what TEXT)",
    "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, a INT, b VARCHAR(20), d DATETIME, j JSON)",
    "CREATE TABLE u (id INT PRIMARY KEY, a INT, p POINT NOT NULL, FULLTEXT KEY f (b), b TEXT)",
    "INSERT INTO t (a, b, d, j) VALUES (1, 'x', NOW(), '[{\"a\":1}]'), (2, 'y', NOW(), '[]')",
    "INSERT INTO u (id, a, p, b) VALUES (1, 1, POINT(1, 2), 'some words')",
    "CREATE SEQUENCE s",
    "CREATE FUNCTION wr() RETURNS INT BEGIN INSERT INTO log VALUES ('wr'); RETURN 1; END",
]

# What changes nothing and what does; the classifier says which is which, the server who is right.
STATEMENTS = r"""
SELECT 1
SELECT * FROM t
SELECT a, COUNT(*) FROM t GROUP BY a WITH ROLLUP
SELECT * FROM t JOIN u USING (id) WHERE t.a IN (1, 2) ORDER BY (t.a) LIMIT 1
SELECT * FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.id = t.id)
SELECT a FROM t UNION SELECT a FROM u
(SELECT a FROM t) UNION ALL (SELECT a FROM u) ORDER BY 1
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5), m (x) AS (SELECT 2) SELECT * FROM n, m
VALUES (1, 2), (3, 4)
SELECT ROW_NUMBER() OVER (PARTITION BY a ORDER BY id), SUM(a) OVER w FROM t WINDOW w AS (ORDER BY id)
SELECT t.id, x.a FROM t, JSON_TABLE(t.j, '$[*]' COLUMNS (a INT PATH '$.a', NESTED PATH '$.b' COLUMNS (c INT PATH '$'))) x
SELECT MATCH (b) AGAINST ('words' IN BOOLEAN MODE), ST_X(p) FROM u
SELECT CAST(a AS DECIMAL(10,2)), CONVERT(b USING utf8mb4), CAST(d AS DATETIME(6)), BINARY(b) FROM t
SELECT DATE_ADD(d, INTERVAL 1 DAY), d + INTERVAL (1) MONTH, EXTRACT(YEAR FROM d), NOW(), UUID(), RAND() FROM t
SELECT IF(a, 1, 2), CASE WHEN (a) THEN (b) ELSE 'z' END, INSERT(b, 1, 1, 'q'), REPLACE(b, 'x', 'y') FROM t
SELECT GROUP_CONCAT(DISTINCT b ORDER BY a SEPARATOR ';'), STDDEV(a), BIT_OR(a) FROM t
SELECT SUBSTRING(b FROM 1 FOR 1), TRIM(LEADING 'x' FROM b), POSITION('x' IN b) FROM t
EXPLAIN SELECT * FROM t
EXPLAIN FORMAT=JSON SELECT * FROM t
ANALYZE FORMAT=JSON SELECT * FROM t
DESCRIBE SELECT * FROM t
SELECT * FROM t USE INDEX (PRIMARY) WHERE id = 1
SELECT \N, x'41', b'01', N'x', _utf8mb4'x', 0x41, 1e5, .5, t.a FROM t
SELECT * FROM (SELECT 1 AS a) x WHERE (a, 1) IN ((1, 1))
SELECT 1 -- ; DELETE FROM t
SELECT 'INTO OUTFILE'
SELECT wr()
SELECT (SELECT wr())
SELECT truth.wr()
SELECT `wr`()
SELECT wr ()
WITH a AS (SELECT 1) (SELECT 2) ORDER BY (1), wr()
WITH a AS (SELECT 1) SELECT (1), wr()
EXPLAIN SELECT wr()
ANALYZE SELECT wr()
ANALYZE FORMAT=JSON UPDATE t SET a = a + 1
EXPLAIN UPDATE t SET a = a + 1
SELECT NEXT VALUE FOR s
SELECT NEXTVAL(s)
SELECT SETVAL(s, 100)
SELECT @a := 5
SELECT 1 INTO @a
SELECT a INTO @b FROM t LIMIT 1
SELECT LAST_INSERT_ID(77)
SELECT GET_LOCK('truth', 0)
SELECT * FROM t FOR UPDATE
SELECT * FROM t LOCK IN SHARE MODE
SELECT /*! wr() */
SELECT /*!50000 wr() */
SELECT /*M!100100 wr() */
SELECT 1 /*!99999 , wr() */
SELECT 1; SELECT wr()
DO wr()
SET @a = 1
INSERT INTO t (a) VALUES (9)
UPDATE t SET a = 1
DELETE FROM t WHERE id = 2
REPLACE INTO t (id, a) VALUES (1, 5)
BEGIN NOT ATOMIC INSERT INTO t (a) VALUES (1); END
CREATE TEMPORARY TABLE tmp (a INT)
SHOW TABLES
""".strip().split("\n")


def verdicts(statements, *mode):
    """The reason of each: 'read' or why not."""
    data = b"".join(s + b"\0" for s in statements)
    out = subprocess.run([TOOL] + list(mode), input=data, stdout=subprocess.PIPE, check=True).stdout
    lines = out.decode("ascii").splitlines()
    assert len(lines) == len(statements), (len(lines), len(statements))
    return [line.split(" ")[1] for line in lines]


class Truth(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(replicas=0)
        cls.cluster.start()
        cls.server = cls.cluster.primary
        cls.connection = cls.connect()
        for sql in SETUP:
            cls.run_sql(sql)

    @classmethod
    def tearDownClass(cls):
        cls.connection.close()
        cls.cluster.stop()

    @classmethod
    def connect(cls):
        return cls.server.connect(client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS)

    @classmethod
    def run_sql(cls, sql):
        """All results of one text, or the server's error."""
        with cls.connection.cursor() as cursor:
            try:
                cursor.execute(sql)
                rows = list(cursor.fetchall())
                while cursor.nextset():
                    rows += cursor.fetchall()
                return rows
            except (pymysql.err.Error, UnicodeError) as error:
                return error

    def state(self):
        """What a read may not change: data, the log of commits, the session."""
        ask = self.run_sql
        return [
            ask("SELECT @@gtid_binlog_pos, @@last_insert_id, @@insert_id, @@in_transaction"),
            ask("SELECT * FROM information_schema.user_variables ORDER BY 1"),
            ask("SELECT variable_name, session_value FROM information_schema.system_variables WHERE"
                " variable_scope LIKE 'SESSION%' AND variable_name NOT IN ('timestamp', 'rand_seed1',"
                " 'rand_seed2', 'warning_count', 'error_count') ORDER BY 1"),
            ask("SELECT IS_USED_LOCK('truth')"),
            ask("CHECKSUM TABLE truth.t, truth.u, truth.log, truth.s"),
        ]

    def fresh(self):
        self.connection.close()
        type(self).connection = self.connect()
        self.run_sql("USE truth")

    def test_statements(self):
        reads = changing = 0
        for sql, verdict in zip(STATEMENTS, verdicts([s.encode() for s in STATEMENTS], "utf8")):
            with self.subTest(sql=sql):
                self.fresh()
                before = self.state()
                result = self.run_sql(sql)
                after = self.state()
                if verdict == "read":
                    reads += 1
                    self.assertNotIsInstance(result, Exception, result)
                    self.assertEqual(before, after)
                changing += before != after
        # … and the check sees changes where there are some.
        self.assertGreater(reads, 20)
        self.assertGreater(changing, 15)

    def test_functions_cannot_be_shadowed(self):
        """For each name the classifier lets pass: a stored function of that name is never called."""
        names = self.function_names()
        self.assertGreater(len(names), 300)
        for n in range(0, 4):
            self.create_shadows(names, n)
            calls = [(name, call) for name in names for call in self.calls_of(name, n)]
            passed = verdicts([call.encode() for _, call in calls], "utf8")
            for (name, call), verdict in zip(calls, passed):
                if verdict == "read":
                    self.run_sql(call)
            self.assertEqual(self.run_sql("SELECT DISTINCT what FROM truth.log"), [], n)
        self.fresh()
        self.run_sql("DROP DATABASE shadow")

    @staticmethod
    def function_names():
        with open(os.path.join(paths.ROOT, "sql", "functions.c")) as f:
            text = f.read()
        table = text[text.index("functions[] = {"):text.index("clang-format on")]
        names = [part.split("(")[1].split(")")[0].split(",")[0] for part in table.split()
                 if "(" in part]
        # Waiting and locking take time and touch nothing.
        return [x for x in names if x not in ("sleep", "benchmark", "get_lock", "master_gtid_wait",
                                              "master_pos_wait")]

    def create_shadows(self, names, parameters):
        self.fresh()
        self.run_sql("DROP DATABASE IF EXISTS shadow")
        self.run_sql("CREATE DATABASE shadow")
        self.run_sql("USE shadow")
        args = ",".join("p%d INT" % i for i in range(parameters))
        for name in names:
            made = self.run_sql("CREATE FUNCTION `%s`(%s) RETURNS INT BEGIN INSERT INTO truth.log VALUES"
                                " ('%s'); RETURN 1; END" % (name, args, name))
            self.assertNotIsInstance(made, Exception, made)

    @staticmethod
    def calls_of(name, parameters):
        args = ",".join("123"[:parameters])
        return ["SELECT %s(%s)" % (name, args), "SELECT %s (%s)" % (name, args),
                "SELECT 1 + %s/**/(%s)" % (name, args), "SELECT `%s`(%s)" % (name, args),
                "SELECT 1 FROM (SELECT 1 AS a) x WHERE %s(%s) IS NULL" % (name, args)]

    LEXES = (("utf8mb4", ["utf8"], ""), ("latin1", [], ""),
             ("utf8mb4", ["utf8", "ansi"], "ANSI_QUOTES"),
             ("utf8mb4", ["utf8", "nobackslash"], "NO_BACKSLASH_ESCAPES"),
             ("latin1", ["ansi", "nobackslash"], "ANSI_QUOTES,NO_BACKSLASH_ESCAPES"),
             ("cp1250", [], ""), ("koi8r", [], ""), ("cp866", [], ""), ("macroman", [], ""),
             ("utf8mb4", ["utf8", "ansi", "oracle"], "ORACLE"), ("gbk", ["gbk"], ""), ("sjis", ["sjis"], ""),
             ("cp932", ["cp932"], ""), ("big5", ["big5"], ""), ("gbk", ["gbk", "ansi", "nobackslash"],
                                                              "ANSI_QUOTES,NO_BACKSLASH_ESCAPES"),
             ("gb2312", [], ""), ("euckr", [], ""), ("ujis", [], ""))

    def test_nothing_hides(self):
        """wr() and INTO OUTFILE among quotes, comments and odd bytes, under each lexis."""
        dice = random.Random(SEED)
        self.folder = os.path.join(self.cluster.folder, "out")
        os.makedirs(self.folder, exist_ok=True)
        ran = 0
        for charset, mode, sql_mode in self.LEXES:
            texts = [self.hidden(dice) for _ in range(3000)]
            self.fresh()
            self.run_sql("SET sql_mode='%s'" % sql_mode)
            self.run_sql("SET character_set_results=ascii, character_set_client=%s" % charset)
            reads = [t for t, v in zip(texts, verdicts(texts, *mode)) if v == "read"]
            for text in reads:
                result = self.run_sql(text)
                ran += not isinstance(result, Exception)
            with self.subTest(charset=charset, mode=mode, reads=len(reads)):
                self.assertEqual(self.written(), 0, self.guilty(reads))
        # Else the texts were all refused, and nothing was tried.
        self.assertGreater(ran, 1000)

    def written(self):
        return self.run_sql("SELECT COUNT(*) FROM truth.log")[0][0] + len(os.listdir(self.folder))

    def guilty(self, texts):
        for name in os.listdir(self.folder):
            os.remove(os.path.join(self.folder, name))
        for text in texts:
            before = self.written()
            self.run_sql(text)
            if self.written() != before:
                return repr(text)
        return "none alone"

    PIECES = [b" ", b"'", b"'", b'"', b'"', b"`", b"`", b"\\", b"\\'", b"''", b"/*", b"*/", b"/**/", b"--", b"-- ",
              b"--\t", b"--\x01", b"#", b"\n", b"\n", b"\r", b"\x0b", b"\xa0", b"\xc2\xa0", b"\xbf\\", b"\xbf'",
              b"\x83\\", b"\x83`", b"\xbf`", b"\xe5\x5c", b"\xa4\x5c", b"\x81", b"\x9a", b"\xca", b"\xff", b"\xc3\xa9", b"1", b"1e5", b".5", b"1.", b"0x41", b"x'41'",
              b"b'1'", b"N'", b"_latin1'", b"+", b"-", b",", b"(", b")", b"a", b"1a", b"\\N", b"*", b"/",
              b"+1", b",1", b" AS a", b" AS ", b".", b"t.a", b"t.", b"/*!", b"/*!99999 ", b"/*M!100100 "]
    QUOTES = [b"'", b'"', b"`"]
    COMMENTS = [b"-- ", b"--\t", b"--\n", b"--\x01", b"--\x7f", b"--\xa0", b"--", b"#", b"#\xa0", b"/*!99999 ",
                b"/*M!999999 ", b"/*", b"--\x9a", b"--\xff"]

    def payload(self, dice):
        if dice.randrange(2):
            return dice.choice([b",wr()", b" ,wr()", b"+wr()"])
        name = "%s/%016x" % (self.folder, dice.getrandbits(64))
        glue = dice.choice([b"", b"", b" ", b"\xa0", b"\x9a", b"\xca", b"\xff", b"/**/"])
        return glue + b"INTO OUTFILE '" + name.encode() + b"'"

    def hidden(self, dice):
        def some(n):
            return b"".join(dice.choice(self.PIECES) for _ in range(dice.randrange(n)))
        call = self.payload(dice)
        quote = dice.choice(self.QUOTES)
        shape = dice.randrange(5)
        if shape == 0:  # between two quotes, of which the first may be one only for some
            inside = dice.choice([b"", b"\\", b"\\" + quote, b"\\" + quote + quote, quote + quote, b"\xbf\\",
                                  b"\x83\\" + quote, b"\xbf" + quote, b"\xa5\\" + quote, b"\xb1\\" + quote, b"\\\x83\\" + quote, b"\\\\", b"\\\\" + quote])
            after = dice.choice([b"", b" AS a", b",1", b"-- ", b"#"])
            return b"SELECT 1," + quote + inside + call + after + quote
        if shape == 1:  # a quote in a comment that is one only for some
            end = dice.choice([b"\n", b"\r", b"*/", b"\n*/"])
            return b"SELECT 1 " + dice.choice(self.COMMENTS) + quote + end + call + b" -- " + quote
        if shape == 2:  # names and numbers that run into the next word
            first = dice.choice([b"1", b"1e5", b"1.5", b".5", b"t.a", b"`a`", b"a", b"'a'", b"0x41", b"0b1", b"1a",
                                 b"\\N", b"x'41'", b"t.1", b"t.5e3", b"1e", b"1.e1", b"(1)", b"t . a", b"a.b.c"])
            return b"SELECT " + first + call + dice.choice([b" FROM t", b" FROM t a", b"", b" FROM truth.t"])
        if shape == 3:
            return b"SELECT 1" + some(4) + call + some(4)
        return b"SELECT 1 " + dice.choice([b"FROM t ", b""]) + b"WHERE 1 IN (" + some(4) + b"1" + call + some(4) + b")"


if __name__ == "__main__":
    TOOL = sys.argv.pop(1)
    unittest.main()
