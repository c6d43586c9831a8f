"""The tables that bench/run can make: workload, numbers of connections, who runs it."""

import collections
import os

TEXT = ["--db-ps-mode=disable"]
PREPARED = ["--db-ps-mode=auto"]
READS = ("oltp_point_select", "oltp_read_only")  # scripts that lock no rows
ALONE = ("direct", "haproxy", "tillway, one server")
BESIDE = ("direct", "haproxy", "tillway", "tillway, one by one")

# held: cores that each server may use; None: as many as there are. contenders: names of contenders.CONTENDERS. replicas: how many hang on
# the primary, which pays for each of them.
Table = collections.namedtuple("Table", "what script options connections contenders held replicas", defaults=(BESIDE, None, 2))


def _own(script):
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), script)


TPCC = _own("tpcc.lua")
CROWD = _own("../build/release/bench/bench_crowd")  # in the place of a script

TABLES = {
    "point-text": Table("point select, text protocol", "oltp_point_select", TEXT, (1, 16, 64, 256)),
    "point-prepared": Table("point select, prepared", "oltp_point_select", PREPARED, (1, 16, 64, 256)),
    "one-text": Table("point select of one server alone, text protocol", "oltp_point_select", TEXT, (16, 64, 256), ALONE),
    "one-prepared": Table("point select of one server alone, prepared", "oltp_point_select", PREPARED, (16, 64, 256), ALONE),
    "read-only": Table("ten point selects and four ranges, no transaction", "oltp_read_only", PREPARED + ["--skip-trx=on"], (16, 64)),
    "read-write": Table("sysbench's mixed transaction", "oltp_read_write", PREPARED, (16, 64)),
    "connect": Table("connect, log in, SELECT 1, quit", _own("connect.lua"), TEXT, (16,)),
    "tpcc": Table("a small TPC-C", TPCC, TEXT, (16, 64)),
    "pos": Table("tills of the POS database: orders placed by CALL place_order, histories, prices", _own("pos.lua"), TEXT, (16, 64),
                 ("direct", "haproxy", "tillway")),
    "tls": Table("point select, text protocol, with TLS and without", "oltp_point_select", TEXT, (16,),
                 ("direct", "direct, TLS", "haproxy", "haproxy, TLS", "tillway", "tillway, TLS")),
    "exactly-once": Table("one UPDATE a transaction, failover on", "oltp_update_non_index", TEXT, (16,),
                          ("direct", "tillway, failover", "tillway, exactly_once")),
    "multiplexing": Table("point select, text protocol, of many clients on 50 connections", CROWD, [], (5000,),
                          ("direct, 50 clients", "tillway, 50 connections", "tillway, 3 × 16 connections")),
    "scaling": Table("point select, text protocol, each server held to a quarter of a core", "oltp_point_select", TEXT, (32,),
                     ("direct", "tillway, 1 + 2", "tillway, 1 + 2, all read", "tillway, 1 + 4, all read"), 0.25, 4),
    "own-writes": Table("each read behind a write of its session, which it must see; each server held to a quarter of a core",
                        _own("own_writes.lua"), TEXT, (32,), ("direct", "tillway, 1 + 2", "tillway, 1 + 2, all read"), 0.25),
    "own-sums": Table("the same, each read a sum over 100 rows", _own("own_writes.lua"), TEXT + ["--sum-rows=100"], (32,),
                      ("direct", "tillway, 1 + 2", "tillway, 1 + 2, all read"), 0.25),
}
