"""The C files of the tree, and their text without comments and literals."""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LAYERS = ("base", "conf", "protocol", "sql", "routing", "proxy", "monitor", "mirror")
FOLDERS = LAYERS + ("tests", "bench")
ENDINGS = (".c", ".h", ".re")

_TOKEN = re.compile(r"""
      /\*.*?\*/ | //[^\n]*                      # comments
    | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'  # literals
""", re.S | re.X)


def files(folders=FOLDERS):
    """Paths relative to the root, sorted."""
    found = []
    for folder in folders:
        for where, below, names in os.walk(os.path.join(ROOT, folder)):
            below[:] = sorted(d for d in below if not d.startswith("."))
            found += [os.path.relpath(os.path.join(where, n), ROOT)
                      for n in sorted(names) if n.endswith(ENDINGS)]
    return found


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def _blank(match):
    text = match.group(0)
    hollow = re.sub(r"[^\n]", " ", text)
    return hollow if text[0] == "/" else text[0] + hollow[1:-1] + text[-1]


def bare(text):
    """The text with comments blanked and literals emptied; lines and columns stay."""
    return _TOKEN.sub(_blank, text)


def without_comments(text):
    """The text with comments blanked; literals stay."""
    return _TOKEN.sub(lambda m: _blank(m) if m.group(0)[0] == "/" else m.group(0), text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def finish(name, complaints, count):
    """Print the verdict and exit."""
    for complaint in complaints:
        print(complaint)
    print("%s: %d files, %d complaints" % (name, count, len(complaints)))
    sys.exit(1 if complaints else 0)


def self_test(name, cases, check):
    """cases: (what, expected complaints, arguments of check...). Exits."""
    wrong = 0
    for what, expected, *arguments in cases:
        got = check(*arguments)
        if len(got) != expected:
            wrong += 1
            print("%s: expected %d complaints, got %r" % (what, expected, got))
    print("%s: self-test, %d cases, %d wrong" % (name, len(cases), wrong))
    sys.exit(1 if wrong or not cases else 0)
