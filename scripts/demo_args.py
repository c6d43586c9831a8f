"""The arguments of scripts/demo, which looks at them before it installs or builds anything.

Needs nothing but Python.
"""

import argparse
import os

CSV_FILES = ("customers.csv", "products.csv", "orders.csv", "orderlines.csv")


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("%s is not 1 or more" % text)
    return value


def members(text):
    value = positive(text)
    if value == 2:
        raise argparse.ArgumentTypeError("of 2 members, one that is left can't elect itself")
    if value > 1 and os.environ.get("MONGODB_URI"):
        raise argparse.ArgumentTypeError("MONGODB_URI names a server that is not the demo's to kill")
    return value


def csv_folder(text):
    for name in CSV_FILES:
        if not os.path.isfile(os.path.join(text, name)):
            raise argparse.ArgumentTypeError("%s has no %s" % (text, name))
    return os.path.abspath(text)


def arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/demo", description="Starts a MariaDB primary with two replicas, a MongoDB replica set "
        "and Tillway in a scratch folder, loads the point-of-sale database through the proxy, mirrors it, "
        "lets tills sell, and shows what came of it. Touches no MariaDB or MongoDB that runs already.")
    parser.add_argument("--seconds", type=positive, default=5, metavar="N", help="how long tills sell (5)")
    parser.add_argument("--tills", type=positive, default=8, metavar="N", help="how many of them (8)")
    parser.add_argument("--mongo-replicas", type=members, default=1, metavar="N",
                        help="members of MongoDB's replica set; of three or more the primary is killed while tills sell (1)")
    parser.add_argument("--csv", type=csv_folder, metavar="DIR",
                        help="your own customers.csv, products.csv, orders.csv, orderlines.csv")
    parser.add_argument("--galera", action="store_true",
                        help="a Galera cluster instead: tills sell while the node that takes writes is killed")
    parser.add_argument("--failover", action="store_true",
                        help="a failover instead: tills sell while their primary is killed, and a ledger tells what came of it")
    parser.add_argument("--keep", action="store_true", help="leave all running and say how to connect")
    parser.add_argument("--stop", action="store_true", help="end what --keep left running")
    options = parser.parse_args()
    if options.galera and options.failover:
        parser.error("--galera and --failover are shown one at a time")
    if (options.galera or options.failover) and (options.csv or options.keep or options.mongo_replicas > 1):
        parser.error("--galera and --failover go without --csv, --keep and --mongo-replicas")
    return options


if __name__ == "__main__":
    arguments()
