"""Holds processes to a share of a core, so that several servers on one machine are several small machines.

Takes root and the cpu controller of cgroup v1 at /sys/fs/cgroup/cpu."""

import os

ROOT = "/sys/fs/cgroup/cpu"
PERIOD_US = 20000  # short, so that a server stands still for moments only


class Quota:
    """with Quota(pids, cores): each of them may use so many cores."""

    def __init__(self, pids, cores):
        self._pids, self._cores, self._groups = pids, cores, []

    def __enter__(self):
        for pid in self._pids:
            group = os.path.join(ROOT, "tillway_bench_%d" % pid)
            os.mkdir(group)
            self._groups.append(group)
            self._write(group, "cpu.cfs_period_us", PERIOD_US)
            self._write(group, "cpu.cfs_quota_us", int(PERIOD_US * self._cores))
            self._write(group, "cgroup.procs", pid)
        return self

    def __exit__(self, *exc):
        for pid, group in zip(self._pids, self._groups):
            self._write(ROOT, "cgroup.procs", pid)
            os.rmdir(group)

    @staticmethod
    def _write(group, name, value):
        with open(os.path.join(group, name), "w", encoding="ascii") as f:
            f.write(str(value))
