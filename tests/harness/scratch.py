"""One scratch folder and one set of daemons for each Python process.

Whatever ends this process (return, exception, Ctrl-C, SIGKILL), every daemon started through spawn() dies
and the folder goes. How:

  - a watchdog process holds the read end of a pipe whose only write end is ours. When we end, the kernel
    closes it; the watchdog then kills every process whose environment names the folder, and removes it.
    Daemons start in sessions of their own, so Ctrl-C reaches only us and the order of the end is ours.
  - the watchdog and we hold a lock in the folder. If both were killed, the next process to make a scratch
    folder finds one that nobody holds, and sweeps it.
  - keep() leaves folder and daemons alive after us; end_kept() ends them later.
"""

import atexit
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

MARK = "TILLWAY_SCRATCH"
PREFIX = "tillway-%d-" % os.getuid()
FRESH_SECONDS = 60  # a folder this young may not have its lock yet
_current = None


def base_dir():
    return os.environ.get("TILLWAY_SCRATCH_BASE") or tempfile.gettempdir()


class Proc:
    """A daemon in a session of its own. Signals go to that one process."""

    def __init__(self, argv, log, cwd=None, env=None):
        scratch = current()
        self.argv = list(argv)
        self.log = log
        full = dict(os.environ if env is None else env)
        full[MARK] = scratch.path
        with open(log, "ab") as out:
            self._popen = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                cwd=cwd or scratch.path, env=full, start_new_session=True)
        self.pid = self._popen.pid

    def alive(self):
        return self._popen.poll() is None

    @property
    def returncode(self):
        return self._popen.poll()

    def signal(self, signum):
        if self.alive():
            self._popen.send_signal(signum)

    def freeze(self):
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        """SIGKILL, and wait until it is gone. Works on a frozen process too."""
        self.signal(signal.SIGKILL)
        return self._popen.wait()

    def wait(self, timeout):
        """Its exit status; subprocess.TimeoutExpired if it doesn't end in time."""
        return self._popen.wait(timeout)

    def log_text(self):
        with open(self.log, "rb") as f:
            return f.read().decode("utf-8", "replace")

    def log_tail(self, lines=15):
        return "\n".join(self.log_text().splitlines()[-lines:])


class Scratch:
    """The folder, its lock and its watchdog. Made by current()."""

    def __init__(self):
        sweep()
        self.path = tempfile.mkdtemp(prefix=PREFIX, dir=base_dir())
        self._kept = False
        self._owner = os.getpid()
        lock = os.open(os.path.join(self.path, ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        watched, self._lifeline = os.pipe()
        env = {k: v for k, v in os.environ.items() if k != MARK}
        self._watchdog = subprocess.Popen(
            ["/usr/bin/python3", os.path.abspath(__file__), "--watchdog", self.path],
            stdin=watched, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            pass_fds=(lock,), env=env, cwd="/", start_new_session=True)
        os.close(watched)
        os.close(lock)
        # A forked child must not keep us "alive" in the watchdog's eyes.
        os.register_at_fork(after_in_child=self._drop_lifeline)
        atexit.register(self.close)

    def _drop_lifeline(self):
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None

    def folder(self, name):
        """A fresh subfolder, named after name."""
        return tempfile.mkdtemp(prefix=name + ".", dir=self.path)

    def keep(self):
        """Leave the folder and the daemons alive after this process."""
        open(os.path.join(self.path, ".keep"), "w").close()
        self._kept = True

    def close(self):
        """Kill what still runs and remove the folder. Called at exit; harmless twice."""
        global _current
        if self._lifeline is None or os.getpid() != self._owner:
            return
        self._drop_lifeline()
        self._watchdog.wait()
        _current = None


def current():
    """The scratch folder of this process; made at the first call."""
    global _current
    if _current is None or _current._owner != os.getpid():
        _current = Scratch()
    return _current


def spawn(argv, log, cwd=None, env=None):
    """Start a daemon that cannot outlive this process. log: file for its output."""
    return Proc(argv, log, cwd, env)


def wait_until(what, check, timeout, proc=None, interval=0.02):
    """Call check() until it returns something true; that is returned. Errors name what was waited for."""
    deadline = time.monotonic() + timeout
    while True:
        result = check()
        if result:
            return result
        if proc is not None and not proc.alive():
            raise RuntimeError("%s: process ended with status %s:\n%s"
                               % (what, proc.returncode, proc.log_tail()))
        if time.monotonic() >= deadline:
            tail = "\n" + proc.log_tail() if proc is not None else ""
            raise TimeoutError("%s: not within %g s%s" % (what, timeout, tail))
        time.sleep(interval)


def _marked_pids(path):
    """Processes whose environment names the scratch folder."""
    wanted = ("%s=%s" % (MARK, path)).encode()
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open("/proc/%s/environ" % name, "rb") as f:
                if wanted in f.read().split(b"\0"):
                    yield int(name)
        except OSError:
            continue  # gone, or another user's


def _kill_marked(path):
    """SIGKILL them until none is left; a pid reused meanwhile is not hit, for the pidfd is taken first."""
    for _ in range(500):
        found = False
        for pid in _marked_pids(path):
            try:
                fd = os.pidfd_open(pid)
            except OSError:
                continue
            try:
                if pid in _marked_pids(path):
                    found = True
                    signal.pidfd_send_signal(fd, signal.SIGKILL)
            except OSError:
                pass
            finally:
                os.close(fd)
        if not found:
            return
        time.sleep(0.01)


def _remove(path):
    for _ in range(50):
        shutil.rmtree(path, ignore_errors=True)
        if not os.path.exists(path):
            return
        time.sleep(0.02)


def _watchdog(path):
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    while os.read(0, 4096):
        pass
    if not _is_kept(path):
        _kill_marked(path)
        _remove(path)


def _own_folders():
    """Scratch folders of this user."""
    for name in os.listdir(base_dir()):
        path = os.path.join(base_dir(), name)
        if name.startswith(PREFIX) and os.path.isdir(path):
            yield path


def _is_kept(path):
    return os.path.exists(os.path.join(path, ".keep"))


def _is_held(path):
    """Whether its process or its watchdog still lives."""
    try:
        fd = os.open(os.path.join(path, ".lock"), os.O_RDWR)
    except FileNotFoundError:
        try:
            return time.time() - os.stat(path).st_mtime < FRESH_SECONDS
        except FileNotFoundError:
            return True
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return time.time() - os.fstat(fd).st_mtime < 1  # made, perhaps not locked yet
    except BlockingIOError:
        return True
    finally:
        os.close(fd)


def sweep():
    """Clear folders that nobody holds, but for kept ones in which something runs."""
    for path in _own_folders():
        if _is_held(path) or (_is_kept(path) and any(True for _ in _marked_pids(path))):
            continue
        _kill_marked(path)
        _remove(path)


def end_kept(paths=None):
    """End what keep() left running, all of it or only in the folders named. Returns how many folders."""
    count = 0
    for path in list(_own_folders()):
        if _is_kept(path) and (paths is None or path in paths):
            _kill_marked(path)
            _remove(path)
            count += 1
    return count


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--watchdog":
        _watchdog(sys.argv[2])
