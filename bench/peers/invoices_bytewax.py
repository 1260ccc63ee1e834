"""The invoice job as a Bytewax dataflow, run by `python -m bytewax.testing -p 2`.

KAFKA_BROKERS, TOPIC and OUT (a folder) are in the environment. The topic is read to its end; each worker then prints the
totals of its sellers to a file of its own. The date is not read: the totals don't need it, and the planners of the
others leave it out too.
"""
import os
from pathlib import Path

import bytewax.operators as op
import orjson
from bytewax.connectors.files import DirSink
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow


def invoices(batch):
    for message in batch:
        invoice = orjson.loads(message.value)
        yield str(invoice["SellerID"]), (invoice.get("InvoiceTotal_amount") or 0.0, invoice.get("tax_amount") or 0.0)


flow = Dataflow("invoices")
records = op.input("kafka", flow, KafkaSource([os.environ["KAFKA_BROKERS"]], [os.environ["TOPIC"]], tail=False, batch_size=10000))
keyed = op.flat_map_batch("invoice", records, invoices)
totals = op.reduce_final("totals", keyed, lambda a, b: (a[0] + b[0], a[1] + b[1]))
rows = op.map("row", totals, lambda kv: (kv[0], f"{kv[0]}|{kv[1][0]!r}|{kv[1][1]!r}"))
op.output("file", rows, DirSink(Path(os.environ["OUT"]), 2))
