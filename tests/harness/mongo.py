"""A throwaway MongoDB: a replica set of one member or more, or the user's own server by MONGODB_URI.

    with Mongo() as m:
        m.client()[m.database].customers.find_one()

    with Mongo(members=3) as m:
        m.primary().kill()
"""

import os
import random
import shutil
import subprocess

import pymongo
import pymongo.errors

from . import paths, scratch
from .ports import free_port

ALREADY_INITIALIZED = 23
ELECTION_MS = 2000  # how long members do without a primary before they elect another


def mongod_path():
    """MONGOD=/path, `mongod` on PATH, or the one scripts/install has fetched."""
    given = os.environ.get("MONGOD")
    if given:
        if not os.access(given, os.X_OK):
            raise RuntimeError("MONGOD=%s is not a program" % given)
        return given
    cached = os.path.join(paths.build_dir(), "mongod", "mongod")
    found = shutil.which("mongod") or (cached if os.access(cached, os.X_OK) else None)
    if not found:
        raise RuntimeError("no mongod: run scripts/install, or set MONGODB_URI or MONGOD=/path")
    return found


class Member:
    """One mongod of the replica set; its port and data stay while it is dead."""

    host = "127.0.0.1"

    def __init__(self, options):
        self.folder = scratch.current().folder("mongo")
        self.port = free_port()
        os.mkdir(os.path.join(self.folder, "data"))
        self._options = options
        self._proc = None

    @property
    def address(self):
        return "%s:%d" % (self.host, self.port)

    @property
    def pid(self):
        return self._proc.pid

    def start(self, timeout=60):
        """Start it, and wait until it answers."""
        self.spawn()
        self.wait_answer(timeout)

    def spawn(self):
        argv = [mongod_path(), "--dbpath", os.path.join(self.folder, "data"), "--port",
                str(self.port), "--bind_ip", self.host,
                "--nounixsocket", "--setParameter", "diagnosticDataCollectionEnabled=false"] + self._options
        self._proc = scratch.spawn(argv, os.path.join(self.folder, "mongod.log"), cwd=self.folder)

    def wait_answer(self, timeout=60):
        self.wait("mongod on port %d" % self.port, lambda: self.hello() is not None, timeout)

    def wait(self, what, check, timeout=60):
        return scratch.wait_until(what, check, timeout, self._proc)

    def direct(self):
        """A client of this member alone; the caller's to close."""
        return pymongo.MongoClient(self.host, self.port, directConnection=True,
                                   serverSelectionTimeoutMS=200, connectTimeoutMS=1000)

    def command(self, *words, **fields):
        """A command of the database `admin`, to this member."""
        with self.direct() as client:
            return client.admin.command(*words, **fields)

    def hello(self):
        """What it says of itself; None where it does not answer."""
        try:
            return self.command("isMaster")
        except pymongo.errors.ConnectionFailure:
            return None

    def alive(self):
        return self._proc is not None and self._proc.alive()

    def kill(self):
        self._proc.kill()

    def freeze(self):
        self._proc.freeze()

    def thaw(self):
        self._proc.thaw()

    def restart(self, timeout=60):
        """Kill it if it runs, and start it on the same port and data."""
        self.kill()
        self.start(timeout)

    def discard(self):
        if self.alive():
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Mongo:
    """uri: how to reach it. database: a name free for this test. external: not ours to kill.

    replica_set: without it, one server that knows no transactions. cache_gb: of a member."""

    def __init__(self, options=(), members=1, replica_set=True, cache_gb=0.5):
        self.uri = os.environ.get("MONGODB_URI") or None
        self.external = self.uri is not None
        self.database = "pos"
        self.members = []
        self._options = list(options) + ["--wiredTigerCacheSizeGB", str(cache_gb)] + (["--replSet", "rs0", "--oplogSize", "128"] if replica_set else [])
        self._count = members
        self._replica_set = replica_set
        self._clients = []
        self._shared = None
        if self.external:
            self.database = "tillway_test_%08x" % random.getrandbits(32)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.stop()

    def start(self, timeout=60):
        if self.external:
            self.db().client.admin.command("ping")
            return
        try:
            for _ in range(self._count):
                self.members.append(Member(self._options))
                self.members[-1].spawn()
            for member in self.members:
                member.wait_answer(timeout)
            self.uri = "mongodb://%s/" % ",".join(m.address for m in self.members)
            if self._replica_set:
                self.uri += "?replicaSet=rs0"
                self._initiate()
            self.primary(timeout)
            self.wait_complete(timeout)
        except BaseException:
            self.stop()
            raise

    def _initiate(self):
        config = {"_id": "rs0", "settings": {"electionTimeoutMillis": ELECTION_MS, "heartbeatIntervalMillis": ELECTION_MS // 4},
                  "members": [{"_id": i, "host": m.address} for i, m in enumerate(self.members)]}
        try:
            self.members[0].command("replSetInitiate", config)
        except pymongo.errors.OperationFailure as error:
            if error.code != ALREADY_INITIALIZED:
                raise

    def wait_complete(self, timeout=60):
        """Until each member has a part in a majority."""
        for member in self.members:
            def follows(m=member):
                hello = m.hello() or {}
                return hello.get("ismaster") or hello.get("secondary")
            member.wait("MongoDB's member on port %d" % member.port, follows, timeout)

    def primary(self, timeout=60):
        """The member that is the primary, once there is one."""
        self._ours()

        def find():
            return next((m for m in self.members if m.alive() and (m.hello() or {}).get("ismaster")), None)
        return scratch.wait_until("a MongoDB primary", find, timeout)

    def secondaries(self):
        """The members that are not."""
        primary = self.primary()
        return [m for m in self.members if m is not primary]

    @property
    def port(self):
        return self._only().port

    @property
    def pid(self):
        return self._only().pid

    def client(self, **kw):
        """A pymongo client; closed by stop()."""
        args = dict(serverSelectionTimeoutMS=10000)
        args.update(kw)
        client = pymongo.MongoClient(self.uri, **args)
        self._clients.append(client)
        return client

    def db(self):
        """The database of this test, always over the same client: each has threads of its own."""
        if self._shared is None:
            self._shared = self.client()
        return self._shared[self.database]

    def kill(self):
        self._only().kill()

    def freeze(self):
        self._only().freeze()

    def thaw(self):
        self._only().thaw()

    def restart(self, timeout=60):
        """Kill it if it runs, start it on the same port and data, and wait until it takes writes."""
        self._only().restart(timeout)
        self.primary(timeout)

    def _ours(self):
        if self.external:
            raise RuntimeError("MONGODB_URI names a server that is not the test's to stop")

    def _only(self):
        """The member, where there is but one."""
        self._ours()
        member, = self.members
        return member

    def stop(self):
        """Throw it away; of an external server only this test's database."""
        if self.external:
            self.client().drop_database(self.database)
        for client in self._clients:
            client.close()
        self._clients, self._shared = [], None
        for member in self.members:
            member.discard()
        self.members = []


def version(path):
    out = subprocess.run([path, "--version"], check=True, capture_output=True, text=True).stdout
    return out.splitlines()[0]
