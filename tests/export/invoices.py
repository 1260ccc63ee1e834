"""invoices: written by `headrace export --to spark` from invoices.yaml."""

# Totals by seller from the invoices in a Kafka topic: the consumer half of the job.

import argparse
import os

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

parser = argparse.ArgumentParser()
parser.add_argument("--checkpoint", required=True, help="folder of the query's checkpoint")
args = parser.parse_args()

spark = (
    SparkSession.builder.appName("invoices")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.ansi.enabled", "false")
    .config("spark.sql.legacy.timeParserPolicy", "CORRECTED")
    .getOrCreate()
)

kafka = (
    spark.readStream.format("kafka")
    .option("kafka.bootstrap.servers", os.environ.get("KAFKA_BROKERS") or "localhost:9092")
    .option("subscribe", os.environ.get("TOPIC") or "invoices")
    .option("startingOffsets", "earliest")
    .option("kafka.isolation.level", "read_committed")
    .load()
    .selectExpr("CAST(key AS STRING)", "CAST(value AS STRING)", "topic", "partition", "offset", "timestamp")
)

from_json_schema = (
    "SellerID INT, InvoiceTotal_amount DOUBLE, tax_amount DOUBLE, invoice_Date STRING"
)

# Differs from headrace: Spark lets bare NaN and Infinity through, and text behind the object.
# Differs from headrace: Spark reads half of a surrogate pair as ?, and keeps the first of two fields of one name where the last is bad.
from_json = (
    kafka.select(F.from_json("value", from_json_schema, {"mode": "PERMISSIVE", "allowSingleQuotes": "false"}).alias("row"))
    .select("row.*")
)

to_date = from_json.withColumn("invoice_Date_formatted", F.to_date("invoice_Date", "MM-dd-yy"))

# Differs from headrace: Spark adds doubles in the order in which rows arrive: the last digits may differ.
group_by = (
    to_date.groupBy("SellerID")
    .agg(
        F.expr("sum(InvoiceTotal_amount)").alias("TotalSales"),
        F.expr("sum(tax_amount)").alias("TotalTax"),
    )
    .orderBy("SellerID")
)

# Differs from headrace: ${TRIGGER}: the trigger is the one of the export.
query = (
    group_by.writeStream.format("console")
    .option("truncate", False)
    .outputMode("complete")
    .trigger(processingTime="5 seconds")
    .option("checkpointLocation", args.checkpoint)
    .start()
)

query.awaitTermination()
