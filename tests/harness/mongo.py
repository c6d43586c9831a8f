"""A throwaway MongoDB: a replica set of one member, or the user's own server by MONGODB_URI.

    with Mongo() as m:
        m.client()[m.database].customers.find_one()
"""

import os
import random
import shutil
import signal
import subprocess

import pymongo
import pymongo.errors

from . import paths, scratch
from .ports import free_port

ALREADY_INITIALIZED = 23


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


class Mongo:
    """uri: how to reach it. database: a name free for this test. external: not ours to kill."""

    def __init__(self, options=()):
        self.uri = os.environ.get("MONGODB_URI") or None
        self.external = self.uri is not None
        self.database = "pos"
        self.host = "127.0.0.1"
        self.port = None
        self.folder = None
        self._options = list(options)
        self._clients = []
        self._shared = None
        self._proc = None
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
        self.folder = scratch.current().folder("mongo")
        os.mkdir(os.path.join(self.folder, "data"))
        self.port = free_port()
        self.uri = "mongodb://%s:%d/?replicaSet=rs0" % (self.host, self.port)
        try:
            self._start(timeout)
        except BaseException:
            self.stop()
            raise

    def _start(self, timeout):
        argv = [mongod_path(), "--dbpath", os.path.join(self.folder, "data"), "--port",
                str(self.port), "--bind_ip", self.host, "--replSet", "rs0", "--oplogSize", "128",
                "--wiredTigerCacheSizeGB", "0.5", "--nounixsocket",
                "--setParameter", "diagnosticDataCollectionEnabled=false"] + self._options
        self._proc = scratch.spawn(argv, os.path.join(self.folder, "mongod.log"), cwd=self.folder)
        with self._direct() as client:
            scratch.wait_until("mongod on port %d" % self.port, lambda: self._initiate(client),
                               timeout, self._proc)
            scratch.wait_until("a MongoDB primary on port %d" % self.port,
                               lambda: client.admin.command("isMaster")["ismaster"],
                               timeout, self._proc)

    def _direct(self):
        return pymongo.MongoClient(self.host, self.port, serverSelectionTimeoutMS=200,
                                   connectTimeoutMS=1000)

    def _initiate(self, client):
        members = [{"_id": 0, "host": "%s:%d" % (self.host, self.port)}]
        try:
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": members})
            return True
        except pymongo.errors.OperationFailure as error:
            if error.code == ALREADY_INITIALIZED:
                return True
            raise
        except pymongo.errors.ConnectionFailure:
            return False

    @property
    def pid(self):
        return self._proc.pid

    def alive(self):
        return self.external or (self._proc is not None and self._proc.alive())

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
        self._own().kill()

    def freeze(self):
        self._own().freeze()

    def thaw(self):
        self._own().thaw()

    def restart(self, timeout=60):
        """Kill it if it runs, and start it on the same port and data."""
        self._own().kill()
        self._start(timeout)

    def shutdown(self, timeout=60):
        """A clean end (SIGTERM)."""
        self._own().signal(signal.SIGTERM)
        return self._proc.wait(timeout)

    def _own(self):
        if self.external:
            raise RuntimeError("MONGODB_URI names a server that is not the test's to stop")
        return self._proc

    def stop(self):
        """Throw it away; of an external server only this test's database."""
        if self.external:
            self.client().drop_database(self.database)
        for client in self._clients:
            client.close()
        self._clients, self._shared = [], None
        if self._proc is not None:
            self._proc.kill()
            self._proc = None
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None


def version(path):
    out = subprocess.run([path, "--version"], check=True, capture_output=True, text=True).stdout
    return out.splitlines()[0]
