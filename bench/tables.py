"""The tables that bench/run can make: workload, numbers of connections."""

TEXT = ["--db-ps-mode=disable"]
PREPARED = ["--db-ps-mode=auto"]

# name: (what it is, sysbench script, its options, connections)
TABLES = {
    "point-text": ("point select, text protocol", "oltp_point_select", TEXT, (1, 16, 64, 256)),
    "point-prepared": ("point select, prepared", "oltp_point_select", PREPARED, (1, 16, 64, 256)),
    "read-only": ("ten point selects and four ranges, no transaction", "oltp_read_only",
                  PREPARED + ["--skip-trx=on"], (16, 64)),
    "read-write": ("sysbench's mixed transaction", "oltp_read_write", PREPARED, (16, 64)),
}
