"""The scenarios of ../expected.txt through one of Python's drivers: pymysql, mysqlclient, connector, connector-c."""

import hashlib
import os
import sys

HOST, PORT = os.environ["DB_HOST"], int(os.environ["DB_PORT"])
SOCKET, CSV = os.environ["DB_SOCKET"], os.environ["DB_CSV"]
BIG = "0123456789abcdef" * (33 * (1 << 20) // 16)


class PyMySQL:
    """What a driver lacks of the ways to log in is None; run.py says so."""

    binary = False
    plain = {}  # no TLS, although it is offered
    ed25519, rsa, clear, compressed = {}, plain, None, None

    def __init__(self):
        import pymysql
        self.module, self.Error = pymysql, pymysql.err.MySQLError

    def connect(self, **kw):
        return self.module.connect(**dict(dict(
            user="till", password="till", database="shop", charset="utf8mb4", autocommit=True, local_infile=True,
            max_allowed_packet=1 << 27, client_flag=self.module.constants.CLIENT.MULTI_STATEMENTS, **self.place(kw)), **kw))

    @staticmethod
    def place(kw):
        return {"unix_socket": SOCKET} if kw.pop("local", False) else {"host": HOST, "port": PORT}

    def error(self, e):
        return "%d ? %s" % e.args[:2]

    def cursor(self, connection, _binary):
        return connection.cursor()

    def streaming(self, connection):
        return connection.cursor(self.module.cursors.SSCursor)

    def reset(self, connection):
        connection.ping(reconnect=False)

    def again(self, connection):
        connection.ping(reconnect=True)
        return connection

    def tls(self):
        return {"ssl": {"ca": os.environ["DB_CA"]}}

    def latin1(self):
        return self.connect(charset="latin1")

    def call(self, connection):
        """The results of thrice(5, ?), then its OUT parameter."""
        cursor = connection.cursor()
        cursor.callproc("thrice", (5, 0))
        seen = [cursor.fetchall()[0][0]]
        while cursor.nextset():
            seen += [row[0] for row in cursor.fetchall()] if cursor.description else []
        cursor.close()
        return seen + [value(connection, "SELECT @_thrice_1")]


class MySQLClient(PyMySQL):
    clear, compressed = {"auth_plugin": "mysql_clear_password"}, {"compress": True}

    def __init__(self):
        import MySQLdb
        import MySQLdb.constants.CLIENT
        import MySQLdb.cursors
        self.module, self.Error = MySQLdb, MySQLdb.Error

    def connect(self, **kw):
        return self.module.connect(**dict(dict(
            user="till", password="till", database="shop", charset="utf8mb4", autocommit=True, local_infile=1,
            client_flag=self.module.constants.CLIENT.MULTI_STATEMENTS, **self.place(kw)), **kw))

    def reset(self, connection):
        connection.ping()

    def again(self, _connection):
        return self.connect()  # it has no other way


class Connector(PyMySQL):
    """MySQL's own driver, its pure Python one; it has a binary protocol."""

    binary = pure = True
    plain = {"ssl_disabled": True}
    ed25519, rsa, clear, compressed = None, None, {"auth_plugin": "mysql_clear_password"}, {"compress": True}

    def __init__(self):
        import mysql.connector
        self.module, self.Error = mysql.connector, mysql.connector.Error

    def connect(self, **kw):
        return self.module.connect(**dict(dict(
            user="till", password="till", database="shop", charset="utf8mb4", collation="utf8mb4_general_ci",
            autocommit=True, allow_local_infile=True, use_pure=self.pure, **self.place(kw)), **kw))

    def error(self, e):
        return "%d %s %s" % (e.errno, e.sqlstate, e.msg)

    def cursor(self, connection, binary):
        return connection.cursor(prepared=binary)

    def streaming(self, connection):
        return connection.cursor()  # unbuffered unless asked otherwise

    def reset(self, connection):
        connection.cmd_reset_connection()

    def again(self, connection):
        connection.reconnect()
        return connection

    def tls(self):
        return {"ssl_ca": os.environ["DB_CA"], "ssl_verify_cert": True}

    def latin1(self):
        return self.connect(charset="latin1", collation="latin1_swedish_ci")

    def call(self, connection):
        cursor = connection.cursor()
        out = cursor.callproc("thrice", (5, 0))[1]
        return [r.fetchall()[0][0] for r in cursor.stored_results()] + [out]


class ConnectorC(Connector):
    """The same over MySQL's own C library."""

    pure = False
    packed_max = 18 << 20


driver = {"pymysql": PyMySQL, "mysqlclient": MySQLClient, "connector": Connector,
          "connector-c": ConnectorC}[sys.argv[1]]()


def say(name, text):
    print("%s: %s" % (name, text), flush=True)


def cue(name):
    print("@" + name, flush=True)
    if sys.stdin.readline() != "go\n":
        sys.exit("no go for " + name)


def query(connection, sql, args=None, binary=False):
    cursor = driver.cursor(connection, binary)
    try:
        cursor.execute(sql, args) if args is not None else cursor.execute(sql)
        return list(cursor.fetchall()) if cursor.description else []
    finally:
        cursor.close()


def value(connection, sql, args=None, binary=False):
    return query(connection, sql, args, binary)[0][0]


def failing(name, call):
    try:
        call()
        say(name, "no error")
    except driver.Error as e:
        say(name, driver.error(e))


def login():
    def who(name, **kw):
        c = driver.connect(**kw)
        say(name, "%s %s" % query(c, "SELECT CURRENT_USER(), DATABASE()")[0])
        c.close()
    who("login")
    who("login by socket", local=True)
    def way(name, user, options, **more):
        if options is not None:
            who(name, user=user, password=user, **options, **more)
    way("login by TLS", "safe", driver.tls())
    way("login by ed25519", "ed", driver.ed25519)
    way("login by caching_sha2", "fast", {})
    way("password by caching_sha2", "rsa", driver.rsa)
    way("password by caching_sha2 and TLS", "told", driver.tls())
    way("password by clear and TLS", "clear", driver.clear, **driver.tls())
    failing("wrong password", lambda: driver.connect(password="wrong"))
    failing("no such database", lambda: driver.connect(database="nosuch"))


def types(c, name, binary):
    row = query(c, "SELECT * FROM kinds", binary=binary)[0]
    b = row[5].encode("latin1") if isinstance(row[5], str) else bytes(row[5])
    cells = [str(v) for v in row[:5]] + [b.hex(), str(row[6]), "NULL" if row[7] is None else row[7]]
    say(name, "|".join(cells))


def prepared(c):
    cursor = driver.cursor(c, driver.binary)
    for args in ((1, "a"), (2, None), (3, "é")):
        cursor.execute("INSERT INTO work VALUES (%s, %s)", args)
    cursor.close()
    say("prepared", "%d rows, sum %d, %d NULL" % query(c, "SELECT COUNT(*), SUM(id), SUM(v IS NULL) FROM work")[0])
    query(c, "DELETE FROM work")


def transactions(c):
    def count():
        return value(c, "SELECT COUNT(*) FROM work")
    query(c, "START TRANSACTION")
    query(c, "INSERT INTO work VALUES (1, 'x')")
    c.rollback()
    say("rolled back", count())
    query(c, "START TRANSACTION")
    query(c, "INSERT INTO work VALUES (1, 'x'), (2, 'y')")
    c.commit()
    say("committed", count())
    query(c, "START TRANSACTION")
    query(c, "DELETE FROM work WHERE id = 1")
    query(c, "SAVEPOINT a")
    query(c, "DELETE FROM work")
    query(c, "ROLLBACK TO SAVEPOINT a")
    c.commit()
    say("savepoint", count())
    query(c, "DELETE FROM work")


def own_writes(c):
    right = 0
    for i in range(100):
        query(c, "INSERT INTO work VALUES (%s, %s)", (i, "v%d" % i))
        right += query(c, "SELECT v FROM work WHERE id = %s", (i,)) == [("v%d" % i,)]
    say("own writes read", right)
    query(c, "DELETE FROM work")


def big(c, name, binary):
    query(c, "INSERT INTO work VALUES (1, %s)", (BIG,), binary)
    text = value(c, "SELECT v FROM work WHERE id = 1", None, binary)
    say(name, "%d %s" % (len(text), hashlib.md5(text.encode()).hexdigest()))
    query(c, "DELETE FROM work")


def compressed():
    if driver.compressed is None:
        return
    for name, user, options, size in (
            ("compressed", "packed", driver.plain, 12345), ("compressed and by TLS", "tight", driver.tls(), 12345),
            ("compressed big row", "packed", driver.plain, 18 << 20)):
        c = driver.connect(user=user, password=user, **driver.compressed, **options)
        text = value(c, "SELECT '%s'" % BIG[:size])
        say(name, "%d %s" % (len(text), hashlib.md5(text.encode()).hexdigest()))
        c.close()


def load(c):
    query(c, "LOAD DATA LOCAL INFILE '%s' INTO TABLE loaded FIELDS TERMINATED BY ','" % CSV)
    say("load data local", "%d rows, sum %d" % query(c, "SELECT COUNT(*), SUM(id) FROM loaded")[0])


def several_results(c):
    cursor = c.cursor()
    cursor.execute("SELECT 1; SELECT 2; DO 3; SELECT 4")
    seen, more = [], True
    while more:
        seen.append(str(cursor.fetchall()[0][0]) if cursor.description else "-")
        more = cursor.nextset()
    cursor.close()
    say("several statements", "|".join(seen))


def call(c):
    say("call", "|".join(str(v) for v in driver.call(c)))


def charsets(c):
    for name, connection, text in (("utf8mb4", c, "naïve €😀"), ("latin1", driver.latin1(), "naïve")):
        say(name, "%s %s" % query(connection, "SELECT HEX(%s), %s", (text, text))[0])


def errors(c):
    failing("duplicate key", lambda: query(c, "INSERT INTO t VALUES (1, 'x')"))
    failing("no such table", lambda: query(c, "SELECT * FROM nosuch"))
    failing("own words", lambda: query(c, "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'till is closed'"))
    driver.reset(c)
    say("after errors", value(c, "SELECT 1"))


def batch(c):
    cursor = c.cursor()
    cursor.executemany("INSERT INTO work VALUES (%s, %s)", [(i, "v%d" % i) for i in range(1, 1001)])
    cursor.close()
    say("batch", "%d rows, sum %d" % query(c, "SELECT COUNT(*), SUM(id) FROM work")[0])
    query(c, "DELETE FROM work")


def stream():
    c = driver.connect()
    cursor = driver.streaming(c)
    cursor.execute("SELECT seq FROM seq_1_to_100000")
    rows = total = 0
    for (n,) in cursor:
        rows, total = rows + 1, total + n
    cursor.close()
    say("stream", "%d rows, sum %d" % (rows, total))
    cursor = driver.streaming(c)
    cursor.execute("SELECT seq, REPEAT('x', 1000) FROM seq_1_to_100000")
    cursor.fetchone()
    c.close()
    say("abandoned stream", value(driver.connect(), "SELECT 7"))


def killed():
    """Another connection ends this one; the driver's own way back, where it has one."""
    c, other = driver.connect(), driver.connect()
    query(other, "KILL %d" % value(c, "SELECT CONNECTION_ID()"))
    try:
        query(c, "SELECT 1")
        lost = "not lost"
    except driver.Error:
        lost = "lost"
    say("killed", "%s, then %s" % (lost, value(driver.again(c), "SELECT COUNT(*) FROM t")))


def read_round(connections, rounds):
    """So many reads, the connections in turn, half of them prepared; how many were right."""
    right = 0
    for i in range(rounds):
        answer = query(connections[i % 4], "SELECT v FROM t WHERE id = %s", (1 + i % 3,), driver.binary and i % 8 < 4)
        right += answer == [(("one", "two", "three")[i % 3],)]
    return right


def reads():
    cue("balance")
    connections = [driver.connect() for _ in range(4)]
    say("reads", read_round(connections, 200))
    cue("balanced")
    cue("lose_replica")
    say("reads while a replica dies", read_round(connections, 400))
    cue("replica_back")


def restart(c):
    cue("restart")
    try:
        query(c, "SELECT 1")
        lost = "not lost"
    except driver.Error:
        lost = "lost"
    say("restarted", "%s, then %s" % (lost, value(driver.connect(), "SELECT COUNT(*) FROM t")))


def main():
    login()
    c = driver.connect()
    types(c, "types as text", False)
    if driver.binary:
        types(c, "types as binary", True)
    prepared(c)
    transactions(c)
    own_writes(c)
    big(c, "big row as text", False)
    if driver.binary:
        big(c, "big row as binary", True)
    compressed()
    for part in (load, several_results, call, charsets, errors, batch):
        part(c)
    stream()
    killed()
    reads()
    restart(c)


main()
