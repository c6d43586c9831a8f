"""How long functions and files may be (ctags knows where a function ends)."""

import os
import shutil
import subprocess
import sys
import tempfile

import csource

FUNCTION_MAX, FUNCTION_USUAL, USUAL_SHARE = 70, 50, 0.9
FILE_MAX, HEADER_MAX = 600, 150
ENOUGH = 50  # the share is judged from this many functions on


def functions(root, paths):
    """(path, name, line, lines) of every function."""
    ctags = shutil.which("ctags-universal") or shutil.which("ctags")
    if not ctags:
        raise SystemExit("sizes: no ctags (run scripts/install test)")
    out = subprocess.run(
        [ctags, "--quiet", "--options=NONE", "-f", "-", "-L", "-", "--language-force=C", "--kinds-C=f",
         "--fields=ne", "--excmd=number", "--sort=no"], input="\n".join(paths), cwd=root,
        stdout=subprocess.PIPE, text=True, check=True).stdout
    for row in out.splitlines():
        cells = row.split("\t")
        extra = dict(c.split(":", 1) for c in cells[3:] if ":" in c)
        first, last = int(extra["line"]), int(extra.get("end", extra["line"]))
        yield cells[1], cells[0], first, last - first + 1


def _file_complaint(path, text):
    lines = text.count("\n")
    limit = HEADER_MAX if path.endswith(".h") else FILE_MAX
    return "%s: %d lines, %d allowed" % (path, lines, limit) if lines > limit else None


def check(sources, root=None):
    """sources: {path: text}; root: where they already lie as files. Returns complaints."""
    if root is None:
        with tempfile.TemporaryDirectory() as scratch:
            for path, text in sources.items():
                os.makedirs(os.path.dirname(os.path.join(scratch, path)), exist_ok=True)
                with open(os.path.join(scratch, path), "w", encoding="utf-8") as f:
                    f.write(text)
            return check(sources, scratch)
    complaints = [c for c in (_file_complaint(p, t) for p, t in sources.items()) if c]
    # A lexer of re2c is a table in one function: only its file is measured.
    found = list(functions(root, [p for p in sources if not p.endswith(".re")]))
    complaints += ["%s:%d: %s: %d lines, %d allowed" % (path, line, name, lines, FUNCTION_MAX)
                   for path, name, line, lines in found if lines > FUNCTION_MAX]
    short = sum(1 for f in found if f[3] < FUNCTION_USUAL)
    if len(found) >= ENOUGH and short < USUAL_SHARE * len(found):
        complaints.append("only %d of %d functions are under %d lines (nine in ten should be)"
                          % (short, len(found), FUNCTION_USUAL))
    return complaints


def _function(name, lines):
    return "static int %s(int a)\n{\n" % name + "    a++;\n" * (lines - 4) + "    return a;\n}\n"


CASES = [
    ("71 lines", 1, {"base/a.c": _function("f", 71)}),
    ("70 lines", 0, {"base/a.c": _function("f", 70)}),
    ("two too long", 2, {"base/a.c": _function("f", 90) + "\n" + _function("g", 75)}),
    ("long file", 1, {"base/a.c": "int x;\n" * 601}),
    ("file at its limit", 0, {"base/a.c": "int x;\n" * 600}),
    ("long header", 1, {"base/a.h": "int f(int);\n" * 151}),
    ("header at its limit", 0, {"base/a.h": "int f(int);\n" * 150}),
    ("inline in a header", 1, {"base/a.h": _function("f", 72)}),
    ("lexer", 0, {"sql/a.re": _function("f", 300)}),
    ("long lexer", 1, {"sql/a.re": "x\n" * 601}),
    ("too many long ones", 1,
     dict(("base/f%d.c" % i, _function("f%d" % i, 55 if i < 6 else 10)) for i in range(55))),
    ("few long ones", 0,
     dict(("base/f%d.c" % i, _function("f%d" % i, 55 if i < 5 else 10)) for i in range(55))),
]

if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        csource.self_test("sizes", CASES, check)
    tree = {p: csource.read(p) for p in csource.files()}
    csource.finish("sizes", check(tree, csource.ROOT), len(tree))
