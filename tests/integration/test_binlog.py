"""The binlog's decoder against real servers: what it prints must be what SELECT shows.

Usage: test_binlog.py PATH-OF-binlog_dump_tool [unittest arguments]
"""

import contextlib
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import time
import unittest
import uuid

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness import scratch  # noqa: E402
from harness.certs import Authority  # noqa: E402
from harness.cluster import Cluster  # noqa: E402

TOOL = None
SQL_MODE = "SET SESSION sql_mode='', time_zone='+00:00'"

# Columns of every type but those of TEXT in other character sets, and rows of extremes.
INTEGERS = """id INT PRIMARY KEY, a TINYINT, b TINYINT UNSIGNED, c SMALLINT, d SMALLINT UNSIGNED, e MEDIUMINT,
    f MEDIUMINT UNSIGNED, g INT UNSIGNED, h BIGINT, i BIGINT UNSIGNED, j BOOL, y YEAR, k BIT(1), l BIT(64),
    m BIT(13)"""
INTEGER_ROWS = """(1,-128,255,-32768,65535,-8388608,16777215,4294967295,-9223372036854775808,
    18446744073709551615,1,2155,b'1',18446744073709551615,b'1010101010101'),
    (2,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL),
    (-2147483648,127,0,32767,0,8388607,0,0,9223372036854775807,0,0,0,0,0,0),
    (2147483647,-1,1,-1,1,-1,1,1,-1,1,-1,1901,1,1,1)"""
NUMBERS = """id INT PRIMARY KEY, a DECIMAL(65,30), b DECIMAL(65,0), c DECIMAL(1,1), d DECIMAL(10,2) UNSIGNED,
    e FLOAT, f DOUBLE, h DOUBLE UNSIGNED, n DECIMAL(38,38), o DECIMAL(18,9), p DECIMAL(9,0), q DECIMAL(10,9)"""
NUMBER_ROWS = """(1,-12345678901234567890123456789012345.123456789012345678901234567890,
    -99999999999999999999999999999999999999999999999999999999999999999,-0.9,12.5,1.5,-1e300,2.5,
    0.12345678901234567890123456789012345678,-123456789.987654321,-1,-9.000000001),
    (2,0,0,0,0,0,0,0,0,0,0,0),
    (3,99999999999999999999999999999999999.999999999999999999999999999999,1,0.1,99999999.99,3.402823466e38,
    1.7976931348623157e308,5e-324,-0.00000000000000000000000000000000000001,0.000000001,999999999,1.1),
    (4,-0.000000000000000000000000000001,-1,-0.1,0.01,1e-38,2.2250738585072014e-308,1e15,NULL,NULL,NULL,NULL),
    (5,1,1000000000,0.5,1,16777216,1e16,123456789012345680,0.5,1e9-1,1e8,0.000000001),
    (6,10,100,0,10,0.1,0.1,1e-15,0,0,0,0), (7,10,100,0,10,1e-5,123456.789,0.0001,0,0,0,0)"""
TIMES = """id INT PRIMARY KEY, a DATE, b TIME, c TIME(6), c3 TIME(3), c1 TIME(1), c2 TIME(2), c4 TIME(4), d DATETIME,
    d6 DATETIME(6), d3 DATETIME(3), d1 DATETIME(1), e TIMESTAMP NULL, e6 TIMESTAMP(6) NULL, e2 TIMESTAMP(2) NULL,
    e5 TIMESTAMP(5) NULL"""
TIME_ROWS = """(1,'2024-02-29','-838:59:59','-838:59:59.999999','-00:00:00.001','-25:00:00.1','-00:00:01.01',
    '-100:00:00.0001','9999-12-31 23:59:59','1000-01-01 00:00:00.000001','2024-01-01 01:02:03.456',
    '2024-01-01 01:02:03.4','2038-01-19 03:14:07','1970-01-01 00:00:01.000001','2024-05-06 07:08:09.12',
    '2024-02-29 23:59:59.99999'),
    (2,'0000-00-00','00:00:00','00:00:00.000001','00:00:00','00:00:00.9','838:59:59','838:59:59','0000-00-00',
    '0000-00-00','2024-00-00','0000-00-00',0,0,0,0),
    (3,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL),
    (4,'9999-12-31','838:59:59','838:59:59.999999','838:59:59.999','-838:59:59.9','-00:00:00.5','24:00:00',
    '2024-02-30','2024-12-00 01:01:01.1','1999-12-31 23:59:59.999','0001-01-01','2000-02-29 00:00:00',
    '2038-01-19 03:14:07.999999','1970-01-01 00:00:01','1999-12-31 23:59:59')"""
STRINGS = """id INT PRIMARY KEY, a CHAR(10), b CHAR(100), b2 CHAR(255), c BINARY(5), d VARBINARY(300), e VARCHAR(10),
    f VARCHAR(300), l1 VARCHAR(20) CHARACTER SET latin1, u2 CHAR(10) CHARACTER SET ucs2,
    u16 TEXT CHARACTER SET utf16, u8 CHAR(10) CHARACTER SET utf8mb3, en ENUM('a','b','ä,x','it''s'),
    se SET('x','y','z€'), enl ENUM('é','ü') CHARACTER SET latin1, enu ENUM('ж','я') CHARACTER SET ucs2,
    big SET({sixty_four}), js JSON, tb TINYBLOB, bl BLOB, mb MEDIUMBLOB, lb LONGTEXT,
    gb VARCHAR(20) CHARACTER SET gbk, bi BINARY(255), c0 CHAR(0), va VARCHAR(8000)"""
STRING_ROWS = """(1,'abc  ','Ünï😀','x','ab\\0','\\0\\1\\2','x','y😀','é€ÿ','aß','𝄞x','ñ','ä,x','x,z€','ü','я',
    18446744073709551615,'{{"a": [1, "😀"]}}','tb','bl','mb','lb','中文','','',REPEAT('é',8000)),
    (2,'','','','','','','','','','','','a','','é','ж',0,'null','','','','','','','',''),
    (3,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,
    NULL,NULL,NULL,NULL),
    (4,REPEAT('😀',10),REPEAT('😀',100),REPEAT('é',255),'\\0\\0\\0\\0\\0',REPEAT('\\0',300),' x ',REPEAT('z',300),'a',
    'я','я','я','nix','nix','nix','nix',9223372036854775808,'[]',REPEAT('t',255),REPEAT('b',65535),
    REPEAT('m',70000),REPEAT('l',70000),'x',REPEAT('\\0',255),'','x')"""
OTHERS = """id UUID PRIMARY KEY, v6 INET6, v4 INET4, g GEOMETRY, p POINT, cc VARCHAR(1000) COMPRESSED,
    cb BLOB COMPRESSED, lt LONGTEXT COMPRESSED CHARACTER SET latin1, vb VARBINARY(10) COMPRESSED,
    inv INT INVISIBLE DEFAULT 7, gv INT AS (inv+1) VIRTUAL, gs INT AS (inv+2) STORED"""
OTHER_ROWS = """(id,v6,v4,g,p,cc,cb,lt,vb) VALUES
    ('123e4567-e89b-12d3-a456-426655440000','2001:db8::ff','192.168.0.1',ST_GEOMFROMTEXT('LINESTRING(0 0,1 2)'),
    POINT(1,2),REPEAT('abc',100),REPEAT('x',60000),'é','v'),
    ('01890a5d-ac96-774b-bcce-b302099a8057','::','0.0.0.0',NULL,NULL,'','','',''),
    ('00000000-0000-0000-0000-000000000000','::ffff:1.2.3.0','1.2.3.0',NULL,NULL,'a',NULL,REPEAT('ÿ',5000),NULL),
    ('ffffffff-ffff-ffff-ffff-ffffffffffff',NULL,NULL,NULL,NULL,NULL,REPEAT('y',2),NULL,'1234567890')"""
SIXTY_FOUR = ",".join("'v%d'" % i for i in range(64))


class Reader:
    """Runs the tool and gives its lines."""

    def __init__(self, server, begin="", until=None, server_id=None, user="repl", password="repl", quiet=False, ca=None):
        until = server.value("SELECT @@gtid_binlog_pos") if until is None else until
        argv = [TOOL, server.host, str(server.port), user, password, str(server_id or random.randint(100, 1 << 31)),
                begin, until, "quiet" if quiet else "rows"] + ([ca] if ca else [])
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)

    def steps(self):
        out = self.process.communicate(timeout=120)[0]
        return [json.loads(line) for line in out.splitlines()]


def read(server, **kw):
    steps = Reader(server, **kw).steps()
    errors = [s for s in steps if s["step"] == "error"]
    if errors:
        raise AssertionError(errors[0]["text"])
    return steps


def image(values):
    return tuple(bytes.fromhex(v) if isinstance(v, str) else v for v in values)


def same(column_filter, a, b):
    return all(a[i] == b[i] for i in column_filter)


class Model:
    """Tables as the changes make them. Rows of a table are dictionaries' values, by key or in a list."""

    def __init__(self):
        self.tables = {}
        self.columns = {}
        self.keys = {}
        self.ops = []

    def apply(self, step):
        name = step["table"]
        self.columns[name] = step["columns"]
        self.keys[name] = step["key"]
        rows = self.tables.setdefault(name, [])
        self.ops.append((step["step"], name))
        before = image(step["before"]) if "before" in step else None
        after = image(step["after"]) if "after" in step else None
        if before is None:
            rows.append(after)
            return
        known = [i for i, v in enumerate(before) if v is not False]
        at = next((k for k, row in enumerate(rows) if same(known, row, before)), None)
        if at is None:
            raise AssertionError("%s of an unknown row of %s: %s" % (step["step"], name, before))
        if after is None:
            del rows[at]
        else:
            rows[at] = tuple(old if new is False else new for old, new in zip(rows[at], after))

    def feed(self, steps):
        for step in steps:
            if step["step"] in ("insert", "update", "delete"):
                self.apply(step)
        return self


def select(server, table):
    """Rows as the server prints them: bytes."""
    with contextlib.closing(server.connect(conv={})) as connection:
        with connection.cursor() as cursor:
            cursor.execute(SQL_MODE)
            database, name = table.split(".")
            cursor.execute("SELECT COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA='%s'"
                           " AND TABLE_NAME='%s' ORDER BY ORDINAL_POSITION" % (database, name))
            columns = cursor.fetchall()
            cursor.execute("SELECT %s FROM `%s`.`%s`" % (",".join("`%s`" % c[0] for c in columns), database, name))
            return [tuple(as_stored(v, c[1]) for v, c in zip(row, columns)) for row in cursor.fetchall()]


def as_stored(value, data_type):
    if value is None:
        return None
    if data_type == "uuid":
        return uuid.UUID(value).bytes
    if data_type == "inet6":
        return socket.inet_pton(socket.AF_INET6, value)
    if data_type == "inet4":
        return socket.inet_pton(socket.AF_INET, value)
    return value if isinstance(value, bytes) else value.encode("utf-8")


def order(row):
    return tuple((v is None, v or b"") for v in row)  # the key comes first


class Case(unittest.TestCase):
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(replicas=0)
        cls.cluster.__enter__()
        cls.server = cls.cluster.primary

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)

    def setUp(self):
        self.run_sql("DROP DATABASE IF EXISTS d", "CREATE DATABASE d")
        self.begin = self.server.value("SELECT @@gtid_binlog_pos")

    def hold_up(self, begin_reader):
        """The reader prints what nobody takes, so that soon it reads nothing and its connection is full: it is not cut."""
        self.run_sql("CREATE TABLE d.t (id INT PRIMARY KEY, b LONGBLOB)",
                     *("INSERT INTO d.t VALUES (%d, REPEAT('y', 8000000))" % n for n in range(4)))
        self.server.query("SET GLOBAL net_write_timeout=1")
        try:
            reader = begin_reader()
            time.sleep(4)
            self.assertEqual([s.get("text") for s in reader.steps() if s["step"] == "error"], [])
        finally:
            self.server.query("SET GLOBAL net_write_timeout=DEFAULT")

    def run_sql(self, *statements):
        with contextlib.closing(self.server.connect()) as connection:
            with connection.cursor() as cursor:
                cursor.execute(SQL_MODE)
                for sql in statements:
                    cursor.execute(sql)

    def steps(self, **kw):
        return read(self.server, begin=self.begin, **kw)

    def check(self, *tables, minimal=False):
        """What the changes since setUp made of the tables is what is in them. minimal: an INSERT's image then
        lacks columns that took their default, and virtual ones; what was never said is not compared."""
        model = Model().feed(self.steps())
        for table in tables:
            want = sorted(select(self.server, table), key=order)
            have = sorted(model.tables.get(table, []), key=order)
            self.assertEqual(len(have), len(want), table)
            for a, b in zip(have, want):
                if minimal:
                    b = tuple(False if x is False else y for x, y in zip(a, b))
                    self.assertIsNot(a[0], False)
                if a == b:
                    continue
                for column, x, y in zip(model.columns[table], a, b):
                    self.assertEqual(x[:200] if x else x, y[:200] if y else y, "%s.%s" % (table, column))
                self.assertEqual(a, b)
        return model


def all_types(engine):
    make = "CREATE TABLE d.%s (%s) ENGINE=" + engine
    fill = "INSERT INTO d.%s VALUES %s"
    yield make % ("t_int", INTEGERS)
    yield fill % ("t_int", INTEGER_ROWS)
    yield make % ("t_num", NUMBERS)
    yield fill % ("t_num", NUMBER_ROWS)
    yield make % ("t_time", TIMES)
    yield fill % ("t_time", TIME_ROWS)
    yield make % ("t_str", STRINGS.format(sixty_four=SIXTY_FOUR))
    yield fill % ("t_str", STRING_ROWS.format())
    yield make % ("t_other", OTHERS)
    yield "INSERT INTO d.t_other " + OTHER_ROWS


TABLES = ["d.t_int", "d.t_num", "d.t_time", "d.t_str", "d.t_other"]


class Types(Case):
    def test_every_type_full_images(self):
        for engine in ("InnoDB", "MyISAM", "Aria"):
            with self.subTest(engine):
                self.setUp()
                self.run_sql(*all_types(engine))
                model = self.check(*TABLES)
                self.assertEqual(model.keys["d.t_int"], [[0, 0]])

    def test_updates_and_deletes_with_each_image(self):
        for kind in ("FULL", "MINIMAL", "NOBLOB"):
            with self.subTest(kind):
                self.setUp()
                self.run_sql(
                    "SET SESSION binlog_row_image=" + kind, *all_types("InnoDB"),
                    "UPDATE d.t_str SET e='zz', tb=NULL, lb=CONCAT(lb,'ü')", "UPDATE d.t_str SET f=f WHERE id=1",
                    "UPDATE d.t_str SET a='w', gb=NULL WHERE id=3", "DELETE FROM d.t_str WHERE id=2",
                    "UPDATE d.t_int SET a=5, id=77 WHERE id=1", "DELETE FROM d.t_int WHERE id=2",
                    "UPDATE d.t_num SET a=a/3, e=e*1.1, f=f/7", "DELETE FROM d.t_num WHERE id=2",
                    "UPDATE d.t_time SET c='-01:02:03.000004', e6=NOW(6)", "UPDATE d.t_other SET inv=9, cc='q'",
                    "UPDATE d.t_other SET id='6ccd780c-baba-1026-9564-5b8c656024db' WHERE v6 IS NULL",
                    "DELETE FROM d.t_other WHERE v4='1.2.3.0'")
                model = self.check(*TABLES, minimal=kind == "MINIMAL")
                self.assertIn(("update", "d.t_str"), model.ops)
                self.assertIn(("delete", "d.t_other"), model.ops)

    def test_compressed_events(self):
        self.server.query("SET GLOBAL log_bin_compress=1, GLOBAL log_bin_compress_min_len=10")
        try:
            self.run_sql(*all_types("InnoDB"), "UPDATE d.t_str SET va=CONCAT(va,'!')",
                         "UPDATE d.t_int SET a=1, b=2", "DELETE FROM d.t_str WHERE id=1",
                         "DELETE FROM d.t_int WHERE id>1")
            self.check(*TABLES)
            events = {row[2] for row in self.server.query("SHOW BINLOG EVENTS")}
            for name in ("Write", "Update", "Delete"):
                self.assertIn(name + "_rows_compressed_v1", events)
            self.assertIn("Query_compressed", events)
        finally:
            self.server.query("SET GLOBAL log_bin_compress=0")

    def test_every_collation(self):
        with contextlib.closing(self.server.connect()) as connection:
            with connection.cursor() as cursor:
                cursor.execute("SELECT ID, FULL_COLLATION_NAME, CHARACTER_SET_NAME FROM"
                               " information_schema.COLLATION_CHARACTER_SET_APPLICABILITY"
                               " WHERE CHARACTER_SET_NAME<>'binary' ORDER BY ID")
                rows = cursor.fetchall()
        self.assertGreater(len(rows), 700)
        for start in range(0, len(rows), 400):
            part = rows[start:start + 400]
            name = "d.c%d" % start
            self.run_sql(
                "SET NAMES utf8mb4", "CREATE TABLE %s (%s) ENGINE=MyISAM" % (
                    name, ", ".join("x%d VARCHAR(4) CHARACTER SET %s COLLATE %s" % (i, cs, collation)
                                    for i, collation, cs in part)),
                "INSERT INTO %s VALUES (%s)" % (name, ",".join("'aé~я'" for _ in part)))
        self.check(*["d.c%d" % start for start in range(0, len(rows), 400)])

    def test_every_byte_of_each_character_set(self):
        single = "armscii8 ascii cp1250 cp1251 cp1256 cp1257 cp850 cp852 cp866 dec8 geostd8 greek hebrew hp8 keybcs2" \
                 " koi8r koi8u latin1 latin2 latin5 latin7 macce macroman swe7 tis620".split()
        wide = "big5 cp932 eucjpms euckr gb2312 gbk sjis ujis".split()
        self.run_sql(
            "CREATE TABLE d.bytes (%s)" % ", ".join("`%s` VARCHAR(256) CHARACTER SET %s" % (c, c) for c in single),
            "INSERT INTO d.bytes VALUES (%s)" % ",".join(["0x" + bytes(range(256)).hex()] * len(single)),
            "CREATE TABLE d.wide (%s)" % ", ".join("`%s` VARCHAR(256) CHARACTER SET %s" % (c, c) for c in wide),
            "INSERT INTO d.wide VALUES (%s)" % ",".join(["'abc 一二三 日本 ~ x'"] * len(wide)),
            "INSERT INTO d.wide (sjis, ujis, euckr) VALUES ('アイウ', 'アイウ', '한국어')")
        self.check("d.bytes", "d.wide")

    def test_random_values(self):
        dice = random.Random(20240229)
        scales = [(dice.randint(1, 65), dice.randint(0, 38)) for _ in range(60)]
        scales = [(max(p, s), s) for p, s in scales]
        columns = ["m%d DECIMAL(%d,%d)" % (i, p, s) for i, (p, s) in enumerate(scales)]
        self.run_sql("CREATE TABLE d.r (id INT PRIMARY KEY, f FLOAT, g DOUBLE, t TIME(6), u DATETIME(6),"
                     " w TIMESTAMP(6) NULL, %s)" % ", ".join(columns))
        statements = []
        for n in range(3000):
            bits = dice.getrandbits(64)
            double = struct.unpack("<d", struct.pack("<Q", bits))[0]
            single = struct.unpack("<f", struct.pack("<I", bits >> 32))[0]
            double = dice.choice([double, dice.randint(-10**17, 10**17) / 10**dice.randint(0, 20),
                                  float(dice.randint(-1000, 1000)), 2.0**dice.randint(-1074, 1023)])
            double = double if abs(double) <= sys.float_info.max else 0.5
            single = single if abs(single) < 3.4e38 else dice.randint(-10**9, 10**9) / 10**dice.randint(0, 12)
            micros = dice.randint(-3020399999999, 3020399999999)
            size = abs(micros)
            clock = "%s%d:%02d:%02d.%06d" % ("-" if micros < 0 else "", size // 3600000000,
                                             size // 60000000 % 60, size // 1000000 % 60, size % 1000000)
            digits = []
            for p, s in scales:
                text = str(dice.randint(0, 10**dice.randint(1, p) - 1)).zfill(p)
                digits.append(dice.choice(["", "-"]) + text[:p - s] + ("." + text[p - s:] if s else ""))
            stamp = dice.randint(1, 2**31 - 1)
            statements.append("(%d,%r,%r,'%s','%s' + INTERVAL %d MICROSECOND,FROM_UNIXTIME(%d.%06d),%s)" % (
                n, single, double, clock, "1000-01-01", dice.randint(0, 284012524800 * 10**6), stamp,
                dice.randint(0, 999999), ",".join(d if d.strip("-") else "0" for d in digits)))
        self.run_sql(*("INSERT INTO d.r VALUES " + ",".join(statements[i:i + 500])
                       for i in range(0, len(statements), 500)))
        self.check("d.r")

    def test_keys(self):
        self.run_sql("CREATE TABLE d.k (a VARCHAR(50), b INT, c INT, d TEXT, PRIMARY KEY (d(10), a(5), b))",
                     "INSERT INTO d.k VALUES ('aaaaaaaaaa',1,2,'ddddddddddddd')",
                     "CREATE TABLE d.n (a INT)", "INSERT INTO d.n VALUES (1)",
                     "CREATE TABLE d.two (a INT, b INT, PRIMARY KEY (b, a))", "INSERT INTO d.two VALUES (1, 2)")
        model = self.check("d.k", "d.n", "d.two")
        self.assertEqual(model.keys["d.k"], [[3, 10], [0, 5], [1, 0]])
        self.assertEqual(model.keys["d.n"], [])
        self.assertEqual(model.keys["d.two"], [[1, 0], [0, 0]])

    def test_blobs_beyond_a_packet(self):
        self.run_sql("CREATE TABLE d.big (id INT PRIMARY KEY, b LONGBLOB)",
                     "INSERT INTO d.big VALUES (1, REPEAT('0123456789abcdef', 1250000))",
                     "INSERT INTO d.big VALUES (2, REPEAT('x', 33554432))",
                     *("INSERT INTO d.big VALUES (%d, REPEAT('y', 16777215 - %d))" % (n, n) for n in range(60, 120, 7)),
                     "UPDATE d.big SET b=CONCAT(b,'!') WHERE id=2")
        self.check("d.big")

    def test_old_temporal_form(self):
        self.server.query("SET GLOBAL mysql56_temporal_format=0")
        try:
            self.run_sql("CREATE TABLE d.plain (id INT PRIMARY KEY, a DATETIME, b TIME, c TIMESTAMP NULL)",
                         "INSERT INTO d.plain VALUES (1,'2024-01-02 03:04:05','-12:13:14','2024-01-02 03:04:05'),"
                         "(2,'0000-00-00','838:59:59',0), (3,'9999-12-31 23:59:59','-838:59:59',NULL)")
            self.check("d.plain")
            self.run_sql("CREATE TABLE d.fine (a DATETIME(3), b TIME(6), c TIMESTAMP(2) NULL)",
                         "INSERT INTO d.fine VALUES ('2024-01-02 03:04:05.678','-12:13:14.151617','2024-01-02')")
            last = Reader(self.server, begin=self.begin).steps()[-1]
            self.assertEqual(last["step"], "error")
            self.assertIn("ALTER TABLE", last["text"])
        finally:
            self.server.query("SET GLOBAL mysql56_temporal_format=1")
        self.setUp()
        self.run_sql("CREATE TABLE d.fine (a DATETIME(3))", "INSERT INTO d.fine VALUES ('2024-01-02 03:04:05.678')")
        self.check("d.fine")


def brief(steps):
    """(step, end) of what tells something, rows as their operation."""
    out = []
    for step in steps:
        if step["step"] in ("rows", "total"):
            continue
        if step["step"] != "none":
            out.append(step["step"])
        if "end" in step:
            out.append(step["end"].upper())
    return out


class Groups(Case):
    def shape(self, *sql):
        """The steps the statements make, DDL for the tables before them left out."""
        self.begin = self.server.value("SELECT @@gtid_binlog_pos")
        self.run_sql(*sql)
        return brief(self.steps())

    def setUp(self):
        super().setUp()
        self.run_sql("CREATE TABLE d.t (a INT)", "CREATE TABLE d.m (a INT) ENGINE=MyISAM",
                     "CREATE TABLE d.r (a INT) ENGINE=Aria")

    def test_engines_and_ends(self):
        self.assertEqual(self.shape("INSERT INTO d.t VALUES (1)"), ["begin", "insert", "COMMIT"])
        self.assertEqual(self.shape("INSERT INTO d.m VALUES (1)"), ["begin", "insert", "COMMIT"])
        self.assertEqual(self.shape("INSERT INTO d.r VALUES (1),(2)"), ["begin", "insert", "insert", "COMMIT"])
        self.assertEqual(self.shape("BEGIN", "INSERT INTO d.t VALUES (1)", "UPDATE d.t SET a=2", "COMMIT"),
                         ["begin", "insert", "update", "update", "COMMIT"])
        self.assertEqual(self.shape("BEGIN", "INSERT INTO d.t VALUES (1)", "ROLLBACK"), [])
        self.assertEqual(self.shape("BEGIN", "INSERT INTO d.t VALUES (1)", "INSERT INTO d.m VALUES (1)", "COMMIT"),
                         ["begin", "insert", "COMMIT"] * 2)
        self.assertEqual(self.shape("BEGIN", "INSERT INTO d.t VALUES (1)", "CREATE TEMPORARY TABLE d.x (a INT)"
                                    " ENGINE=MyISAM", "INSERT INTO d.x VALUES (1)", "COMMIT"),
                         ["begin", "insert", "COMMIT"])

    def test_savepoints(self):
        shape = self.shape(
            "BEGIN", "INSERT INTO d.t VALUES (1)", "SAVEPOINT `A b`", "INSERT INTO d.t VALUES (2)", "SAVEPOINT c",
            "INSERT INTO d.m VALUES (3)", "INSERT INTO d.t VALUES (4)", "ROLLBACK TO C", "INSERT INTO d.t VALUES (5)",
            "ROLLBACK WORK TO SAVEPOINT `a B`", "COMMIT")
        self.assertEqual(shape, ["begin", "insert", "COMMIT", "begin"] + ["insert"] * 3 +
                         ["rollback_to", "insert", "rollback_to", "COMMIT"])
        keeps = [s["keep"] for s in self.steps() if s["step"] == "rollback_to"]
        self.assertEqual(keeps, [2, 1])

    def test_rolled_back_after_all(self):
        shape = self.shape("BEGIN", "SAVEPOINT s", "INSERT INTO d.t VALUES (1)", "INSERT INTO d.m VALUES (3)",
                           "ROLLBACK TO s", "INSERT INTO d.t VALUES (2)", "COMMIT")
        self.assertEqual(shape, ["begin", "insert", "COMMIT", "begin", "insert", "ROLLBACK", "begin", "insert", "COMMIT"])

    def test_xa(self):
        self.assertEqual(
            self.shape("XA START 'x1','b'", "INSERT INTO d.t VALUES (1)", "XA END 'x1','b'", "XA PREPARE 'x1','b'",
                       "XA COMMIT 'x1','b'"), ["begin", "insert", "XA_PREPARE", "begin", "XA_COMMIT"])
        names = [s["xa"] for s in self.steps() if s.get("end", "").startswith("xa")]
        self.assertEqual(names, [b"x1b".hex()] * 2)
        self.assertEqual(
            self.shape("XA START 'x2'", "INSERT INTO d.t VALUES (1)", "XA END 'x2'", "XA PREPARE 'x2'",
                       "XA ROLLBACK 'x2'"), ["begin", "insert", "XA_PREPARE", "begin", "XA_ROLLBACK"])
        self.assertEqual(
            self.shape("XA START 'x3'", "INSERT INTO d.t VALUES (1)", "XA END 'x3'", "XA COMMIT 'x3' ONE PHASE"),
            ["begin", "insert", "COMMIT"])

    def test_definitions(self):
        ddl = ["begin", "ddl", "COMMIT"]
        self.assertEqual(self.shape("CREATE TABLE d.c AS SELECT 1 AS a UNION SELECT 2"),
                         ["begin", "ddl", "insert", "insert", "COMMIT"])
        for sql in ("ALTER TABLE d.t ADD b INT", "RENAME TABLE d.t TO d.u", "CREATE INDEX i ON d.u (a)",
                    "CREATE OR REPLACE VIEW d.v AS SELECT 1", "ANALYZE TABLE d.u", "OPTIMIZE TABLE d.m",
                    "GRANT SELECT ON d.* TO nobody@x IDENTIFIED BY 'p'", "SET PASSWORD FOR nobody@x = ''",
                    "DROP USER nobody@x", "CREATE SEQUENCE d.s", "DROP TABLE d.u", "/* c */ CREATE TABLE d.z (a INT)",
                    "SET STATEMENT max_statement_time=10 FOR ALTER TABLE d.z ADD c INT", "FLUSH TABLES",
                    "CREATE TRIGGER d.g AFTER INSERT ON d.m FOR EACH ROW INSERT INTO d.r VALUES (1)"):
            with self.subTest(sql):
                self.assertEqual(self.shape(sql), ddl)
        self.assertEqual(self.shape("SELECT NEXTVAL(d.s)"), ["begin", "insert", "COMMIT"])
        self.assertEqual(self.shape("INSERT INTO d.m VALUES (1)"), ["begin", "insert", "insert", "COMMIT"])

    def test_truncate(self):
        for sql in ("TRUNCATE d.t", "TRUNCATE TABLE d.m", "truncate /* x */ `d`.`r`"):
            with self.subTest(sql):
                self.assertEqual(self.shape(sql), ["begin", "truncate", "COMMIT"])

    def test_statement_format_is_seen(self):
        self.server.query("SET GLOBAL binlog_format=STATEMENT")
        try:
            path = os.path.join(self.server.folder, "data", "rows.txt")
            with open(path, "w") as f:
                f.write("1\n2\n")
            for sql in ("INSERT INTO d.t VALUES (1)", "UPDATE d.m SET a=RAND()", "REPLACE d.t VALUES (LAST_INSERT_ID())",
                        "/* x */ DELETE FROM d.t", "LOAD DATA INFILE '%s' INTO TABLE d.t" % path,
                        "SET STATEMENT max_statement_time=10 FOR INSERT INTO d.t VALUES (1)"):
                with self.subTest(sql):
                    shape = self.shape("SET @x=1", "DELETE FROM d.r", "INSERT INTO d.m VALUES (1)", sql)
                    self.assertIn("statement", shape[3:], shape)
                    self.assertEqual(shape[-1], "COMMIT")
            texts = [bytes.fromhex(s["text"]) for s in self.steps() if s["step"] == "statement"]
            self.assertTrue(any(b"INSERT INTO d.t VALUES (1)" in t for t in texts), texts)
        finally:
            self.server.query("SET GLOBAL binlog_format=ROW")

    def test_altered_tables_while_changes_flow(self):
        self.run_sql("CREATE TABLE d.w (a INT PRIMARY KEY, b VARCHAR(5))", "INSERT INTO d.w VALUES (1,'x')",
                     "ALTER TABLE d.w ADD c INT FIRST", "INSERT INTO d.w VALUES (7,2,'y')",
                     "ALTER TABLE d.w RENAME COLUMN b TO bb, MODIFY c BIGINT", "INSERT INTO d.w VALUES (8,3,'z')",
                     "ALTER TABLE d.w DROP c", "UPDATE d.w SET bb='q'")
        changes = [s for s in self.steps() if s.get("table") == "d.w"]
        self.assertEqual([c["columns"] for c in changes],
                         [["a", "b"], ["c", "a", "b"], ["c", "a", "bb"]] + [["a", "bb"]] * 3)
        self.assertEqual(len({c["serial"] for c in changes}), 4)
        self.assertEqual([c["key"][0][0] for c in changes], [0, 1, 1, 0, 0, 0])

    def test_many_tables_in_one_statement(self):
        names = ["d.x%d" % i for i in range(60)]
        self.run_sql(*("CREATE TABLE %s (a INT)" % n for n in names), *("INSERT INTO %s VALUES (1)" % n for n in names))
        self.assertEqual(self.shape("UPDATE %s SET %s" % (", ".join(names), ", ".join(n + ".a=2" for n in names))),
                         ["begin"] + ["update"] * 60 + ["COMMIT"])


class Stream(Case):
    def test_files_and_a_big_transaction(self):
        self.run_sql("CREATE TABLE d.t (id INT PRIMARY KEY, a VARCHAR(20))", "INSERT INTO d.t VALUES (0,'a')",
                     "FLUSH BINARY LOGS", "INSERT INTO d.t VALUES (-1,'b')", "FLUSH BINARY LOGS", "FLUSH BINARY LOGS",
                     "INSERT INTO d.t SELECT seq, CONCAT('row ', seq) FROM d.seq_1_to_100000", "DELETE FROM d.t WHERE id=0")
        steps = self.steps()
        inserted = [s for s in steps if s["step"] == "insert"]
        self.assertEqual(len(inserted), 100002)
        self.assertEqual(inserted[-1]["after"][1], b"row 100000".hex())
        self.assertEqual(len([s for s in steps if s.get("end") == "commit"]), 5)
        self.assertGreater(len({s["file"] for s in steps if "file" in s}), 2)
        ends = [s for s in steps if "end" in s]
        log, position = self.server.query("SHOW MASTER STATUS")[0][:2]
        self.assertEqual((ends[-1]["file"], ends[-1]["pos"]), (log, int(position)))

    def test_resumes_anywhere(self):
        self.run_sql("CREATE TABLE d.t (id INT PRIMARY KEY)", *("INSERT INTO d.t VALUES (%d)" % n for n in range(20)),
                     "FLUSH BINARY LOGS", *("DELETE FROM d.t WHERE id=%d" % n for n in range(10)))
        whole = self.steps()
        gtids = [s["gtid"] for s in whole if "end" in s]
        for cut in (0, 1, 5, 20, 21, 25, 29):
            first = read(self.server, begin=self.begin, until=gtids[cut])
            second = read(self.server, begin=gtids[cut])
            both = [s["gtid"] for s in first + second if "end" in s]
            self.assertEqual(both, gtids)

    def test_from_the_very_beginning(self):
        steps = read(self.server, begin="")
        self.assertEqual([s["gtid"] for s in steps if "end" in s][0], "0-1-1")

    def test_several_domains(self):
        self.run_sql("CREATE TABLE d.t (id INT PRIMARY KEY)", "SET SESSION gtid_domain_id=5",
                     "INSERT INTO d.t VALUES (1)", "SET SESSION gtid_domain_id=3, SESSION server_id=9",
                     "INSERT INTO d.t VALUES (2)")
        gtids = [s["gtid"] for s in self.steps() if "end" in s]
        self.assertEqual([g.rsplit("-", 1)[0] for g in gtids], ["0-1", "5-1", "3-9"])

    def test_without_checksums(self):
        self.server.query("SET GLOBAL binlog_checksum=NONE")
        try:
            self.run_sql("CREATE TABLE d.t (id INT PRIMARY KEY)", "INSERT INTO d.t VALUES (1)")
            self.check("d.t")
        finally:
            self.server.query("SET GLOBAL binlog_checksum=CRC32")
        self.run_sql("INSERT INTO d.t VALUES (2)")
        self.check("d.t")

    def attached(self, count=1):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            hosts = self.server.query("SHOW SLAVE HOSTS")
            dumping = self.server.value("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND='Binlog Dump'")
            if len(hosts) >= count and dumping >= count:
                return hosts
            time.sleep(0.02)
        self.fail("the reader is not attached")

    def test_seen_as_a_replica_but_no_acknowledger(self):
        self.server.query("SET GLOBAL rpl_semi_sync_master_enabled=1")
        reader = Reader(self.server, begin=self.begin, until="0-1-999999", server_id=4711)
        try:
            scratch.wait_until("this reader alone",  # the server has yet to notice that those before it are gone
                               lambda: [(int(h[0]), h[1]) for h in self.attached()] == [(4711, "tillway")], 20)
            status = dict(self.server.query("SHOW STATUS LIKE 'Rpl_semi_sync_master_clients'"))
            self.assertEqual(status["Rpl_semi_sync_master_clients"], "0")
        finally:
            reader.process.send_signal(signal.SIGTERM)
            self.server.query("SET GLOBAL rpl_semi_sync_master_enabled=0")
        last = reader.steps()[-1]
        self.assertEqual(last["text"], "stopped")

    def test_interrupt_is_prompt_and_heartbeats_keep_it_alive(self):
        reader = Reader(self.server, begin=self.begin, until="0-1-999999")
        self.attached()
        time.sleep(2.5)  # five heartbeats; three missed would end it
        self.assertIsNone(reader.process.poll())
        began = time.monotonic()
        reader.process.send_signal(signal.SIGTERM)
        last = reader.steps()[-1]
        self.assertLess(time.monotonic() - began, 0.5)
        self.assertEqual((last["step"], last["text"]), ("error", "stopped"))

    def test_held_up_for_longer_than_the_server_waits(self):
        self.hold_up(lambda: Reader(self.server, begin=self.begin))

    def test_duplicate_server_id(self):
        first = Reader(self.server, begin=self.begin, until="0-1-999999", server_id=4712)
        self.attached()
        second = Reader(self.server, begin=self.begin, until="0-1-999999", server_id=4712)
        last = first.steps()[-1]
        self.assertEqual(last["code"], 4052)
        second.process.send_signal(signal.SIGTERM)
        self.assertEqual(second.steps()[-1]["text"], "stopped")

    def test_unknown_position(self):
        last = Reader(self.server, begin="0-1-999999", until="0-1-9999999").steps()[-1]
        self.assertEqual((last["step"], last["code"]), ("error", 1236))

    def test_purged_position(self):
        self.run_sql("CREATE TABLE d.t (id INT PRIMARY KEY)", "FLUSH BINARY LOGS", "INSERT INTO d.t VALUES (1)",
                     "FLUSH BINARY LOGS")
        log = self.server.query("SHOW MASTER STATUS")[0][0]
        deadline = time.monotonic() + 10
        while len(self.server.query("SHOW BINARY LOGS")) > 1 and time.monotonic() < deadline:
            self.server.query("PURGE BINARY LOGS TO '%s'" % log)
            time.sleep(0.1)
        last = Reader(self.server, begin=self.begin).steps()[-1]
        self.assertEqual((last["step"], last["code"]), ("error", 1236))

    def test_refused_account(self):
        last = Reader(self.server, begin=self.begin, user="repl", password="wrong").steps()[-1]
        self.assertEqual((last["step"], last["code"]), ("error", 1045))
        last = Reader(self.server, begin=self.begin, user="till", password="till").steps()[-1]
        self.assertEqual((last["step"], last["code"]), ("error", 1045))


class Encrypted(Case):
    """By TLS, from a server that wants it."""

    @classmethod
    def setUpClass(cls):
        cls.authority = Authority(scratch.current().folder("certs"))
        certificate = cls.authority.issue("server")
        cls.cluster = Cluster(replicas=0, options=["--ssl-cert=" + certificate, "--ssl-key=" + certificate])
        cls.cluster.__enter__()
        cls.server = cls.cluster.primary
        cls.server.query("CREATE USER crypted IDENTIFIED BY 'crypted' REQUIRE SSL")
        cls.server.query("GRANT REPLICATION SLAVE ON *.* TO crypted")

    def reader(self, ca=None, **kw):
        return Reader(self.server, begin=self.begin, user="crypted", password="crypted", ca=ca or self.authority.pem, **kw)

    def attached_by_tls(self):
        scratch.wait_until("the reader's connection", lambda: self.server.value(
            "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND='Binlog Dump' AND USER='crypted'") == 1, 30)

    def test_rows_small_and_large(self):
        self.run_sql("CREATE TABLE d.t (id INT PRIMARY KEY, b LONGBLOB)", *("INSERT INTO d.t VALUES (%d,'x')" % n for n in range(200)),
                     "INSERT INTO d.t VALUES (1001, REPEAT('z', 16777216 + 5000)), (1002, 'last')")
        model = Model().feed(self.reader().steps())
        self.assertEqual(sorted(model.tables["d.t"], key=order), sorted(select(self.server, "d.t"), key=order))

    def test_only_by_tls(self):
        """The server's words for a client in the clear are those for a wrong password."""
        with contextlib.closing(self.server.connect()) as admin, admin.cursor() as cursor:
            cursor.execute("CREATE TABLE d.t (id INT PRIMARY KEY)")
            cursor.execute("SELECT @@gtid_binlog_pos")
            until = cursor.fetchone()[0]
            cursor.execute("SET GLOBAL require_secure_transport=ON")
            try:
                self.assertIn(until, [s.get("gtid") for s in self.reader(until=until).steps() if "end" in s])
                last = Reader(self.server, begin=self.begin, until=until).steps()[-1]
                self.assertEqual((last["step"], last["code"]), ("error", 1045))
            finally:
                cursor.execute("SET GLOBAL require_secure_transport=OFF")

    def test_account_that_requires_ssl_in_the_clear(self):
        last = Reader(self.server, begin=self.begin, user="crypted", password="crypted").steps()[-1]
        self.assertEqual((last["step"], last["code"]), ("error", 1045))

    def test_a_stranger_is_no_server(self):
        stranger = Authority(scratch.current().folder("strange"))
        last = self.reader(ca=stranger.pem).steps()[-1]
        self.assertEqual((last["step"], last["kind"], last["code"]), ("error", 2, 2026))

    def test_unknown_position(self):
        last = Reader(self.server, begin="0-1-999999", until="0-1-9999999", user="crypted", password="crypted",
                      ca=self.authority.pem).steps()[-1]
        self.assertEqual((last["step"], last["code"]), ("error", 1236))

    def test_interrupted(self):
        reader = self.reader(until="0-1-999999")
        self.attached_by_tls()
        reader.process.send_signal(signal.SIGTERM)
        self.assertEqual(reader.steps()[-1]["text"], "stopped")

    def test_interrupted_while_it_receives(self):
        """The reader has stopped to read, so its connection is full."""
        self.run_sql("CREATE TABLE d.t (id INT PRIMARY KEY, b LONGBLOB)",
                     *("INSERT INTO d.t VALUES (%d, REPEAT('y', 8000000))" % n for n in range(3)))
        reader = self.reader(until="0-1-999999")
        self.attached_by_tls()
        reader.process.send_signal(signal.SIGTERM)
        self.assertEqual(reader.steps()[-1]["text"], "stopped")

    def test_held_up_for_longer_than_the_server_waits(self):
        self.hold_up(self.reader)

    def test_silence_ends_it(self):
        reader = self.reader(until="0-1-999999")
        self.attached_by_tls()
        self.server.freeze()
        try:
            last = reader.steps()[-1]
            self.assertEqual((last["step"], last["kind"]), ("error", 2))
        finally:
            self.server.thaw()

    def test_killed_server(self):
        reader = self.reader(until="0-1-999999")
        self.attached_by_tls()
        self.server.kill()
        last = reader.steps()[-1]
        self.assertEqual((last["step"], last["kind"]), ("error", 2))
        self.server.restart()


class Loss(Case):
    """These kill or freeze the server."""

    def test_killed_server(self):
        reader = Reader(self.server, begin=self.begin, until="0-1-999999")
        Stream.attached(self)
        self.server.kill()
        last = reader.steps()[-1]
        self.assertEqual((last["step"], last["kind"]), ("error", 2))
        self.server.restart()

    def test_frozen_server(self):
        reader = Reader(self.server, begin=self.begin, until="0-1-999999")
        Stream.attached(self)
        self.server.freeze()
        try:
            began = time.monotonic()
            last = reader.steps()[-1]
            self.assertLess(time.monotonic() - began, 5)
            self.assertIn("not even a heartbeat", last["text"])
        finally:
            self.server.thaw()

    def test_nobody_listens(self):
        self.server.kill()
        last = Reader(self.server, begin="", until="0-1-1").steps()[-1]
        self.assertEqual((last["step"], last["kind"]), ("error", 2))
        self.server.restart()


if __name__ == "__main__":
    TOOL = sys.argv.pop(1)
    unittest.main()
