"""Where MariaDB's own tests are, and which of them are run here."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import paths  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


def home():
    """The unpacked packages: their /usr."""
    path = os.path.join(paths.build_dir(), "mariadb-test", "usr")
    if not os.path.isdir(path):
        raise RuntimeError("MariaDB's tests are not at %s (run scripts/install test)" % path)
    return path


def folder():
    """mtr's own folder."""
    return os.path.join(home(), "share", "mysql", "mysql-test")


def names(file):
    """The first word of each line of a list beside this file; # begins a remark."""
    with open(os.path.join(HERE, file), encoding="utf-8") as f:
        lines = [line.split("#", 1)[0].split() for line in f]
    return [words[0] for words in lines if words]


def exceptions(file, of_suite, modes):
    """{test: reason} of a list whose lines are: suite, modes (with commas, or all), test, reason. `modes`: those that hold now."""
    found = {}
    with open(os.path.join(HERE, file), encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            words = line.split(None, 3)
            if not words or line.startswith("#"):
                continue
            if len(words) < 4:
                raise ValueError("%s:%d: a line is: suite modes test reason" % (file, number))
            if words[0] == of_suite and (words[1] == "all" or set(modes) & set(words[1].split(","))):
                found[words[2]] = words[3].strip()
    return found


def share(wanted, number, of):
    """Every of-th test from the number-th (1 is the first): what one of several ctests runs."""
    return wanted[number - 1::of]
