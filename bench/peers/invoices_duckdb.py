"""The invoice job over an NDJSON file in DuckDB: invoices_duckdb.py FILE THREADS

Prints the totals, and on standard error the seconds that the query alone took.
"""
import sys
import time

import duckdb

path, threads = sys.argv[1:]
db = duckdb.connect(config={"threads": int(threads)})
start = time.perf_counter()
rows = db.execute(
    """
    SELECT SellerID, sum(InvoiceTotal_amount) AS TotalSales, sum(tax_amount) AS TotalTax
    FROM (
        SELECT *, strptime(invoice_Date, '%m-%d-%y')::DATE AS invoice_Date_formatted
        FROM read_json(?, format = 'newline_delimited', columns = {
            SellerID: 'INTEGER', InvoiceTotal_amount: 'DOUBLE', tax_amount: 'DOUBLE', invoice_Date: 'VARCHAR'})
    )
    GROUP BY SellerID ORDER BY SellerID
    """,
    [path],
).fetchall()
print(f"job={time.perf_counter() - start:.4f}", file=sys.stderr)
for row in rows:
    print(*map(repr, row), sep="|")
