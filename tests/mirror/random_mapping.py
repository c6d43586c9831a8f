"""Random mappings over one small schema, and what their documents must be: computed in Python from plain rows, by none of the
mirror's own SQL.

A mapping is a dictionary as YAML has it; `documents` walks the same dictionary."""

from bson.decimal128 import Decimal128

# Nothing is declared as a foreign key: orphans are part of it. `up` leads to the table before, `ref` to Look.
SCHEMA = """
CREATE DATABASE prop CHARACTER SET utf8mb4;
CREATE TABLE prop.Look (id INT PRIMARY KEY, s VARCHAR(20), n INT);
CREATE TABLE prop.A (id INT PRIMARY KEY, ref INT, n INT, s VARCHAR(20), d DECIMAL(8,2), KEY (ref));
CREATE TABLE prop.B (id INT PRIMARY KEY, up INT, ref INT, n INT, s VARCHAR(20), d DECIMAL(8,2), KEY (up), KEY (ref));
CREATE TABLE prop.C (up INT, no INT, ref INT, n INT, s VARCHAR(20), d DECIMAL(8,2), PRIMARY KEY (up, no), KEY (ref));
"""
COLUMNS = {"Look": ("id", "s", "n"), "A": ("id", "ref", "n", "s", "d"), "B": ("id", "up", "ref", "n", "s", "d"),
           "C": ("up", "no", "ref", "n", "s", "d")}
KEYS = {"Look": ("id",), "A": ("id",), "B": ("id",), "C": ("up", "no")}
CHILD = {"A": "B", "B": "C"}
WHERES = {"{n} > 3": lambda r: r["n"] is not None and r["n"] > 3, "{s} <> 'x'": lambda r: r["s"] is not None and r["s"] != "x",
          "{n} IS NULL OR {n} < 8": lambda r: r["n"] is None or r["n"] < 8}


class Maker:
    """Draws mappings; random: a random.Random."""

    def __init__(self, random):
        self.random = random

    def chance(self, share):
        return self.random.random() < share

    def aggregates(self):
        roots = self.random.sample(["A", "A", "B", "B", "C", "Look"], self.random.randint(2, 3))
        return [self.aggregate("c%d" % i, root) for i, root in enumerate(roots)]

    def aggregate(self, name, table):
        made = dict({"collection": name, "table": "prop." + table, "key": list(KEYS[table])}, **self.level(table, 2))
        arrays = made.get("arrays", {})
        if table != "C" and self.chance(0.5) and "Kids" in arrays and not folds(made) and "order_by" not in arrays["Kids"]:
            arrays["Kids"].pop("limit", None)
            kids = arrays["Kids"]
            kids["page"] = self.random.randint(2, 4)
            if "group_by" in kids:  # `ref` may be NULL
                kids["group_by"] = [KEYS[kids["table"][5:]][-1]]
                kids["fields"]["Ref"] = kids["group_by"][0]
        return made

    def level(self, table, depth):
        """Joins, fields and arrays of a table."""
        random = self.random
        made = {"fields": {"F%d" % i: c for i, c in enumerate(random.sample(COLUMNS[table], random.randint(1, 3)))}}
        fields = made["fields"]
        if self.chance(0.4):
            fields["Text"] = {"sql": "CONCAT({s}, '-', {n})"}
        if self.chance(0.3):
            made["where"] = random.choice(sorted(WHERES))
        if table != "Look" and self.chance(0.6):
            made["joins"] = [{"table": "prop.Look", "on": {"id": "ref"}, "required": self.chance(0.3)}]
            fields["Look"] = {"unless_null": "Look.id", "fields": {"S": "Look.s", "N": "Look.n"}} if self.chance(0.4) else "Look.s"
        if table in CHILD and depth and self.chance(0.85):
            made["arrays"] = {"Kids": self.array(CHILD[table], {"up": "id"}, depth - 1)}
        elif table == "Look":
            child = random.choice(["A", "B", "C"])
            made["arrays"] = {"Kids": self.array(child, {"ref": "id"}, 1)}
        if "arrays" in made and "group_by" not in made["arrays"]["Kids"] and self.chance(0.4):
            what = random.choice(["sum", "count", "min", "max"])
            fields["Fold"] = {what: "n", "of": "Kids"}
        return made

    def array(self, table, on, depth):
        made = {"table": "prop." + table, "on": on}
        if self.chance(0.25):  # one element for each value
            made.update({"group_by": ["ref"], "fields": {"Ref": "ref", "Sum": {"sum": "n"}, "Count": {"count": "n"}, "Most": {"max": "n"}}})
            return made
        if self.chance(0.2):  # one for each row of Look
            made.update({"joins": [{"table": "prop.Look", "on": {"id": "ref"}, "required": True}], "group_by": ["Look.id"],
                         "fields": {"Ref": "Look.id", "S": "Look.s", "Sum": {"sum": "n"}}})
            return made
        made.update({"key": list(KEYS[table])}, **self.level(table, depth))
        if self.chance(0.3):
            made["order_by"] = ["n desc"] if self.chance(0.5) else ["n"]
        if self.chance(0.3):
            made["limit"] = self.random.randint(1, 3)
        return made


def folds(level):
    return any(isinstance(f, dict) and "of" in f for f in level["fields"].values())


def fold(what, values):
    values = [v for v in values if v is not None]
    if what == "sum":
        return Decimal128(str(sum(values)))
    if what == "count":
        return len(values)
    return (min if what == "min" else max)(values, default=None)


def cell(value):
    return value if value is None or isinstance(value, (int, str)) else Decimal128(str(value))


class Documents:
    """rows: {table: [row as a dictionary]}."""

    def __init__(self, rows):
        self.rows = rows
        self.look = {r["id"]: r for r in rows["Look"]}

    def of(self, aggregate):
        """{str(_id): document}, pages not divided."""
        made = {}
        for row in self.shown(aggregate, self.rows[aggregate["table"][5:]]):
            key = [row[k] for k in aggregate["key"]]
            doc = {"_id": key[0] if len(key) == 1 else dict(zip(aggregate["key"], key))}
            made[str(doc["_id"])] = dict(doc, **self.element(aggregate, row))
        return made

    def joined(self, level, row):
        return self.look.get(row["ref"]) if level.get("joins") else None

    def shown(self, level, rows):
        """Those that `where` and required joins leave."""
        required = any(j["required"] for j in level.get("joins", []))
        where = WHERES.get(level.get("where"), lambda r: True)
        return [r for r in rows if where(r) and not (required and self.joined(level, r) is None)]

    def element(self, level, row):
        kids = {name: self.shown(a, self.children(a, row)) for name, a in level.get("arrays", {}).items()}
        made = {name: self.value(f, level, row, kids) for name, f in level["fields"].items()}
        for name, a in level.get("arrays", {}).items():
            made[name] = self.groups(a, kids[name]) if "group_by" in a else [self.element(a, r) for r in ordered(a, kids[name])]
        return made

    def children(self, array, row):
        (own, other), = array["on"].items()
        return [r for r in self.rows[array["table"][5:]] if r[own] is not None and r[own] == row[other]]

    def groups(self, array, rows):
        column = array["group_by"][0].replace("Look.id", "ref")
        refs = {}
        for r in rows:
            refs.setdefault(r[column], []).append(r)
        return [self.group(array, ref, rows) for ref, rows in sorted(refs.items(), key=lambda g: (g[0] is not None, g[0]))]

    def group(self, array, ref, rows):
        n = [r["n"] for r in rows]
        if "S" in array["fields"]:
            return {"Ref": ref, "S": self.joined(array, rows[0])["s"], "Sum": fold("sum", n)}
        return {"Ref": ref, "Sum": fold("sum", n), "Count": fold("count", n), "Most": fold("max", n)}

    def value(self, field, level, row, kids):
        if isinstance(field, str):
            return cell((self.joined(level, row) or {}).get(field[5:]) if field.startswith("Look.") else row[field])
        if "sql" in field:
            return None if row["s"] is None or row["n"] is None else "%s-%d" % (row["s"], row["n"])
        if "unless_null" in field:
            found = self.joined(level, row)
            return found and {"S": found["s"], "N": found["n"]}
        (what, column), = ((k, v) for k, v in field.items() if k != "of")
        return fold(what, [r[column] for r in kids[field["of"]]])


def ordered(array, rows):
    """NULL stands before all numbers; ties go by the key."""
    rows = sorted(rows, key=lambda r: [r[k] for k in array["key"]])
    for column in reversed(array.get("order_by", [])):
        name, _, down = column.partition(" ")
        rows.sort(key=lambda r, n=name: (r[n] is not None, r[n] or 0), reverse=bool(down))
    return rows[:array.get("limit")]
