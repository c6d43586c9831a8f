"""Writes a configuration: dictionaries, lists and scalars as block YAML, as a person would.

Reading YAML is not its business; block() only cuts a section out of an example file, to be written as it is.
"""

import json
import re


class Raw:
    """Lines of YAML, put in as they are at the depth where they stand."""

    def __init__(self, lines):
        self.lines = lines


_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./:@-]*")
_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


def _scalar(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    text = str(value)
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS and not text.endswith(":")
    return text if plain else json.dumps(text, ensure_ascii=False)


def _lines(value, indent):
    pad = "  " * indent
    items = value.items() if isinstance(value, dict) else ((None, v) for v in value)
    for key, item in items:
        head = pad + ("-" if key is None else _scalar(key) + ":")
        if isinstance(item, Raw):
            yield head
            yield from (pad + "  " + line if line else line for line in item.lines)
        elif isinstance(item, (dict, list)) and item:
            below = list(_lines(item, indent + 1))
            if key is None:  # the first line of an element stands behind its dash
                below[0] = head + " " + below[0].lstrip()
                yield from below
            else:
                yield head
                yield from below
        elif isinstance(item, (dict, list)):
            yield head + (" {}" if isinstance(item, dict) else " []")
        else:
            yield head + " " + _scalar(item)


def dump(value):
    return "\n".join(_lines(value, 0)) + "\n"


def block(path, key):
    """What stands under `key:` in a file, without its indentation, as Raw."""
    with open(path, encoding="utf-8") as f:
        lines = f.read().splitlines()
    at = next((i for i, line in enumerate(lines) if re.fullmatch(r" *%s: *(#.*)?" % key, line)), None)
    if at is None:
        raise RuntimeError("%s has no %s:" % (path, key))
    depth = len(lines[at]) - len(lines[at].lstrip())
    body = []
    for line in lines[at + 1:]:
        inner = len(line) - len(line.lstrip())
        if line.strip() and (inner < depth or inner == depth and not line.lstrip().startswith("-")):
            break
        body.append(line)
    cut = min((len(b) - len(b.lstrip()) for b in body if b.strip()), default=0)
    return Raw([b[cut:].rstrip() for b in body])


def merged(base, over):
    """base with over laid on it, section by section; None in over removes a key."""
    result = dict(base)
    for key, value in over.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result
