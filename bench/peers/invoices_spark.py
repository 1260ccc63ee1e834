"""The invoice job as a Structured Streaming query: invoices_spark.py BOOTSTRAP TOPIC CHECKPOINT JARS

Two cores, two shuffle partitions, available now; the whole table goes to the console.
"""
import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, from_json, sum, to_date

bootstrap, topic, checkpoint, jars = sys.argv[1:]
spark = (
    SparkSession.builder.appName("invoices")
    .master("local[2]")
    .config("spark.sql.shuffle.partitions", 2)
    .config("spark.jars", jars)
    .config("spark.ui.enabled", "false")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.local.dir", checkpoint + ".local")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")

schema = "SellerID INT, InvoiceTotal_amount DOUBLE, tax_amount DOUBLE, invoice_Date STRING"
totals = (
    spark.readStream.format("kafka")
    .option("kafka.bootstrap.servers", bootstrap)
    .option("subscribe", topic)
    .option("startingOffsets", "earliest")
    .load()
    .select(from_json(col("value").cast("string"), schema).alias("invoice"))
    .select("invoice.*")
    .withColumn("invoice_Date_formatted", to_date("invoice_Date", "MM-dd-yy"))
    .groupBy("SellerID")
    .agg(sum("InvoiceTotal_amount").alias("TotalSales"), sum("tax_amount").alias("TotalTax"))
)
(
    totals.writeStream.outputMode("complete")
    .format("console")
    .option("truncate", "false")
    .option("numRows", 1000)
    .option("checkpointLocation", checkpoint)
    .trigger(availableNow=True)
    .start()
    .awaitTermination()
)
spark.stop()
