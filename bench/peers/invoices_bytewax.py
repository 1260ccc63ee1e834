"""The invoice job as a Bytewax dataflow, run by `python -m bytewax.testing -p 2`: flow as its manual builds one, record by
record; batched with what makes it faster, a step over whole batches and orjson.

KAFKA_BROKERS, TOPIC and OUT (a folder) are in the environment. The topic is read to its end; each worker then prints the
totals of its sellers to a file of its own. The date is not read: the totals don't need it, and the planners of the
others leave it out too.
"""
import json
import os
from pathlib import Path

import bytewax.operators as op
import orjson
from bytewax.connectors.files import DirSink
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow


def keyed(invoice):
    return str(invoice["SellerID"]), (invoice.get("InvoiceTotal_amount") or 0.0, invoice.get("tax_amount") or 0.0)


def one_by_one(records):
    return op.map("invoice", records, lambda message: keyed(json.loads(message.value)))


def in_batches(records):
    return op.flat_map_batch("invoice", records, lambda batch: [keyed(orjson.loads(m.value)) for m in batch])


def build(invoices, batch_size):
    flow = Dataflow("invoices")
    source = KafkaSource([os.environ["KAFKA_BROKERS"]], [os.environ["TOPIC"]], tail=False, batch_size=batch_size)
    totals = op.reduce_final("totals", invoices(op.input("kafka", flow, source)), lambda a, b: (a[0] + b[0], a[1] + b[1]))
    rows = op.map("row", totals, lambda kv: (kv[0], f"{kv[0]}|{kv[1][0]!r}|{kv[1][1]!r}"))
    op.output("file", rows, DirSink(Path(os.environ["OUT"]), 2))
    return flow


def flow():
    return build(one_by_one, 1000)


def batched():
    return build(in_batches, 10000)
