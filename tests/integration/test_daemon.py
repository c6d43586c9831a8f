"""The daemon: configuration, signals, logs, the admin socket."""

import json
import os
import signal
import subprocess
import time

import pymysql

from proxied import Proxied, main
from harness import scratch
from harness.ports import free_port


def holds(pid, number):
    """Whether the process has the signal blocked."""
    with open("/proc/%d/status" % pid) as f:
        mask = next(line.split()[1] for line in f if line.startswith("SigBlk:"))
    return int(mask, 16) >> (number - 1) & 1 == 1


class Daemon(Proxied):
    def test_sigterm_lets_a_transaction_finish(self):
        c, idle = self.connect(), self.connect()
        self.run_sql(idle, "SELECT 1")
        self.run_sql(c, "BEGIN")
        self.run_sql(c, "REPLACE INTO t VALUES (80,'drained')")
        os.kill(self.tillway.pid, signal.SIGTERM)
        time.sleep(0.5)
        with self.assertRaises(pymysql.err.MySQLError):
            self.run_sql(idle, "SELECT 1")
        self.run_sql(c, "COMMIT")
        self.tillway.stop()
        self.assertEqual(self.cluster.primary.query("SELECT v FROM shop.t WHERE id=80"), [("drained",)])
        self.tillway.start()

    def run_another(self, more):
        """Another daemon, which finds no server; ended with the test."""
        path = os.path.join(self.tillway.folder, "another.yaml")
        with open(path, "w") as f:
            f.write("listeners: [{address: '127.0.0.1:%d'}]\nservers: [{name: a, address: '127.0.0.1:1'}]\n"
                    "monitor: {user: a, password: b}\n%s" % (free_port(), more))
        process = subprocess.Popen([self.tillway.binary, "run", "--config", path], stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_the_admin_sockets_folder_is_made(self):
        folder = os.path.join(self.tillway.folder, "not_there_yet")
        deep = self.run_another("admin: {socket: '%s/deeper/admin.sock'}\n" % folder)
        self.assertEqual(deep.wait(30), 1)
        self.assertIn("make its folder first", deep.stderr.read())
        self.run_another("admin: {socket: '%s/admin.sock'}\n" % folder)
        scratch.wait_until("the socket", lambda: os.path.exists(os.path.join(folder, "admin.sock")), 30)

    def test_sigterm_before_all_is_set_up_ends_it_as_ever(self):
        log = os.path.join(self.tillway.folder, "log.fifo")
        os.mkfifo(log)  # nobody reads yet: there it waits
        process = self.run_another("log: {file: '%s'}\n" % log)
        scratch.wait_until("signals that wait", lambda: holds(process.pid, signal.SIGTERM), 30)
        process.send_signal(signal.SIGTERM)
        reader = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        self.assertEqual(process.wait(30), 0)
        self.assertIn(b"daemon.drain", os.read(reader, 65536))

    def test_reload(self):
        self.tillway.reload({"log": {"format": "json"}})
        self.tillway.wait_log(r'"event":"daemon\.reload"')
        c = self.connect()
        self.run_sql(c, "SELECT 1")
        lines = self.tillway.log_text().splitlines()
        first = next(i for i, line in enumerate(lines) if line.startswith("{"))
        self.assertIn("session.login", [json.loads(line)["event"] for line in lines[first:]])
        with open(self.tillway.config_file, "a") as f:
            f.write("\nnonsense: 1\n")
        self.tillway.reload()
        self.tillway.wait_log(r"nonsense")
        self.run_sql(c, "SELECT 1")
        self.tillway.reload({"log": {"format": "text"}})
        self.tillway.wait_log(r"daemon\.reload file=")

    def test_bad_configuration_says_where(self):
        path = os.path.join(self.tillway.folder, "bad.yaml")
        with open(path, "w") as f:
            f.write("workers: 2\nlistners:\n  - address: 127.0.0.1:1\n")
        for command in ("check", "run"):
            done = subprocess.run([self.tillway.binary, command, "--config", path], stderr=subprocess.PIPE, text=True,
                                  stdout=subprocess.PIPE, timeout=20)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("bad.yaml:2:1", done.stderr)
            self.assertIn("listeners", done.stderr)

    def test_check_version_help(self):
        self.assertEqual(self.tillway.command("check").returncode, 0)
        for word in ("--version", "--help"):
            self.assertEqual(subprocess.run([self.tillway.binary, word], stdout=subprocess.DEVNULL).returncode, 0)
        self.assertEqual(subprocess.run([self.tillway.binary, "dance"], stderr=subprocess.DEVNULL).returncode, 2)

    def test_sessions_and_stats(self):
        c = self.connect()
        self.run_sql(c, "BEGIN")
        self.run_sql(c, "SELECT 1")
        out = self.tillway.command("sessions", check=True).stdout
        row = [line.split("\t") for line in out.splitlines() if line.startswith("%d\t" % c.thread_id())][0]
        self.assertEqual(row[1:4], ["till", "127.0.0.1", "shop"])
        self.assertIn("transaction", row[-1])
        self.assertIn("statements by server", self.tillway.command("stats", check=True).stdout)
        self.assertGreaterEqual(self.stats()["sessions"], 1)

    def test_a_busy_port_is_said(self):
        done = subprocess.run([self.tillway.binary, "run", "--config", self.tillway.config_file], stderr=subprocess.PIPE,
                              text=True, timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot listen", done.stderr)

    def test_too_many_sessions(self):
        self.tillway.reload({"limits": {"max_sessions": 3}})
        self.tillway.wait_log(r"daemon\.reload")
        time.sleep(0.3)
        held = []
        try:
            with self.assertRaises(pymysql.err.OperationalError) as caught:
                for _ in range(6):
                    held.append(self.tillway.connect())
            self.assertEqual(caught.exception.args[0], 1040)
        finally:
            for c in held:
                c.close()
            self.tillway.reload({"limits": {"max_sessions": 10000}})
            time.sleep(0.5)


if __name__ == "__main__":
    main()
