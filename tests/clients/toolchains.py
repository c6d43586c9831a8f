"""How to get a client's program ready: fetch what its lock file names with the language's own package manager, and compile.

What is fetched and built stays in build/cache/clients; a second run is quick. Missing: the language is not installed.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess

from harness import paths

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"  # Debian's, as python3-mysqldb is built for it


class Missing(Exception):
    pass


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Missing("%s is not installed" % program)


def run(argv, cwd, **env):
    done = subprocess.run(argv, cwd=cwd, env=dict(os.environ, **env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError("%s failed:\n%s" % (" ".join(argv), done.stdout[-4000:]))
    return done.stdout


@contextlib.contextmanager
def locked(language):
    """The language's own folder; one process at a time, as tests run side by side."""
    folder = os.path.join(paths.cache_dir("clients"), language)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def fetched(language, lock_files, fetch):
    """A folder that fetch(folder) filled; made anew when a lock file changes."""
    with locked(language) as folder:
        digest = hashlib.sha256()
        for name in lock_files:
            with open(os.path.join(HERE, language, name), "rb") as f:
                digest.update(f.read())
        final = os.path.join(folder, digest.hexdigest()[:12])
        if not os.path.isdir(final):
            partial = final + ".partial"
            shutil.rmtree(partial, ignore_errors=True)
            os.mkdir(partial)
            for name in lock_files:
                shutil.copy(os.path.join(HERE, language, name), partial)
            fetch(partial)
            os.rename(partial, final)
        return final


def c(program):
    return [program]


def python(driver, module):
    """From Debian where it has the module, else from PyPI."""
    argv = [PYTHON, os.path.join(HERE, "python", "program.py"), driver]
    if module is None:
        return argv
    if subprocess.run([PYTHON, "-c", "import " + module], check=False, capture_output=True).returncode == 0:
        return argv
    if subprocess.run([PYTHON, "-m", "pip", "--version"], check=False, capture_output=True).returncode != 0:
        raise Missing("neither python3's %s nor pip is installed" % module)
    folder = fetched("python", ["requirements.txt"], lambda folder: run(
        [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes",
         "--only-binary", ":all:", "--target", os.path.join(folder, "site"), "-r", "requirements.txt"], folder))
    return ["/usr/bin/env", "PYTHONPATH=" + os.path.join(folder, "site")] + argv


def node(driver):
    need("node", "npm")
    folder = fetched("node", ["package.json", "package-lock.json"], lambda folder: run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder))
    return ["/usr/bin/env", "NODE_PATH=" + os.path.join(folder, "node_modules"), "node",
            os.path.join(HERE, "node", "program.js"), driver]


def java():
    need("java", "javac", "mvn")
    folder = fetched("java", ["pom.xml"], lambda folder: run(
        ["mvn", "--batch-mode", "--quiet", "dependency:copy-dependencies", "-DoutputDirectory=jars"], folder))
    return ["java", "-Xmx600m", "-cp", os.path.join(folder, "jars", "*"), os.path.join(HERE, "java", "Program.java")]


def go():
    need("go")
    with locked("go") as folder:
        program = os.path.join(folder, "program")
        run(["go", "build", "-o", program, "."], os.path.join(HERE, "go"), CGO_ENABLED="0")
        return [program]


def php(extension, script):
    need("php")
    if extension not in run(["php", "-m"], HERE).split():
        raise Missing("PHP has no %s" % extension)
    return ["php", "-d", "mysqli.allow_local_infile=1", "-d", "memory_limit=1G", os.path.join(HERE, "php", script)]


def rust():
    need("cargo")
    with locked("rust") as folder:
        run(["cargo", "build", "--quiet", "--locked"], os.path.join(HERE, "rust"), CARGO_TARGET_DIR=folder)
        return [os.path.join(folder, "debug", "program")]
