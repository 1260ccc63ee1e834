#!/usr/bin/env python3
"""Writes the page: report.py RAW PAGE. RAW is the folder of run.sh, with one file a section."""
import pathlib
import statistics
import sys


class Section:
    """What was measured: contestant -> metric -> values, one a run."""

    def __init__(self, path):
        self.about, self.of = {}, {}
        for line in path.read_text().splitlines() if path.exists() else []:
            who, _, metric, value = line.split("\t")
            if who == "about":
                self.about[metric] = value
            else:
                self.of.setdefault(who, {}).setdefault(metric, []).append(float(value))

    def get(self, who, metric):
        """The median, or None: not measured, or one of its runs failed."""
        values = self.of.get(who, {})
        return statistics.median(values[metric]) if metric in values and "failed" not in values else None


NAMES = {
    "headrace_2": "headrace, 2 lanes",
    "headrace_1": "headrace, 1 lane",
    "tuned": "bare consumer, tuned",
    "default": "bare consumer, default",
    "spark": "PySpark",
    "streams": "Kafka Streams",
    "bytewax": "Bytewax, 2 processes",
    "bytewax_batched": "Bytewax, 2 processes, batched",
    "start_headrace": "headrace",
    "start_spark": "PySpark",
    "headrace_file_2": "headrace, 2 lanes",
    "headrace_file_1": "headrace, 1 lane",
    "duckdb_2": "DuckDB, 2 threads",
    "duckdb_1": "DuckDB, 1 thread",
    "simdjson": "simdjson, 1 thread",
}

# A column: heading, metric, format, and whether its ratio to the first contestant is shown.
WALL = ("wall, s", "wall", "{:.2f}", True)
CPU = ("processor, s", "cpu", "{:.2f}", True)
PEAK = ("peak memory, MiB", "peak_mib", "{:.0f}", True)
FIRST = ("first table, s", "first", "{:.3f}", True)
RATE = ("rows/s", "rate", "{:,.0f}", True)


def shown(form, value):
    return "–" if value is None else form.format(value)


def ratio(a, b):
    return None if a is None or not b else a / b


def table(section, contestants, columns):
    """Medians, and each as a multiple of the first contestant's."""
    heads, rules = [""], ["---"]
    for head, _, _, compared in columns:
        heads += [head, "ratio"] if compared else [head]
        rules += ["---:", "---:"] if compared else ["---:"]
    lines = [heads, rules]
    for who in contestants:
        name = NAMES.get(who, who)
        row = [name + (" (failed)" if "failed" in section.of.get(who, {}) else "")]
        for _, metric, form, compared in columns:
            value = section.get(who, metric)
            row.append(shown(form, value))
            if compared:
                row.append(shown("{:.2f}", ratio(value, section.get(contestants[0], metric))))
        lines.append(row)
    return ["| " + " | ".join(cells) + " |" for cells in lines]


def kafka(s):
    yield from table(s, ["headrace_2", "headrace_1", "tuned", "default", "bytewax_batched", "bytewax", "streams", "spark"], [WALL, CPU, PEAK])


def start(s):
    yield from table(s, ["start_headrace", "start_spark"], [FIRST, WALL, CPU, PEAK])


def latency(s):
    rates = ["rate_1000", "rate_10000", "rate_100000"]
    NAMES.update({who: f"{int(who[5:]):,} records/s" for who in rates})
    yield from table(s, rates, [
        ("median, ms", "p50_ms", "{:.1f}", False), ("99th percentile, ms", "p99_ms", "{:.1f}", False),
        ("longest, ms", "max_ms", "{:.1f}", False)])


def file(s):
    yield from table(s, ["headrace_file_2", "headrace_file_1", "duckdb_2", "duckdb_1", "simdjson"],
                     [WALL, ("its query alone, s", "job", "{:.2f}", False), CPU, PEAK])


def groups(s):
    many = f"{int(s.about['groups']):,} groups"
    NAMES.update(invoices_few="invoices, 500 groups", invoices_many=f"invoices, {many}", restart=f"restart with {many}",
                 generated_few="generated rows, 500 groups", generated_many=f"generated rows, {many}")
    for pair in ("invoices", "generated"):
        yield from table(s, [f"{pair}_few", f"{pair}_many"], [RATE, WALL, CPU, PEAK])
        yield ""
    yield from table(s, ["restart"], [("first row of 10,000 new records, s", "first", "{:.2f}", False),
                                      ("to the end, s", "wall", "{:.2f}", False), PEAK[:3] + (False,)])
    yield ""
    changed = sorted((who for who in s.of if who.startswith("checkpoint_")), key=lambda who: int(who[11:]))
    NAMES.update({who: f"{int(who[11:]):,} of {many} changed" for who in changed})
    yield from table(s, changed, [("commit, ms", "commit_ms", "{:.0f}", False)])


def memory(s):
    NAMES["long"] = f"{int(s.about['rows']):,} rows"
    yield from table(s, ["long"], [
        WALL[:3] + (False,), PEAK[:3] + (False,),
        ("MiB after the first tenth", "first_mib", "{:.1f}", False), ("at the end", "last_mib", "{:.1f}", False),
        ("processor ns a row, first tenth", "first_ns", "{:.2f}", False), ("last tenth", "last_ns", "{:.2f}", False)])


def kernels(s):
    yield "| | ns an item | MB/s |"
    yield "| --- | ---: | ---: |"
    for metric in s.of.get("kernels", {}):
        if metric.endswith("_ns"):
            name = metric[:-3]
            yield f"| {name} | {shown('{:.1f}', s.get('kernels', metric))} | {shown('{:.0f}', s.get('kernels', name + '_mbs'))} |"


SECTIONS = {
    "kafka": ("The invoice job over Kafka", kafka),
    "start": ("Start", start),
    "latency": ("From produce to console", latency),
    "file": ("The invoice job over an NDJSON file", file),
    "groups": ("Few groups and many", groups),
    "memory": ("A long run", memory),
    "kernels": ("Single kernels", kernels),
}


def targets(of):
    """What was asked, what came out, whether it holds."""

    def most(asked, value, limit, form):
        return asked, shown(form, value), None if value is None else value <= limit

    def least(asked, value, limit, form):
        return asked, shown(form, value), None if value is None else value >= limit

    def over(section, a, b, metric):
        return ratio(of[section].get(a, metric), of[section].get(b, metric))

    walls = [of["kafka"].get(who, "wall") for who in ("streams", "bytewax", "bytewax_batched")]
    best = min(walls) if None not in walls else None
    query_2 = ratio(of["file"].get("headrace_file_2", "wall"), of["file"].get("duckdb_2", "job"))
    query_1 = ratio(of["file"].get("headrace_file_1", "wall"), of["file"].get("duckdb_1", "job"))
    memory, ns = of["memory"], of["memory"].get
    grown = ratio(ns("long", "last_mib"), ns("long", "first_mib"))
    slowed = ratio(ns("long", "last_ns"), ns("long", "first_ns"))
    rows = f"{int(memory.about.get('rows', 0)):,}"
    many = f"{int(of['groups'].about.get('groups', 0)):,}"
    return [
        most("Kafka: wall at most 1.3 x the tuned bare consumer", over("kafka", "headrace_2", "tuned", "wall"), 1.3, "{:.2f} x"),
        most("Kafka: processor time at most 1.7 x the tuned bare consumer", over("kafka", "headrace_2", "tuned", "cpu"), 1.7, "{:.2f} x"),
        least("Kafka: at least half the rate of the bare consumer at its defaults", over("kafka", "default", "headrace_2", "wall"), 0.5, "{:.2f} x"),
        most("Kafka: peak memory under 64 MiB", of["kafka"].get("headrace_2", "peak_mib"), 64, "{:.0f} MiB"),
        least("Kafka: 12 x Spark's throughput", over("kafka", "spark", "headrace_2", "wall"), 12, "{:.1f} x"),
        least("Kafka: 8 x the best other peer's throughput", ratio(best, of["kafka"].get("headrace_2", "wall")), 8, "{:.1f} x"),
        least("Kafka: a 15th of Spark's processor time", over("kafka", "spark", "headrace_2", "cpu"), 15, "1/{:.1f}"),
        least("Kafka: a 20th of Spark's memory", over("kafka", "spark", "headrace_2", "peak_mib"), 20, "1/{:.1f}"),
        most("First table within 0.1 s", of["start"].get("start_headrace", "first"), 0.1, "{:.3f} s"),
        least("First table 50 times sooner than Spark's", over("start", "start_spark", "start_headrace", "first"), 50, "{:.0f} times"),
        most("File: faster than DuckDB, two against two", over("file", "headrace_file_2", "duckdb_2", "wall"), 1, "{:.2f} x its time"),
        most("File: faster than DuckDB, one against one", over("file", "headrace_file_1", "duckdb_1", "wall"), 1, "{:.2f} x its time"),
        most("File: faster than DuckDB's query without its start, two against two", query_2, 1, "{:.2f} x its time"),
        most("File: faster than DuckDB's query without its start, one against one", query_1, 1, "{:.2f} x its time"),
        least(f"{many} groups: half the throughput of 500 (invoices)", over("groups", "invoices_many", "invoices_few", "rate"), 0.5, "{:.2f} x"),
        least(f"{many} groups: half the throughput of 500 (generated rows)", over("groups", "generated_many", "generated_few", "rate"), 0.5, "{:.2f} x"),
        most(f"Restart with {many} groups ready within 1.5 s", of["groups"].get("restart", "first"), 1.5, "{:.2f} s"),
        most("10,000 records/s, trigger 100 ms: 99th percentile below 150 ms", of["latency"].get("rate_10000", "p99_ms"), 150, "{:.0f} ms"),
        most(f"{rows} rows: memory flat (last tenth within 5 % of the first)", grown, 1.05, "{:.3f} x"),
        most(f"{rows} rows: processor time a row within 5 % from first tenth to last", slowed, 1.05, "{:.3f} x"),
    ]


def page(raw):
    of = {name: Section(raw / f"{name}.tsv") for name in SECTIONS}
    yield "# What bench/run.sh measured"
    yield ""
    yield "Written by `bench/run.sh`; README.md beside this page tells what each section shows and how to run it. Figures are medians, a"
    yield "ratio is to the first line of its table. Wall time, processor time and peak memory are of whole process trees, from fork to exit;"
    yield "the broker's are nobody's. A result that was not right does not count. headrace's checkpoint was on in every run."
    yield ""
    versions = raw / "versions.tsv"
    for line in versions.read_text().splitlines() if versions.exists() else []:
        name, version = line.split("\t")
        yield f"- {name}: {version}"
    for name, (title, body) in SECTIONS.items():
        s = of[name]
        yield ""
        yield f"## {title}"
        yield ""
        if not s.of:
            yield f"Not measured: `bench/run.sh {name}`."
            continue
        yield f"{s.about['date']}, commit {s.about['commit']}, {int(s.about['records']):,} records, runs of each: {s.about['runs']}, load before: {s.about['load']}.  "
        yield f"`{s.about['command']}`"
        yield ""
        yield from body(s)
    yield ""
    yield "## What was asked, and what came out"
    yield ""
    yield "| asked | came out | |"
    yield "| --- | ---: | --- |"
    for asked, value, holds in targets(of):
        yield f"| {asked} | {value} | {'not measured' if holds is None else 'yes' if holds else '**no**'} |"
    yield ""
    yield "What limits the figures that don't hold, and what was tried: PROFILE.md beside this page."


raw, path = map(pathlib.Path, sys.argv[1:])
path.write_text("\n".join(page(raw)) + "\n")
