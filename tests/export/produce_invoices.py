"""produce_invoices: written by `headrace export --to spark` from produce_invoices.yaml."""

# The invoices of a CSV file as JSON in a Kafka topic: the producer half of the job.

import argparse
import os

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

parser = argparse.ArgumentParser()
parser.add_argument("--checkpoint", required=True, help="folder of the query's checkpoint")
args = parser.parse_args()

spark = (
    SparkSession.builder.appName("produce_invoices")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.ansi.enabled", "false")
    .config("spark.sql.legacy.timeParserPolicy", "CORRECTED")
    .getOrCreate()
)

file_schema = (
    "InvoiceID INT, SellerID INT, BuyerID INT, TaxID INT, DeviceID INT, "
    "Payment_methodID DOUBLE, CancelReasonID DOUBLE, ErrorTypeID DOUBLE, "
    "InvoiceTotal_amount DOUBLE, subtotal_amount DOUBLE, tax_amount DOUBLE, "
    "discount_amount DOUBLE, invoice_Date STRING, invoice_ModifiedDate STRING"
)

# Differs from headrace: Spark wants the columns of the file in the order of the schema, and all of them.
file = (
    spark.readStream.option("pathGlobFilter", os.path.basename(os.environ.get("INVOICES") or "pipelines/data/invoices.csv"))
    .schema(file_schema)
    .option("mode", "PERMISSIVE")
    .option("header", True)
    .option("enforceSchema", False)
    .option("escape", '"')
    .csv(os.path.dirname(os.environ.get("INVOICES") or "pipelines/data/invoices.csv") or ".")
)

to_json = file.withColumn("value", F.to_json(F.struct("*")))

# Differs from headrace: Spark's Kafka sink may write an epoch twice after a failure.
query = (
    to_json.select("value")
    .writeStream.format("kafka")
    .option("kafka.bootstrap.servers", os.environ.get("KAFKA_BROKERS") or "localhost:9092")
    .option("topic", os.environ.get("TOPIC") or "invoices")
    .outputMode("append")
    .trigger(availableNow=True)
    .option("checkpointLocation", args.checkpoint)
    .start()
)

query.awaitTermination()
