"""A way to a server that can be shut: what goes through already goes on, who comes anew hears nothing.

As of a server whose thread that lets clients in is stuck: the kernel accepts, and no greeting comes.
"""

import select
import socket
import threading

from .ports import free_port

CHUNK = 1 << 16


class Door:
    """Listens on host and port, in front of the server's."""

    def __init__(self, server):
        self.host, self.port = "127.0.0.1", free_port()
        self._to = (server.host, server.port)
        self._is_open = threading.Event()
        self._is_open.set()
        self._ended = False
        self._listener = socket.create_server((self.host, self.port))

    def __enter__(self):
        threading.Thread(target=self._let_in, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self._ended = True
        self._is_open.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def shut(self):
        self._is_open.clear()

    def open(self):
        """Who came meanwhile is let in now."""
        self._is_open.set()

    def _let_in(self):
        while not self._ended:
            try:
                came = self._listener.accept()[0]
            except OSError:
                return
            self._is_open.wait()
            self._connect(came)

    def _connect(self, came):
        try:
            behind = socket.create_connection(self._to)
        except OSError:
            came.close()
            return
        threading.Thread(target=self._carry, args=(came, behind), daemon=True).start()

    @staticmethod
    def _carry(came, behind):
        """Until one side closes: then the other is closed, too."""
        other = {came: behind, behind: came}
        with came, behind:
            for end in other:
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                while True:
                    for end in select.select(list(other), [], [])[0]:
                        data = end.recv(CHUNK)
                        if not data:
                            return
                        other[end].sendall(data)
            except OSError:
                return
