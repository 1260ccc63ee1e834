"""What Spark answers to every line of the corpora: golden/CORPUS, a line each: input TAB type TAB value TAB value ...

Usage: spark.py CORPORA_DIR OUT_DIR. One session answers everything; no data leaves the driver.
"""
import json
import os
import re
import sys

from pyspark.sql import SparkSession, functions as F

TYPES = ["INT", "BIGINT", "DOUBLE", "STRING", "BOOLEAN", "DATE", "TIMESTAMP", "DECIMAL(10,2)", "DECIMAL(38,18)"]
RECORD = "a INT, b STRING, c DOUBLE"


def lines(path):
    """The lines of a corpus, without its comments at the top."""
    with open(path, encoding="utf-8", newline="\n") as f:
        text = f.read().split("\n")[:-1]
    while text and text[0].startswith("#"):
        text.pop(0)
    return text


def expressions(path):
    return [e for e in lines(path) if e and not e.startswith("#")]


def label(text):
    return text.replace("\t", "<TAB>")


def sql_text(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def quoted(value):
    """As JSON text, the way both engines write a string."""
    return "null" if value is None else json.dumps(value, ensure_ascii=False)


def type_name(data_type):
    return data_type.simpleString().upper()


def goodness(corrupt):
    return "ok" if corrupt is None else "bad"


def failure(error):
    return "upgrade" if "SparkUpgradeException" in str(error) or "PARSE_DATETIME_BY_NEW_PARSER" in str(error) else "refused"


class Corpora:
    def __init__(self, spark, corpora, out):
        self.spark, self.corpora, self.out = spark, corpora, out

    def path(self, name):
        return os.path.join(self.corpora, name)

    def write(self, name, rows):
        with open(os.path.join(self.out, name), "w", encoding="utf-8") as f:
            f.writelines("\t".join(row) + "\n" for row in rows)

    def ask(self, frame, asked, select=None):
        """For each expression [type, value of each row ...], or [what went wrong]. All at once; where that fails, by halves."""
        select = select or frame.select
        try:
            answer = select(*[F.expr(e).alias(f"c{i}") for i, e in enumerate(asked)])
            kinds = [type_name(f.dataType) for f in answer.schema.fields]
            rows = answer.select(*[F.col(name).cast("string") for name in answer.columns]).collect()
            return [[kind] + [quoted(row[i]) for row in rows] for i, kind in enumerate(kinds)]
        except Exception as error:
            if len(asked) == 1:
                return [[failure(error)]]
            half = len(asked) // 2
            return self.ask(frame, asked[:half], select) + self.ask(frame, asked[half:], select)

    def ask_in_parts(self, name, frame, asked, part=24):
        answers = [a for at in range(0, len(asked), part) for a in self.ask(frame, asked[at:at + part])]
        self.write(name, [[e] + a for e, a in zip(asked, answers)])

    def values(self, texts):
        """A local relation with one column t: the optimizer itself answers, and no task is started."""
        return "FROM VALUES %s AS v(t)" % ", ".join("(%s)" % sql_text(t) for t in texts or [""])

    def expressions(self):
        schema = lines(self.path("table.schema"))[0]
        table = self.spark.sql("SELECT r.* FROM (SELECT from_json(t, %s) r %s)" % (
            sql_text(schema), self.values(lines(self.path("table.ndjson")))))
        self.ask_in_parts("expressions", table, expressions(self.path("expressions.txt")))

    def dates(self):
        asked = []
        for line in lines(self.path("dates.txt")):
            pattern, text = line.split("\t")
            asked += ["to_%s(%s, %s)" % (what, sql_text(text), sql_text(pattern)) for what in ("date", "timestamp")]
        self.ask_in_parts("dates", self.spark.sql("SELECT 1 " + self.values([])), asked, part=4)

    def from_json(self, records, schema, mode="PERMISSIVE"):
        """The row of each record, or what went wrong with it."""
        fields = [f.split()[0] for f in re.sub(r"\(.*?\)", "", schema).split(", ")]
        try:
            return self.spark.sql("SELECT %s FROM (SELECT from_json(t, %s, map('mode', '%s')) r %s)" % (
                ", ".join(f"CAST(r.{f} AS STRING)" for f in fields), sql_text(schema), mode, self.values(records))).collect()
        except Exception as error:
            if len(records) == 1:
                return [failure(error)]
            half = len(records) // 2
            return self.from_json(records[:half], schema, mode) + self.from_json(records[half:], schema, mode)

    def json_values(self):
        answers, values = [], lines(self.path("json/values.txt"))
        for kind in TYPES:
            rows = self.from_json(['{"x": %s}' % v for v in values], f"x {kind}, _corrupt_record STRING")
            answers += [[f"{label(v)} as {kind}"] + ([row] if isinstance(row, str) else [goodness(row[1]), quoted(row[0])])
                        for v, row in zip(values, rows)]
        self.write("json-values", answers)

    def json_records(self):
        records = lines(self.path("json/records.txt"))
        rows = self.from_json(records, RECORD + ", _corrupt_record STRING")
        strict = [self.from_json([r], RECORD, "FAILFAST")[0] for r in records]
        self.write("json-records", [[label(record), goodness(isinstance(fast, str) or None)] + [quoted(v) for v in row]
                                    for record, row, fast in zip(records, rows, strict)])

    def aggregates(self):
        calls = expressions(self.path("aggregates.calls"))
        asked = [line.split("\t") for line in lines(self.path("aggregates.txt"))]
        answer = {}
        for kind in dict.fromkeys(kind for kind, _ in asked):
            some = [values for k, values in asked if k == kind and values]
            rows = [(n, '{"x": %s}' % v) for n, values in enumerate(some) for v in split_values(values)]
            table = self.spark.sql("SELECT n, from_json(t, 'x %s').x AS x FROM VALUES %s AS v(n, t)" % (
                kind, ", ".join("(%d, %s)" % (n, sql_text(t)) for n, t in rows)))
            for call, got in zip(calls, self.ask(table, calls, lambda *c: table.groupBy("n").agg(*c).orderBy("n").drop("n"))):
                for n, values in enumerate(some):
                    answer[call, kind, values] = [got[0]] + got[n + 1:n + 2]
            for call, got in zip(calls, self.ask(table, calls, table.where("false").agg)):
                answer[call, kind, ""] = got
        self.write("aggregates", [[f"{call} of {kind}: {values}"] + answer[call, kind, values]
                                  for kind, values in asked for call in calls])

    def to_json(self):
        schema = lines(self.path("table.schema"))[0]
        rows = self.spark.sql("SELECT to_json(from_json(t, %s)) %s" % (
            sql_text(schema), self.values(lines(self.path("table.ndjson"))))).collect()
        self.write("to_json", [[f"row {i + 1}", "ok", row[0]] for i, row in enumerate(rows)])

    def console(self):
        answers = []
        for name in sorted(os.listdir(self.path("console"))):
            with open(os.path.join(self.path("console"), name), encoding="utf-8") as f:
                schema, *rows = f.read().splitlines()
            frame = self.spark.sql("SELECT r.* FROM (SELECT from_json(t, %s) r %s)" % (sql_text(schema), self.values(rows)))
            for truncate in (20, 0, 3, 8):
                text = frame._jdf.showString(20, truncate, False)
                answers += [[f"{name} truncate {truncate} line {i + 1}", "ok", line] for i, line in enumerate(text.split("\n"))]
        self.write("console", answers)


def split_values(text):
    """Values with one blank between; a blank within quotes belongs to the value."""
    values, within = [], False
    for word in text.split(" ") if text else []:
        if within:
            values[-1] += " " + word
        else:
            values.append(word)
        within ^= word.count('"') % 2 == 1
    return values


def main(corpora, out):
    spark = (SparkSession.builder.master("local[1]").appName("headrace-differences")
             .config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC")
             .config("spark.sql.ansi.enabled", "false").config("spark.sql.shuffle.partitions", "1").config("spark.sql.codegen.wholeStage", "false")
             .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
             .getOrCreate())
    spark.sparkContext.setLogLevel("OFF")
    answers = Corpora(spark, corpora, out)
    for corpus in (answers.expressions, answers.dates, answers.json_values, answers.json_records, answers.aggregates,
                   answers.to_json, answers.console):
        corpus()
        print("spark:", corpus.__name__, flush=True)
    spark.stop()


main(sys.argv[1], sys.argv[2])
