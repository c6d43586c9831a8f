"""Ids: the greeting's, CONNECTION_ID()'s, the process list's and KILL's are one, as on the primary."""

import contextlib
import threading
import time

import pymysql

from proxied import Proxied, main  # isort: skip (puts the harness on the path)

from harness import scratch
from harness.binary import Binary, Failed

FIRST = 1 << 30
LIST = "SELECT id, user, host, db, command, info FROM information_schema.processlist"


class Ids(Proxied):
    def definition(self, connection, sql):
        with connection.cursor() as cursor:
            cursor.execute(sql)
            rows = list(cursor.fetchall())
            return [(f.name, f.type_code, f.length, f.flags, f.charsetnr) for f in cursor._result.fields], rows

    def test_connection_id(self):
        c = self.connect()
        self.assertGreaterEqual(c.thread_id(), FIRST)
        for sql in ("SELECT CONNECTION_ID()", "SELECT connection_id ( ) AS x", "SELECT CONNECTION_ID() FROM t WHERE id=1",
                    "SELECT MAX(connection_id()) x FROM t", "SELECT (SELECT CONNECTION_ID())"):
            with self.subTest(sql=sql):
                direct, _ = self.definition(self.cluster.primary.connect(database="shop"), sql)
                proxied, rows = self.definition(c, sql)
                self.assertEqual(rows, [(c.thread_id(),)])
                self.assertEqual(proxied, direct)
        self.assertEqual(self.run_sql(c, "SELECT connection_id()+1, 'a'"), [(c.thread_id() + 1, "a")])
        self.run_sql(c, "SET @me = CONNECTION_ID()")
        self.assertEqual(self.run_sql(c, "SELECT @me"), [(c.thread_id(),)])
        self.run_sql(c, "CREATE TEMPORARY TABLE own AS SELECT CONNECTION_ID()")
        self.assertEqual(self.run_sql(c, "SELECT * FROM own"), [(c.thread_id(),)])
        self.assertIn("`CONNECTION_ID()` int(10) unsigned NOT NULL", self.run_sql(c, "SHOW CREATE TABLE own")[0][1])

    def test_connection_id_prepared(self):
        b = Binary(self.tillway.port, database="shop")
        self.addCleanup(b.close)
        me = b.prepare("SELECT CONNECTION_ID(), ?")
        first = me.execute(1)
        self.assertGreaterEqual(int(first[0][0]), FIRST)
        self.assertEqual(me.execute(2), [(first[0][0], "2")])

    def test_lock_holder(self):
        """IS_USED_LOCK() tells ids as CONNECTION_ID() does, as a column of the same name and type."""
        a, b, direct = self.connect(), self.connect(), self.cluster.primary.connect(database="shop")
        self.assertEqual(self.run_sql(a, "SELECT GET_LOCK('held', 0)"), [(1,)])
        self.assertEqual(self.run_sql(direct, "SELECT GET_LOCK('outside', 0)"), [(1,)])
        for sql in ("SELECT IS_USED_LOCK('held')", "SELECT is_used_lock(CONCAT('he', 'ld')) AS x, 1",
                    "SELECT IS_USED_LOCK('held') FROM t WHERE IS_USED_LOCK('held') = %d LIMIT 1" % a.thread_id()):
            with self.subTest(sql=sql):
                proxied, rows = self.definition(b, sql)
                expected, _ = self.definition(direct, sql)
                self.assertEqual(rows[0][0], a.thread_id())
                self.assertEqual(proxied, expected)
        self.assertEqual(self.run_sql(b, "SELECT IS_USED_LOCK('nobodys'), IS_USED_LOCK('outside'), IS_USED_LOCK(NULL)"),
                         [(None, direct.thread_id(), None)])
        self.assertEqual(self.run_sql(a, "SELECT IS_USED_LOCK('held') = CONNECTION_ID()"), [(1,)])
        self.run_sql(b, "SET @holder = IS_USED_LOCK('held')")
        self.assertEqual(self.run_sql(b, "SELECT @holder"), [(a.thread_id(),)])
        self.assertEqual(self.run_sql(b, "SELECT id FROM information_schema.processlist WHERE id=IS_USED_LOCK('held')"), [(a.thread_id(),)])
        for sql in ("SELECT IS_USED_LOCK()", "SELECT IS_USED_LOCK('a', 'b')", "SELECT IS_USED_LOCK(nosuch)",
                    "SELECT IS_USED_LOCK('%s')" % ("x" * 65)):
            self.assertEqual(self.outcome(b, sql), self.outcome(direct, sql))
        self.run_sql(b, "KILL IS_USED_LOCK('held')")
        self.assertRaises(pymysql.err.MySQLError, self.run_sql, a, "SELECT 1")

    def test_lock_holder_prepared(self):
        holder = self.connect()
        self.run_sql(holder, "SELECT GET_LOCK('held', 0)")
        b = Binary(self.tillway.port, database="shop")
        self.addCleanup(b.close)
        asked = b.prepare("SELECT IS_USED_LOCK(?)")
        for _ in range(2):
            self.assertEqual(asked.execute("held"), [(str(holder.thread_id()),)])
            self.assertEqual(asked.execute("nobodys"), [(None,)])

    def test_processlist(self):
        a, b = self.connect(), self.connect()
        self.run_sql(b, "SET @mine = 1")  # so that nobody takes its connection
        for sql in (LIST, LIST.replace("processlist", "processlist AS p"), "SHOW PROCESSLIST", "SHOW FULL PROCESSLIST"):
            with self.subTest(sql=sql):
                rows = {r[0]: r for r in self.run_sql(a, sql)}
                self.assertIn(a.thread_id(), rows)
                self.assertIn(b.thread_id(), rows)
                self.assertEqual(rows[b.thread_id()][1], "till")
                self.assertEqual(rows[b.thread_id()][2], "127.0.0.1:%d" % b._sock.getsockname()[1])
                self.assertEqual(rows[b.thread_id()][3], "shop")
                self.assertEqual([r for r in rows[a.thread_id()] if isinstance(r, str)][-1], sql)
        self.assertEqual(self.run_sql(a, "SELECT COUNT(*) FROM information_schema.processlist WHERE id=CONNECTION_ID()"), [(1,)])

    def test_the_shape_of_the_list(self):
        for sql in ("SHOW PROCESSLIST", "SHOW FULL PROCESSLIST", "SELECT * FROM information_schema.PROCESSLIST",
                    "SELECT id, Info, p.`uSer`, p.db AS Db, time + 1 FROM information_schema.processlist p",
                    "SELECT id FROM information_schema.processlist GROUP BY id HAVING id > 0 ORDER BY id"):
            with self.subTest(sql=sql):
                direct, _ = self.definition(self.cluster.primary.connect(), sql)
                proxied, _ = self.definition(self.connect(), sql)
                self.assertEqual([self.column(d) for d in proxied], [self.column(d) for d in direct])

    def column(self, definition):
        """Name and type; the BLOB types differ in nothing but their greatest length."""
        return definition[0], 252 if definition[1] in (249, 250, 251) else definition[1]

    def test_processlist_prepared(self):
        """Each execution lists the sessions of its own time."""
        b = Binary(self.tillway.port, database="shop")
        self.addCleanup(b.close)
        count = b.prepare("SELECT COUNT(*) FROM information_schema.processlist WHERE id=?")
        for _ in range(5):
            c = self.connect()
            self.assertEqual(count.execute(c.thread_id()), [("1",)])
            c.close()

    def test_pooled_connections_are_nobody(self):
        c = self.connect()
        many = [self.connect() for _ in range(5)]
        for m in many:
            m.close()
        deadline = time.time() + 10
        while time.time() < deadline:
            rows = [r for r in self.run_sql(c, LIST) if r[1] == "till"]
            if len(rows) == 1:
                break
            time.sleep(0.05)
        self.assertEqual([r[0] for r in rows], [c.thread_id()])

    def test_kill_by_listed_id(self):
        killer = self.connect()
        for how, statement in (("KILL QUERY %d", True), ("KILL SOFT QUERY %d", True), ("KILL HARD CONNECTION %d", False),
                               ("KILL CONNECTION %d", False), ("KILL %d", False)):
            with self.subTest(how=how):
                victim = self.connect()
                thread, raised = self.sleeping(victim)
                # Those killed before it may stand in the list for a moment still.
                scratch.wait_until("the victim alone", lambda: self.sleepers(killer) == [victim.thread_id()], 10)
                self.run_sql(killer, how % victim.thread_id())
                thread.join(10)
                self.assertIn(raised[0], (1317,) if statement else (1317, 1927, 2013))
                if statement:
                    self.assertEqual(self.run_sql(victim, "SELECT 1"), [(1,)])
                else:
                    self.assertRaises(pymysql.err.MySQLError, self.run_sql, victim, "SELECT 1")

    def sleepers(self, asker):
        return [r[0] for r in self.run_sql(asker, LIST + " WHERE info LIKE '%SLEEP(20)' AND id<>CONNECTION_ID()")]

    def sleeping(self, victim):
        raised = []

        def sleep():
            with contextlib.suppress(pymysql.err.InterfaceError):
                try:
                    self.run_sql(victim, "UPDATE t SET v=v WHERE id=1 AND SLEEP(20)")
                    raised.append(0)
                except pymysql.err.MySQLError as e:
                    raised.append(e.args[0])

        thread = threading.Thread(target=sleep)
        thread.start()
        watch = self.cluster.primary.connect()
        while not self.run_sql(watch, LIST + " WHERE info LIKE 'UPDATE%SLEEP%'"):
            time.sleep(0.02)
        watch.close()
        return thread, raised

    def test_kill_by_expression(self):
        killer, victim = self.connect(), self.connect()
        thread, raised = self.sleeping(victim)
        self.run_sql(killer, "SET @id = %d" % (victim.thread_id() - 1))
        self.run_sql(killer, "KILL QUERY @id + 1")
        thread.join(10)
        self.assertEqual(raised, [1317])

    def reading(self, victim):
        """A read that waits on a replica, whose table is locked."""
        raised = []

        def read():
            try:
                raised.append(self.run_sql(victim, "SELECT v FROM t WHERE id=1"))
            except pymysql.err.MySQLError as e:
                raised.append(e.args[0])

        thread = threading.Thread(target=read)
        self.addCleanup(thread.join)  # once the tables are unlocked
        lockers = [replica.connect(database="shop") for replica in self.cluster.replicas]
        for locker in lockers:
            self.addCleanup(lambda locker=locker: locker.open and locker.close())
            self.run_sql(locker, "LOCK TABLES t WRITE")
        thread.start()
        while not any(self.run_sql(locker, LIST + " WHERE info LIKE 'SELECT v FROM t%'") for locker in lockers):
            time.sleep(0.02)
        return thread, raised, lockers

    def test_kill_of_what_a_replica_runs(self):
        b = Binary(self.tillway.port, database="shop")
        self.addCleanup(b.close)
        killer = self.connect()
        prepared = b.prepare("KILL QUERY ?")
        for kill in (lambda i: self.run_sql(killer, "KILL QUERY %d" % i), lambda i: self.run_sql(killer, "KILL SOFT QUERY %d-1" % (i + 1)),
                     lambda i: self.run_sql(killer, "KILL QUERY @id"), prepared.execute):
            victim = self.connect()
            thread, raised, lockers = self.reading(victim)
            self.run_sql(killer, "SET @id = %d" % victim.thread_id())
            kill(victim.thread_id())
            thread.join(20)
            self.assertEqual(raised, [1317])
            for locker in lockers:
                locker.close()
            self.assertEqual(self.run_sql(victim, "SELECT v FROM t WHERE id=1"), [("one",)])

    def test_kill_by_sql_prepare(self):
        """Where the text shows that it is a KILL; one that an expression makes, or in stored code, is the primary's."""
        killer = self.connect()
        self.run_sql(killer, "PREPARE stop FROM 'KILL QUERY ?'")
        self.run_sql(killer, "PREPARE other FROM 'SELECT 1'")
        for kill in ("EXECUTE IMMEDIATE 'KILL QUERY %d'", "EXECUTE IMMEDIATE 'KILL SOFT QUERY ?' USING %d",
                     "SET @id = %d; EXECUTE Stop USING @id", "EXECUTE other; EXECUTE `stop` USING @id",
                     "PREPARE stop FROM \"KILL QUERY %d\"; EXECUTE stop"):
            with self.subTest(kill=kill):
                victim = self.connect()
                thread, raised, lockers = self.reading(victim)
                self.run_sql(killer, "SET @id = %d" % victim.thread_id())
                for sql in kill.split("; "):
                    self.run_sql(killer, sql % victim.thread_id() if "%d" in sql else sql)
                thread.join(20)
                self.assertEqual(raised, [1317])
                for locker in lockers:
                    locker.close()
        self.run_sql(killer, "EXECUTE IMMEDIATE 'KILL CONNECTION %d'" % victim.thread_id())
        self.assertRaises(pymysql.err.MySQLError, self.run_sql, victim, "SELECT 1")
        victim = self.connect()
        unknown = (1094, "Unknown thread id: %d" % victim.thread_id())
        self.run_sql(killer, "SET @text = 'KILL %d'" % victim.thread_id())
        self.run_sql(killer, "PREPARE stop FROM @text")
        self.run_sql(killer, "CREATE OR REPLACE PROCEDURE stop_it(n BIGINT) KILL n")
        for sql in ("EXECUTE stop", "EXECUTE IMMEDIATE @text", "CALL stop_it(%d)" % victim.thread_id(),
                    "BEGIN NOT ATOMIC KILL %d; END" % victim.thread_id()):
            self.assertEqual(self.outcome(killer, sql), unknown)
        self.assertEqual(self.run_sql(victim, "SELECT 1"), [(1,)])

    def test_what_a_kill_by_expression_leaves_behind(self):
        killer, victim = self.connect(), self.connect()
        self.run_sql(killer, "SET @id = %d" % victim.thread_id())
        self.run_sql(killer, "KILL @id")
        self.assertEqual(self.run_sql(killer, "SELECT ROW_COUNT()"), [(0,)])
        self.assertEqual(self.run_sql(killer, "SHOW WARNINGS"), [])
        self.assertRaises(pymysql.err.MySQLError, self.run_sql, victim, "SELECT 1")
        self.run_sql(killer, "BEGIN")
        self.assertEqual(self.outcome(killer, "KILL @id"), (1094, "Unknown thread id: %d" % victim.thread_id()))
        self.assertEqual(self.run_sql(killer, "SELECT @@in_transaction"), [(1,)])
        self.run_sql(killer, "ROLLBACK")
        self.assertEqual(self.outcome(killer, "KILL CONNECTION_ID()")[0], 1927)
        self.assertRaises(pymysql.err.MySQLError, self.run_sql, killer, "SELECT 1")

    def test_the_list_has_what_a_replica_runs(self):
        asker = self.connect()
        for without in (False, True):
            victim = self.connect()
            if without:
                self.take_connection_of(victim)
            thread, raised, lockers = self.reading(victim)
            columns = "id, user, host, db, command, info, time < 60, time_ms < 60000, query_id > 1 << 61, info_binary"
            row = self.run_sql(asker, "SELECT %s FROM information_schema.processlist WHERE info LIKE 'SELECT v%%'" % columns)
            self.assertEqual(row, [(victim.thread_id(), "till", "127.0.0.1:%d" % victim._sock.getsockname()[1], "shop", "Query",
                                    "SELECT v FROM t WHERE id=1", 1, 1, 1, b"SELECT v FROM t WHERE id=1")])
            for sql in ("SHOW PROCESSLIST", "SHOW FULL PROCESSLIST"):
                shown = [r for r in self.run_sql(asker, sql) if r[0] == victim.thread_id()]
                self.assertEqual([r[:5] + r[6:] for r in shown], [row[0][:5] + ("", row[0][5], 0.0)])
            for sql in ("SHOW PROCESSLIST", "SELECT * FROM information_schema.PROCESSLIST"):
                direct, _ = self.definition(self.cluster.primary.connect(), sql)
                self.assertEqual([self.column(d) for d in self.definition(asker, sql)[0]], [self.column(d) for d in direct])
            self.run_sql(asker, "KILL QUERY ID %d" % self.query_id(asker, victim))
            thread.join(20)
            self.assertEqual(raised, [1317])
            for locker in lockers:
                locker.close()

    def take_connection_of(self, victim):
        """The one to the primary, idle; others keep what they get."""
        watch = self.connect()
        for _ in range(100):
            if victim.thread_id() not in [r[0] for r in self.run_sql(watch, LIST)]:
                return
            self.run_sql(self.connect(), "BEGIN")
        self.fail("nobody was given it")

    def query_id(self, asker, victim):
        return self.run_sql(asker, "SELECT query_id FROM information_schema.processlist WHERE id=%d" % victim.thread_id())[0][0]

    def test_a_query_that_is_over_is_not_killed(self):
        asker, victim = self.connect(), self.connect()
        thread, raised, lockers = self.reading(victim)
        query = self.query_id(asker, victim)
        for locker in lockers:
            locker.close()
        thread.join(20)
        self.assertEqual(raised, [[("one",)]])
        self.run_sql(victim, "SELECT 1")
        self.assertEqual(self.outcome(asker, "KILL QUERY ID %d" % query), (1957, "Unknown query id: %d" % query))

    def test_others_see_and_kill_it_by_their_rights(self):
        admin = self.cluster.primary.connect()
        for name, right in (("plain", "SELECT ON shop.*"), ("watcher", "PROCESS ON *.*")):
            self.run_sql(admin, "CREATE USER %s@'%%' IDENTIFIED BY 'secret'" % name)
            self.run_sql(admin, "GRANT %s TO %s@'%%'" % (right, name))
            self.addCleanup(self.run_sql, admin, "DROP USER %s@'%%'" % name)
        victim = self.connect()
        plain, watcher = (self.tillway.connect(user=name, password="secret") for name in ("plain", "watcher"))
        self.addCleanup(plain.close)
        self.addCleanup(watcher.close)
        thread, raised, lockers = self.reading(victim)
        self.assertEqual([r[5] for r in self.run_sql(watcher, LIST) if r[0] == victim.thread_id()], ["SELECT v FROM t WHERE id=1"])
        query = self.query_id(watcher, victim)
        self.assertEqual([r for r in self.run_sql(plain, LIST) if r[0] == victim.thread_id()], [])
        self.assertEqual(self.outcome(plain, "KILL QUERY ID %d" % query), (1979, "You are not owner of query %d" % query))
        self.assertEqual(self.outcome(plain, "KILL %d + 0" % victim.thread_id()), (1095, "You are not owner of thread %d" % victim.thread_id()))
        for locker in lockers:
            locker.close()
        thread.join(20)
        self.assertEqual(raised, [[("one",)]])

    def test_kill_user_prepared(self):
        b = Binary(self.tillway.port, database="shop")
        self.addCleanup(b.close)
        victim = self.connect()
        thread, raised, _ = self.reading(victim)
        b.prepare("KILL QUERY USER till").execute()
        thread.join(20)
        self.assertEqual(raised, [1317])

    def test_kill_by_a_servers_id(self):
        killer, victim = self.connect(), self.connect()
        thread, raised = self.sleeping(victim)
        row = self.run_sql(self.cluster.primary.connect(), LIST + " WHERE info LIKE 'UPDATE%SLEEP%'")[0]
        self.run_sql(killer, "KILL QUERY %d" % row[0])
        thread.join(10)
        self.assertEqual(raised, [1317])

    def test_errors_are_the_primarys(self):
        c, direct = self.connect(), self.cluster.primary.connect(user="till", password="till", database="shop")
        for sql in ("KILL 999999", "KILL QUERY 999999", "KILL QUERY ID 99999999", "KILL 0", "KILL 'x'", "KILL USER nobody",
                    "KILL USER till@'10.9.8.7'", "KILL QUERY USER `nobody`", "KILL USER till till",
                    "KILL (SELECT 1)", "KILL (SELECT @id)", "KILL nosuch", "KILL nosuch()", "KILL @nosuch", "KILL 1/0", "KILL -1", "KILL QUERY 9999999+1", "KILL",
                    "KILL 1e30", "KILL QUERY ID 1+1000000", "SHOW EXPLAIN FOR 999999", "EXPLAIN FOR CONNECTION 999999"):
            with self.subTest(sql=sql):
                self.assertEqual(self.outcome(c, sql), self.outcome(direct, sql))
        self.assertEqual(self.outcome(c, "KILL %d" % (FIRST + 123456)), (1094, "Unknown thread id: %d" % (FIRST + 123456)))
        self.assertEqual(self.outcome(c, "KILL QUERY CONNECTION_ID()")[0], 1317)

    def outcome(self, connection, sql):
        try:
            return self.run_sql(connection, sql)
        except pymysql.err.MySQLError as e:
            return e.args

    def test_show_explain_for(self):
        c, victim = self.connect(), self.connect()
        thread, raised = self.sleeping(victim)
        self.assertIn(self.run_sql(c, "SHOW EXPLAIN FOR %d" % victim.thread_id())[0][1], ("UPDATE", "SIMPLE"))
        self.run_sql(c, "KILL QUERY %d" % victim.thread_id())
        thread.join(10)

    def plan(self, asker, sql):
        """As soon as there is one."""
        for _ in range(1000):
            rows = self.outcome(asker, sql)
            if rows[0] != 1933:
                return rows
            time.sleep(0.02)
        return self.fail("there is no plan")

    def test_explain_of_what_a_replica_runs(self):
        asker, victim = self.connect(), self.connect()
        tables = ["t%d" % i for i in range(24)]
        slow = threading.Thread(target=self.outcome, args=(
            victim, "SELECT STRAIGHT_JOIN COUNT(*) FROM t %s" % " STRAIGHT_JOIN t ".join(tables)))
        slow.start()
        self.addCleanup(slow.join)
        self.addCleanup(self.run_sql, asker, "KILL QUERY %d" % victim.thread_id())
        for sql in ("SHOW EXPLAIN FOR %d", "EXPLAIN FOR CONNECTION %d"):
            self.assertEqual([r[2] for r in self.plan(asker, sql % victim.thread_id())], tables)
            self.assertEqual([w[1] for w in self.run_sql(asker, "SHOW WARNINGS")], [1003])
        self.assertIn('"t23"', self.run_sql(asker, "SHOW ANALYZE FORMAT=JSON FOR %d" % victim.thread_id())[0][0])
        self.run_sql(asker, "BEGIN")
        self.assertEqual(self.outcome(asker, "SHOW EXPLAIN FOR %d" % victim.thread_id())[0], 1933)
        self.run_sql(asker, "COMMIT")

    def test_own_ids_stay_in_definitions(self):
        c = self.connect()
        self.run_sql(c, "CREATE OR REPLACE VIEW me AS SELECT CONNECTION_ID() AS id")
        self.assertLess(self.run_sql(c, "SELECT id FROM me")[0][0], FIRST)
        self.run_sql(c, "DROP VIEW me")

    def test_wrong_prepared_id_is_the_primarys_error(self):
        b = Binary(self.tillway.port, database="shop")
        self.addCleanup(b.close)
        self.assertRaises(Failed, b.prepare, "SELECT CONNECTION_ID() FROM nosuch")


if __name__ == "__main__":
    main()
