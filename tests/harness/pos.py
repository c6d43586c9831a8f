"""The point-of-sale database: loaded by pos/load, and as documents by SQL alone (pos/generate_aggregates)."""

import os
import subprocess

import bson.json_util

from . import paths, scratch

DATABASE = "pos"


def _script(name, host, port, user, password, database, *more):
    return [os.path.join(paths.ROOT, "pos", name), "--host", host, "--port", str(port), "--user", user,
            "--password", password, "--database", database] + list(more)


def load(host, port, user="till", password="till", database=DATABASE, csv=None, quiet=True):
    """Make the database and load its CSV files (default: the sample). What pos/load prints goes to our
    output, or with quiet is returned."""
    more = ["--csv", csv] if csv else []
    done = subprocess.run(_script("load", host, port, user, password, database, *more),
                          stdin=subprocess.DEVNULL, text=True, stdout=subprocess.PIPE if quiet else None,
                          stderr=subprocess.STDOUT if quiet else None)
    if done.returncode != 0:
        raise RuntimeError("pos/load: status %d\n%s" % (done.returncode, done.stdout or ""))
    return done.stdout


def generate(**sizes):
    """CSV files of an invented chain, by pos/generate.py; keywords are its options. The folder."""
    folder = scratch.current().folder("csv")
    options = [w for k, v in sizes.items() for w in ("--" + k.replace("_", "-"), str(v))]
    subprocess.run(["/usr/bin/python3", os.path.join(paths.ROOT, "pos", "generate.py"), "--out", folder]
                   + options, check=True, stdout=subprocess.DEVNULL)
    return folder


def documents(server, database=DATABASE):
    """{"customers": {_id: document}, "products": ...} as SQL alone makes them on a Server."""
    folder = scratch.current().folder("documents")
    subprocess.run(_script("generate_aggregates", server.host, server.port, server.user, server.password,
                           database, folder), check=True, stdin=subprocess.DEVNULL)
    made = {}
    for name in ("customers", "products"):
        with open(os.path.join(folder, name + ".json"), encoding="utf-8") as f:
            found = (bson.json_util.loads(line) for line in f)
            made[name] = {d["_id"]: d for d in found}
    return made
