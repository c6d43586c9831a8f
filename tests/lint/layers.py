"""Which file may include which header. The rules are the tables below."""

import fnmatch
import re
import sys

import csource

# A layer may include itself and these.
MAY_USE = {
    "base": (),
    "conf": ("base",),
    "protocol": ("base",),
    "sql": ("base",),
    "routing": ("base", "conf", "protocol", "sql"),
    "proxy": ("base", "conf", "protocol", "sql", "routing"),
    "monitor": ("base", "conf", "protocol", "routing"),
    "mirror": ("base", "conf", "protocol"),
}
COMPOSITION_ROOT = "proxy/main.c"  # the one file that sees proxy, monitor and mirror

# Third-party header: the files that may include it.
THIRD_PARTY = {
    "uv.h": ("proxy/*",),
    "liburing.h": ("proxy/transport/outbox.c",),
    "yaml.h": ("conf/*",),
    "openssl/ssl.h": ("proxy/transport/tls.[ch]",),
    "openssl/rand.h": ("protocol/*", "proxy/login/session_login.c"),
    "openssl/*.h": ("protocol/*", "proxy/transport/tls.[ch]"),
    "iconv.h": ("protocol/charset_wide.c",),
    "mongoc.h": ("mirror/sink/*.[ch]",),
    "mongoc/mongoc.h": ("mirror/sink/*.[ch]", "bench/bulk.c"),
    "bson.h": ("mirror/*",),
    "bson/bson.h": ("mirror/*",),
    "mysql.h": ("monitor/probe*.[ch]", "monitor/promote*.[ch]", "mirror/source/snapshot*.[ch]",
                "mirror/source/source*.[ch]", "mirror/source/binlog_login.c", "conf/mysql_tls.h"),
    "mysql/mysql.h": ("monitor/probe*.[ch]", "monitor/promote*.[ch]", "mirror/source/snapshot*.[ch]",
                      "mirror/source/source*.[ch]", "mirror/source/binlog_login.c"),
    "pcre2.h": ("routing/pattern.c",),
    "sodium.h": ("protocol/auth/auth_ed25519.c",),
    "zlib.h": ("protocol/*",),
    "zstd.h": ("protocol/compress_zstd.c",),
    "xxhash.h": ("*",),
    "uthash.h": ("*",),
    "utlist.h": ("*",),
    "utarray.h": ("*",),
}
ONE_FILE_ONLY = ("openssl/ssl.h",)

# The C library and POSIX (of arpa/inet.h, inet_ntop and the like only convert). What isn't here or above is a new dependency: add it with care.
ANYWHERE = set("""
    assert.h ctype.h errno.h float.h inttypes.h limits.h math.h signal.h stdalign.h stdarg.h
    stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h string.h strings.h time.h
    arpa/inet.h endian.h sys/types.h sys/time.h sys/uio.h byteswap.h
""".split())
WITH_IO = set("""
    dirent.h fcntl.h getopt.h libgen.h netdb.h netinet/in.h netinet/tcp.h poll.h
    pthread.h pwd.h sched.h semaphore.h sys/epoll.h sys/eventfd.h sys/file.h sys/ioctl.h sys/mman.h
    sys/prctl.h sys/random.h sys/resource.h sys/select.h sys/socket.h sys/stat.h sys/statvfs.h
    sys/syscall.h sys/timerfd.h sys/un.h sys/utsname.h sys/wait.h syslog.h termios.h threads.h
    unistd.h execinfo.h grp.h malloc.h
""".split())
PURE = ("protocol", "sql", "routing")  # no sockets, no files, no threads

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)


def _own(path, header):
    """Complaint about a header of this tree, or None."""
    if "/" not in header or header.startswith((".", "/")):
        return "write it from the root of the tree, as in \"base/buf.h\""
    layer, target = path.split("/")[0], header.split("/")[0]
    if target == "tests" or target not in csource.LAYERS:
        return "no layer has it"
    if path == COMPOSITION_ROOT or target == layer or target in MAY_USE[layer]:
        return None
    return "%s/ may include only %s" % (layer, ", ".join((layer,) + MAY_USE[layer]))


def _foreign(path, header):
    """Complaint about a header of the system, or None."""
    layer = path.split("/")[0]
    if header in ANYWHERE:
        return None
    if header in WITH_IO:
        if layer in PURE:
            return "%s/ is pure: no sockets, files or threads" % layer
        return None
    for pattern, allowed in THIRD_PARTY.items():
        if fnmatch.fnmatchcase(header, pattern):
            if any(fnmatch.fnmatchcase(path, a) for a in allowed):
                return None
            return "only for " + ", ".join(allowed)
    if header.split("/")[0] in csource.LAYERS:
        return "a header of the tree is included with quotes"
    return "not in the table of known headers (tests/lint/layers.py)"


def check(sources):
    """sources: {path: text}. Returns complaints."""
    complaints, users = [], {}
    for path, text in sources.items():
        for match in _INCLUDE.finditer(csource.without_comments(text)):
            kind, header = match.groups()
            why = (_own if kind == '"' else _foreign)(path, header)
            if why:
                complaints.append("%s:%d: %s: %s" % (
                    path, csource.line_of(text, match.start()), header, why))
            users.setdefault(header, set()).add(path)
    for header in ONE_FILE_ONLY:
        if len(users.get(header, ())) > 1:
            complaints.append("%s: in one file only, not in %s"
                              % (header, ", ".join(sorted(users[header]))))
    return complaints


CASES = [
    ("upwards", 1, {"base/a.c": '#include "proxy/worker.h"\n'}),
    ("sideways", 1, {"conf/a.c": '#include "sql/token.h"\n'}),
    ("proxy to mirror", 1, {"proxy/a.c": '#include "mirror/sink.h"\n'}),
    ("mirror to monitor", 1, {"mirror/a.h": '#include "monitor/probe.h"\n'}),
    ("monitor to proxy", 1, {"monitor/a.h": ' # include "proxy/probe.h"\n'}),
    ("mirror to sql", 1, {"mirror/a.h": '#include "sql/lexer.h"\n'}),
    ("no folder", 1, {"base/a.c": '#include "buf.h"\n'}),
    ("relative", 1, {"conf/a.c": '#include "../base/buf.h"\n'}),
    ("tests", 1, {"base/a.c": '#include "tests/unit/x.h"\n'}),
    ("uv below proxy", 1, {"routing/a.c": "#include <uv.h>\n"}),
    ("uv in mirror", 1, {"mirror/a.c": "#include <uv.h>\n"}),
    ("sockets in protocol", 1, {"protocol/a.c": "#include <sys/socket.h>\n"}),
    ("threads in sql", 1, {"sql/lexer.re": "#include <pthread.h>\n"}),
    ("mongoc outside of the sink", 1, {"mirror/apply.c": "#include <mongoc/mongoc.h>\n"}),
    ("mysql in proxy", 1, {"proxy/a.c": "#include <mysql.h>\n"}),
    ("mysql in an unnamed file", 1, {"monitor/elect.c": "#include <mysql.h>\n"}),
    ("ssl elsewhere", 1, {"proxy/stream.c": "#include <openssl/ssl.h>\n"}),
    ("ssl twice", 1, {"proxy/transport/tls.c": "#include <openssl/ssl.h>\n",
                      "proxy/transport/tls.h": "#include <openssl/ssl.h>\n"}),
    ("evp in base", 1, {"base/a.c": "#include <openssl/evp.h>\n"}),
    ("unknown library", 1, {"base/a.c": "#include <glib.h>\n"}),
    ("own header in angles", 1, {"conf/a.c": "#include <base/buf.h>\n"}),
    ("the line is named", 1, {"base/a.c": '\n\n#include "x.h"\n'}),
    ("good", 0, {
        "proxy/main.c": '#include "mirror/mirror.h"\n#include "monitor/monitor.h"\n',
        "proxy/transport/tls.c": "#include <openssl/ssl.h>\n#include <openssl/err.h>\n#include <uv.h>\n",
        "routing/a.c": '#include "sql/token.h"\n#include "conf/conf.h"\n#include <string.h>\n',
        "mirror/sink/sink.c": "#include <mongoc/mongoc.h>\n",
        "mirror/source/snapshot.c": "#include <mysql.h>\n",
        "protocol/auth.c": "#include <openssl/evp.h>\n#include <zlib.h>\n",
        "base/a.c": '/* #include "proxy/x.h" */\n// #include <glib.h>\n#include <uthash.h>\n',
    }),
]

if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        csource.self_test("layers", CASES, check)
    found = {p: csource.read(p) for p in csource.files(csource.LAYERS)}
    csource.finish("layers", check(found), len(found))
