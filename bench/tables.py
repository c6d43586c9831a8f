"""The tables that bench/run can make: workload, numbers of connections."""

import os

TEXT = ["--db-ps-mode=disable"]
PREPARED = ["--db-ps-mode=auto"]

CONNECT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "connect.lua")

# name: (what it is, sysbench script, its options, connections)
TABLES = {
    "point-text": ("point select, text protocol", "oltp_point_select", TEXT, (1, 16, 64, 256)),
    "point-prepared": ("point select, prepared", "oltp_point_select", PREPARED, (1, 16, 64, 256)),
    "read-only": ("ten point selects and four ranges, no transaction", "oltp_read_only",
                  PREPARED + ["--skip-trx=on"], (16, 64)),
    "read-write": ("sysbench's mixed transaction", "oltp_read_write", PREPARED, (16, 64)),
    "connect": ("connect, log in, SELECT 1, quit", CONNECT, TEXT, (16,)),
}
