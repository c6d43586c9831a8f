"""Free TCP ports below the ephemeral range, never given twice while their taker lives."""

import fcntl
import os
import random
import socket
import tempfile

LOWEST, HIGHEST = 12000, 32000  # above 32768 the kernel hands ports to outgoing connections
_held = []  # lock files: open as long as this process lives


def _lock_dir():
    path = os.path.join(tempfile.gettempdir(), "tillway-ports-%d" % os.getuid())
    os.makedirs(path, mode=0o700, exist_ok=True)
    return path


def _reserve(port):
    fd = os.open(os.path.join(_lock_dir(), str(port)), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return False
    _held.append(fd)
    return True


def is_free(port, host="127.0.0.1"):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((host, port))
            return True
        except OSError:
            return False


def free_port():
    """A port nobody listens on and no other process of this kind was given."""
    for _ in range(1000):
        port = random.randint(LOWEST, HIGHEST)
        if is_free(port) and _reserve(port):
            return port
    raise RuntimeError("no free TCP port between %d and %d" % (LOWEST, HIGHEST))
