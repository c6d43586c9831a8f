"""The ways in which a client leaves: each takes a raw.Raw that is logged in."""

import socket
import struct

from . import raw

BIG = 3 << 20


def reset(c):
    """Close by RST, as a machine that lost its state does."""
    c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()


def cut_mid_command(c):
    c.sock.sendall(b"\xff\x00\x00\x00\x03SELECT 'half")
    c.close()


def cut_mid_reply(c):
    c.send(raw.COM_QUERY, b"SELECT REPEAT('x', %d)" % BIG)
    c.sock.recv(10000)
    reset(c)


def cut_mid_statement(c):
    c.send(raw.COM_QUERY, b"SELECT SLEEP(0.3)")
    c.close()


def cut_in_transaction(c):
    c.value("SELECT 1")
    c.send(raw.COM_QUERY, b"BEGIN")
    c.packet()
    c.close()


def quit_properly(c):
    c.send(raw.COM_QUIT)
    c.close()


ENDS = (reset, cut_mid_command, cut_mid_reply, cut_mid_statement, cut_in_transaction, quit_properly)
