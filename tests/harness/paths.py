"""Where things are: the source tree, the build folder, the binary under test."""

import os
import shutil

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def build_dir():
    """The build folder: TILLWAY_BUILD_DIR, else build/ in the tree. Made if it isn't there."""
    path = os.environ.get("TILLWAY_BUILD_DIR") or os.path.join(ROOT, "build")
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise RuntimeError("no build folder %s (%s): set TILLWAY_BUILD_DIR" % (path, error))
    return path


def cache_dir(name):
    """A folder for what is worth keeping between runs."""
    path = os.path.join(build_dir(), "cache", name)
    os.makedirs(path, exist_ok=True)
    return path


def tillway_binary():
    """The binary under test: TILLWAY=/path, else the release build."""
    path = os.environ.get("TILLWAY") or os.path.join(build_dir(), "release", "tillway")
    if not os.access(path, os.X_OK):
        raise RuntimeError("no tillway binary at %s (build it, or set TILLWAY=/path)" % path)
    return path


def server_plugins():
    """MariaDB's plugins, such as auth_ed25519: not in the package of the bare server program, hence from the suite that
    scripts/install unpacks. For --plugin-dir."""
    path = os.path.join(build_dir(), "mariadb-test", "usr", "lib", "mysql", "plugin")
    if not os.path.isdir(path):
        raise RuntimeError("no %s (run scripts/install test)" % path)
    return path


def program(name, extra=("/usr/sbin", "/usr/local/sbin", "/sbin")):
    """The full path of a program that must be installed."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", "")] + list(extra)))
    if not found:
        raise RuntimeError("%s is not installed (run scripts/install)" % name)
    return found
