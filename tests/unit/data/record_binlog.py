"""Records the fixtures of tests/unit/protocol_binlog_*.c from a real server, into this folder:

    binlog_types.bin    a binlog file with every type of column, each row as an INSERT
    binlog_types.txt    what SELECT shows of those rows: "table<TAB>column<TAB>hex or NULL" lines, rows in order
    binlog_groups.bin   a binlog file with every way a group begins and ends

Run again only to cover more: the tests hold what these files say.
"""

import contextlib
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [TESTS, os.path.join(TESTS, "integration")]

from harness.cluster import Cluster  # noqa: E402
import test_binlog as types  # noqa: E402

SMALL_STRINGS = """(1,'abc  ','Ünï😀','x','ab\\0','\\0\\1\\2','x','y😀','é€ÿ','aß','𝄞x','ñ','ä,x','x,z€','ü','я',
    18446744073709551615,'{"a": [1, "😀"]}','tb','bl','mb','lb','中文','','',REPEAT('é',200)),
    (2,'','','','','','','','','','','','a','','é','ж',0,'null','','','','','','','',''),
    (3,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,
    NULL,NULL,NULL,NULL),
    (4,REPEAT('😀',10),REPEAT('😀',100),REPEAT('é',255),'\\0\\0\\0\\0\\0',REPEAT('\\0',300),' x ',REPEAT('z',300),'a',
    'я','я','я','nix','nix','nix','nix',9223372036854775808,'[]',REPEAT('t',255),REPEAT('b',600),
    REPEAT('m',70),REPEAT('l',70),'x',REPEAT('\\0',255),'','x')"""

TYPES = [
    ("t_int", types.INTEGERS, "VALUES " + types.INTEGER_ROWS),
    ("t_num", types.NUMBERS, "VALUES " + types.NUMBER_ROWS),
    ("t_time", types.TIMES, "VALUES " + types.TIME_ROWS),
    ("t_str", types.STRINGS.format(sixty_four=types.SIXTY_FOUR), "VALUES " + SMALL_STRINGS),
    ("t_other", types.OTHERS, types.OTHER_ROWS.replace("60000", "700").replace("5000", "600")),
]

GROUPS = [
    "CREATE TABLE d.t (id INT PRIMARY KEY, a VARCHAR(50), b TEXT)",
    "CREATE TABLE d.m (id INT) ENGINE=MyISAM",
    "INSERT INTO d.t VALUES (1,'one','x'),(2,'two',NULL)",
    "INSERT INTO d.m VALUES (7)",
    "UPDATE d.t SET a='uno' WHERE id=1",
    "SET SESSION binlog_row_image=MINIMAL",
    "UPDATE d.t SET a='due' WHERE id=2",
    "DELETE FROM d.t WHERE id=2",
    "INSERT INTO d.t (id) VALUES (3)",
    "SET SESSION binlog_row_image=FULL",
    "BEGIN", "INSERT INTO d.t VALUES (10,'a','')", "SAVEPOINT s", "INSERT INTO d.m VALUES (8)",
    "INSERT INTO d.t VALUES (11,'b','')", "ROLLBACK TO s", "INSERT INTO d.t VALUES (12,'c','')", "COMMIT",
    "BEGIN", "SAVEPOINT s", "INSERT INTO d.t VALUES (20,'a','')", "INSERT INTO d.m VALUES (9)", "ROLLBACK TO s",
    "COMMIT",
    "XA START 'x'", "INSERT INTO d.t VALUES (30,'xa','')", "XA END 'x'", "XA PREPARE 'x'", "XA COMMIT 'x'",
    "XA START 'y'", "INSERT INTO d.t VALUES (31,'xa','')", "XA END 'y'", "XA PREPARE 'y'", "XA ROLLBACK 'y'",
    "TRUNCATE TABLE d.m",
    "CREATE TABLE d.c AS SELECT 1 AS one",
    "SET GLOBAL log_bin_compress=1", "SET GLOBAL log_bin_compress_min_len=10",
    "INSERT INTO d.t VALUES (40,'compressed',REPEAT('z',3000))",
    "UPDATE d.t SET b=REPEAT('y',3000) WHERE id=40", "DELETE FROM d.t WHERE id=40",
    "CREATE TABLE d.compressed_statement (a_long_name_of_a_column INT, another_long_name_of_a_column INT)",
    "SET GLOBAL log_bin_compress=0",
    "SET SESSION binlog_format=STATEMENT", "INSERT INTO d.t VALUES (50,'statement','')",
]


def record(server, database, statements, name):
    server.query("CREATE OR REPLACE DATABASE " + database)
    server.query("FLUSH BINARY LOGS")
    log = server.query("SHOW MASTER STATUS")[0][0]
    types.Case.server = server
    types.Case.run_sql(types.Case, *statements)
    server.query("FLUSH BINARY LOGS")
    shutil.copy(os.path.join(server.datadir, log), os.path.join(HERE, name))


def main():
    with Cluster(replicas=0) as cluster:
        server = cluster.primary
        statements = []
        for table, columns, rows in TYPES:
            statements += ["CREATE TABLE d.%s (%s)" % (table, columns), "INSERT INTO d.%s %s" % (table, rows)]
        record(server, "d", statements, "binlog_types.bin")
        with open(os.path.join(HERE, "binlog_types.txt"), "w") as out:
            for table, _, _ in TYPES:
                with contextlib.closing(server.connect()) as connection, connection.cursor() as cursor:
                    cursor.execute("SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA='d' AND"
                                   " TABLE_NAME=%s ORDER BY ORDINAL_POSITION", (table,))
                    names = [row[0] for row in cursor.fetchall()]
                for row in types.select(server, "d." + table):
                    for column, value in zip(names, row):
                        out.write("%s\t%s\t%s\n" % (table, column, "NULL" if value is None else value.hex()))
        record(server, "d", GROUPS, "binlog_groups.bin")


if __name__ == "__main__":
    main()
