"""clang-tidy over a compilation database, in parallel; what was clean before and hasn't changed is skipped."""

import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

import csource

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"\n]+)"', re.M)


def closure(path, roots):
    """The file and every header of the tree it reaches, sorted."""
    todo, seen = [path], set()
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        with open(at, encoding="utf-8") as f:
            names = _INCLUDE.findall(f.read())
        for name in names:
            for root in [os.path.dirname(at)] + roots:
                candidate = os.path.normpath(os.path.join(root, name))
                if os.path.isfile(candidate):
                    todo.append(candidate)
                    break
    return sorted(seen)


def fingerprint(path, command, version, roots):
    """Changes with whatever may change the verdict."""
    digest = hashlib.sha256((version + "\0" + command).encode())
    config = os.path.join(csource.ROOT, ".clang-tidy")
    for name in closure(path, roots) + [config]:
        with open(name, "rb") as f:
            digest.update(name.encode() + b"\0" + f.read() + b"\0")
    return digest.hexdigest()


def _judge(tidy, build, path):
    done = subprocess.run([tidy, "--quiet", "-p", build, path], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    return path, done.returncode, done.stdout + ("" if done.returncode == 0 else done.stderr)


def _pending(database, build, cache, version):
    """[(path, stamp)] of what must be looked at; and how many there are in all."""
    roots = [csource.ROOT, os.path.join(csource.ROOT, "tests"), os.path.join(build, "generated")]
    todo, total = {}, 0
    for entry in database:
        path = os.path.normpath(os.path.join(entry["directory"], entry["file"]))
        if path in todo or not path.startswith(csource.ROOT + os.sep) or path.startswith(build):
            continue  # another target compiles it as well, or it is generated
        total += 1
        command = entry.get("command") or " ".join(entry["arguments"])
        stamp = os.path.join(cache, fingerprint(path, command, version, roots))
        todo[path] = None if os.path.exists(stamp) else stamp
    return [(p, s) for p, s in todo.items() if s], total


def main(build, cache):
    tidy = shutil.which("clang-tidy-14") or shutil.which("clang-tidy")
    if not tidy:
        raise SystemExit("tidy: no clang-tidy-14 (run scripts/install test)")
    build = os.path.abspath(build)
    version = subprocess.run([tidy, "--version"], stdout=subprocess.PIPE, text=True).stdout
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as f:
        database = json.load(f)
    os.makedirs(cache, exist_ok=True)
    todo, total = _pending(database, build, cache, version)
    stamps, bad = dict(todo), 0
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for path, status, text in pool.map(lambda t: _judge(tidy, build, t[0]), todo):
            if status == 0:
                open(stamps[path], "w").close()
            else:
                bad += 1
                print(text, end="", flush=True)
    print("tidy: %d files, %d looked at, %d with complaints" % (total, len(todo), bad))
    return 1 if bad or not total else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit("usage: tidy.py BUILD-FOLDER CACHE-FOLDER")
    sys.exit(main(sys.argv[1], sys.argv[2]))
