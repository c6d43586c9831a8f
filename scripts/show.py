"""What the demo prints: steps with their time, facts, tables, documents. Plain text; colour only on a terminal."""

import contextlib
import datetime
import json
import os
import shutil
import sys
import threading
import time
import unicodedata

ROWS = 5         # of a table or a find, before "and N more"
FIRST_LINES = 3  # of the first document; the others have one
CELL_MAX = 60    # columns of a table's cell
TICK_SECONDS = 0.2


def width(text):
    """Columns it takes on a terminal."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in text)


def clip(text, columns):
    """Cut to so many columns, with dots where something is missing."""
    if len(text) <= 4 * columns and width(text) <= columns:
        return text
    text = text[:4 * columns]
    while width(text) > columns - 3:
        text = text[:-1]
    return text + "..."


def plain(value):
    """A value of SQL or BSON as a person writes it."""
    if value is None:
        return "NULL"
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return str(value)


def _json_default(value):
    if isinstance(value, datetime.datetime):
        text = value.strftime("%Y-%m-%dT%H:%M:%S")
        return text[:10] if text.endswith("T00:00:00") else text
    return str(value)


def document_text(document):
    return json.dumps(document, default=_json_default, ensure_ascii=False)


class Step:
    """One line of progress. note(): a word to go behind the time."""

    def __init__(self, show, title, many_lines):
        self._show, self._title, self._many_lines = show, title, many_lines
        self._began = time.monotonic()
        self._note = self._progress = ""
        self._said = 0.0
        self._over = threading.Event()
        self._ticker = None

    def note(self, text):
        self._note = text

    def progress(self, text):
        """How far it is. On a terminal in place; else a line now and then."""
        self._progress = text
        now = time.monotonic()
        if not self._show.terminal and now - self._said >= self._show.patience:
            self._said = now
            self._show.line("      %4.0f s  %s" % (now - self._began, text))

    def begin(self):
        if self._many_lines or not self._show.terminal:
            self._show.line("  %s ..." % self._title)
            return
        self._ticker = threading.Thread(target=self._tick, daemon=True)
        self._ticker.start()

    def _tick(self):
        while not self._over.wait(TICK_SECONDS):
            text = "  %s ... %.0f s  %s" % (self._title, time.monotonic() - self._began, self._progress)
            self._show.rewrite(text)

    def end(self, good):
        self._over.set()
        if self._ticker is not None:
            self._ticker.join()
            self._show.rewrite("")
        seconds = time.monotonic() - self._began
        verdict = self._show.paint("ok", "32") if good else self._show.paint("failed", "31")
        self._show.line("  %s  %s, %.1f s%s" % (self._title, verdict, seconds,
                                                "; " + self._note if self._note else ""))


class Show:
    def __init__(self, out):
        out.reconfigure(errors="replace", line_buffering=True)
        self._out = out
        self.terminal = out.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self._colour = self.terminal and not os.environ.get("NO_COLOR")
        self.patience = 5.0  # seconds between two lines of progress where there is no terminal
        self._columns = shutil.get_terminal_size((110, 24)).columns if self.terminal else 110

    def paint(self, text, code):
        return "\x1b[%sm%s\x1b[0m" % (code, text) if self._colour else text

    def line(self, text=""):
        self._out.write(text + "\n")

    def rewrite(self, text):
        self._out.write("\r\x1b[2K" + clip(text, self._columns - 1))
        self._out.flush()

    @contextlib.contextmanager
    def step(self, title, many_lines=False):
        step = Step(self, title, many_lines)
        step.begin()
        good = False
        try:
            yield step
            good = True
        finally:
            step.end(good)

    def heading(self, text):
        self.line()
        self.line(self.paint(text, "1"))

    def query(self, title, text):
        self.line()
        self.line("  " + title)
        self.line("  " + self.paint(text, "2"))

    def text(self, text):
        for line in text.rstrip("\n").splitlines():
            self.line("  " + line)

    def facts(self, pairs):
        pad = max(width(name) for name, _ in pairs)
        for name, value in pairs:
            self.line("  %s%s  %s" % (name, " " * (pad - width(name)), value))

    def table(self, names, rows):
        """The first rows, and how many there are."""
        cells = [[clip(plain(v), CELL_MAX) for v in row] for row in [names] + list(rows[:ROWS])]
        widths = [max(width(row[i]) for row in cells) for i in range(len(names))]
        for at, row in enumerate(cells):
            self.line(("    " + " | ".join(c + " " * (w - width(c)) for c, w in zip(row, widths))).rstrip())
            if at == 0:
                self.line("    " + "-+-".join("-" * w for w in widths))
        self._count(len(rows), "row")

    def documents(self, first, count):
        """The first documents, and how many there are."""
        room = max(60, self._columns - 6)
        for at, document in enumerate(first):
            text = clip(document_text(document), (FIRST_LINES if at == 0 else 1) * room)
            for start in range(0, len(text), room):
                self.line("    " + text[start:start + room])
        self._count(count, "document")

    def _count(self, count, noun):
        more = "; the first %d are shown" % ROWS if count > ROWS else ""
        self.line("    (%d %s%s%s)" % (count, noun, "" if count == 1 else "s", more))

    def find_text(self, collection, query, fields):
        """A find as mongosh has it; a $regex is written between slashes."""
        wanted = {k: "/%s/" % v["$regex"] if isinstance(v, dict) else v for k, v in query.items()}
        text = json.dumps(wanted, ensure_ascii=False).replace('"/', "/").replace('/"', "/")
        return "db.%s.find(%s, %s)" % (collection, text, json.dumps(fields, ensure_ascii=False))

    def failed(self, why):
        self._out.flush()
        print(self.paint("demo: FAILED", "31") + ": " + why, file=sys.stderr)

    def done(self, text):
        self.line()
        self.line(self.paint("demo: ok", "32") + ": " + text)
