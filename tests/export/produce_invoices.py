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
    "InvoiceID STRING, SellerID STRING, BuyerID STRING, TaxID STRING, DeviceID STRING, "
    "Payment_methodID STRING, CancelReasonID STRING, ErrorTypeID STRING, "
    "InvoiceTotal_amount STRING, subtotal_amount STRING, tax_amount STRING, "
    "discount_amount STRING, invoice_Date STRING, invoice_ModifiedDate STRING, "
    "_corrupt_record STRING"
)

# Differs from headrace: Spark wants the columns of the file in the order of the schema, and all of them.
# Differs from headrace: text behind a closing quote, or a quote that is never closed, is a field to Spark.
# Differs from headrace: where lines end with CRLF, Spark makes an LF of one within quotes.
# Differs from headrace: Spark also reads numbers as Java writes them, such as 1d and 0x1p3.
file = (
    spark.readStream.option("pathGlobFilter", os.path.basename(os.environ.get("INVOICES") or "pipelines/data/invoices.csv"))
    .schema(file_schema)
    .option("header", True)
    .option("enforceSchema", False)
    .option("multiLine", True)
    .option("escape", '"')
    .option("nullValue", "\0")  # so that only a field without quotes is null
    .csv(os.path.dirname(os.environ.get("INVOICES") or "pipelines/data/invoices.csv") or ".")
    .selectExpr(
        "IF(_corrupt_record IS NULL, CAST(InvoiceID AS INT), NULL) AS InvoiceID",
        "IF(_corrupt_record IS NULL, CAST(SellerID AS INT), NULL) AS SellerID",
        "IF(_corrupt_record IS NULL, CAST(BuyerID AS INT), NULL) AS BuyerID",
        "IF(_corrupt_record IS NULL, CAST(TaxID AS INT), NULL) AS TaxID",
        "IF(_corrupt_record IS NULL, CAST(DeviceID AS INT), NULL) AS DeviceID",
        "IF(_corrupt_record IS NULL, CAST(Payment_methodID AS DOUBLE), NULL) AS Payment_methodID",
        "IF(_corrupt_record IS NULL, CAST(CancelReasonID AS DOUBLE), NULL) AS CancelReasonID",
        "IF(_corrupt_record IS NULL, CAST(ErrorTypeID AS DOUBLE), NULL) AS ErrorTypeID",
        "IF(_corrupt_record IS NULL, CAST(InvoiceTotal_amount AS DOUBLE), NULL) AS InvoiceTotal_amount",
        "IF(_corrupt_record IS NULL, CAST(subtotal_amount AS DOUBLE), NULL) AS subtotal_amount",
        "IF(_corrupt_record IS NULL, CAST(tax_amount AS DOUBLE), NULL) AS tax_amount",
        "IF(_corrupt_record IS NULL, CAST(discount_amount AS DOUBLE), NULL) AS discount_amount",
        "IF(_corrupt_record IS NULL, invoice_Date, NULL) AS invoice_Date",
        "IF(_corrupt_record IS NULL, invoice_ModifiedDate, NULL) AS invoice_ModifiedDate",
    )
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
