"""A mirror of other tables than the POS ones, and what the documents are compared by."""

import datetime

import bson.codec_options
from bson.decimal128 import Decimal128

from shop_mirror import Shop, typed

from harness import yamlout


def section(mongo, aggregates, **options):
    """The mirror's section; aggregates: YAML as text, or a Raw block of a file; options: more of it. With validators: MongoDB itself checks what is written."""
    if isinstance(aggregates, str):
        aggregates = yamlout.Raw(aggregates.strip().splitlines())
    return {"mirror": {"uri": mongo.uri, "database": mongo.database, "batch_delay": "1ms", "validate": True, "aggregates": aggregates, **options}}


class Mapped(Shop):
    """The shop's servers with another schema and mapping; statements of the schema end in ";" and a line's end."""

    def __init__(self, schema, aggregates, **options):
        super().__init__()
        self.options = options
        self.schema = schema
        self.aggregates = aggregates

    def load(self):
        for sql in self.schema.split(";\n"):
            if sql.strip():
                self.primary.query(sql)

    def section(self):
        return section(self.mongo, self.aggregates, **self.options)

    def rows(self, sql):
        return self.primary.query(sql)

    def found(self, collection):
        options = bson.codec_options.CodecOptions(tz_aware=True)
        rows = self.mongo.db()[collection].with_options(codec_options=options).find({}, {"_tillway": 0})
        return {str(d["_id"]): d for d in rows}

    def assert_documents(self, case, collection, wanted):
        """The collection is just these documents; how many."""
        got = self.found(collection)
        case.assertEqual(sorted(got), sorted(wanted))
        for key in wanted:
            case.assertEqual(typed(got[key]), typed(wanted[key]), key)
        return len(got)


def money(value):
    return None if value is None else Decimal128(str(value))


def moment(value):
    return None if value is None else value.replace(tzinfo=datetime.timezone.utc)
