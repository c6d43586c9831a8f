"""Functions and marks that stay out of the C code."""

import re
import sys

import csource

BANNED = {
    "strcpy": "base/buf.h, or memcpy with a checked length",
    "stpcpy": "base/buf.h, or memcpy with a checked length",
    "strcat": "base/buf.h",
    "strncat": "base/buf.h",
    "strncpy": "memcpy with a checked length: it may leave no NUL",
    "sprintf": "snprintf",
    "vsprintf": "vsnprintf",
    "gets": "fgets",
    "strtok": "a cursor: it writes into its argument and keeps hidden state",
    "atoi": "a parser that knows errors",
    "atol": "a parser that knows errors",
    "atoll": "a parser that knows errors",
    "atof": "a parser that knows errors",
    "system": "posix_spawn, or better nothing",
    "popen": "posix_spawn, or better nothing",
    "alloca": "a fixed array or the heap",
    "rand": "an injected source of randomness",
    "srand": "an injected source of randomness",
    "setjmp": "return values",
    "longjmp": "return values",
    "tmpnam": "mkstemp",
    "mktemp": "mkstemp",
}
_CALL = re.compile(r"(?<![\w.])(?<!->)(%s)\s*\(" % "|".join(BANNED))
_MARK = re.compile(r"\b(TODO|FIXME|XXX)\b")
_MACHINE = re.compile(r"/(?:home|root|work)/\w+")


def check(sources):
    """sources: {path: text}. Returns complaints."""
    complaints = []
    for path, text in sources.items():
        def add(match, what):
            complaints.append("%s:%d: %s" % (path, csource.line_of(text, match.start()), what))
        for match in _CALL.finditer(csource.bare(text)):
            name = match.group(1)
            add(match, "%s is banned; use %s" % (name, BANNED[name]))
        for match in _MARK.finditer(text):
            add(match, "no %s in the tree: do it, or file an issue" % match.group(1))
        for match in _MACHINE.finditer(csource.without_comments(text)):
            add(match, "a path of one machine: " + match.group(0))
    return complaints


CASES = [(name, 1, {"base/a.c": "int f(void)\n{\n    return (int)%s (x);\n}\n" % name})
         for name in BANNED] + [
    ("after an operator", 1, {"base/a.c": "x = y>atoi(s);\n"}),
    ("longer name", 0, {"base/a.c": "my_strcpy(a); strcpy_s(a); rand_next(r); randomize();\n"}),
    ("snprintf", 0, {"base/a.c": "snprintf(b, n, \"%d\", 1); vsnprintf(b, n, f, a);\n"}),
    ("member", 0, {"base/a.c": "ops->system(x); ops.rand(y);\n"}),
    ("in a comment", 0, {"base/a.c": "/* never strcpy(a, b) */ // nor gets(x)\n"}),
    ("in a string", 0, {"base/a.c": 'puts("system(x)"); c = \'"\'; puts("\\"rand(");\n'}),
    ("behind a string with a slash", 1, {"base/a.c": 'puts("/*"); gets(x); puts("*/");\n'}),
    ("mark", 1, {"base/a.c": "/* TODO: later */\n"}),
    ("machine path", 1, {"base/a.c": 'open("/home/joe/x");\n'}),
    ("good", 0, {"base/a.c": "memcpy(a, b, n); strtok_r(s, d, &p);\n"}),
]

if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        csource.self_test("banned", CASES, check)
    tree = {p: csource.read(p) for p in csource.files()}
    csource.finish("banned", check(tree), len(tree))
