// The invoice job over an NDJSON file with simdjson: invoices_simdjson FILE
//
// One thread reads three fields a record with the on-demand parser and adds them up in an array: a yardstick, that keeps no
// state, merges nothing and knows its sellers' numbers to be small. The date is not read: the totals don't need it.
#include <simdjson.h>

#include <cstdio>
#include <vector>

using namespace simdjson;

struct total {
    bool any;
    double sales, tax;
};

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    padded_string text = padded_string::load(argv[1]);
    ondemand::parser parser;
    ondemand::document_stream records = parser.iterate_many(text, 1 << 20);
    std::vector<total> totals(65536);
    for (auto record : records) {
        ondemand::object invoice = record.get_object();
        uint64_t seller = 0;
        double sales = 0, tax = 0;
        if (invoice["SellerID"].get(seller)) return 1;
        (void)invoice["InvoiceTotal_amount"].get(sales);
        (void)invoice["tax_amount"].get(tax);
        total &t = totals.at(seller);
        t.any = true;
        t.sales += sales;
        t.tax += tax;
    }
    for (size_t seller = 0; seller < totals.size(); seller++)
        if (totals[seller].any) std::printf("%zu|%.17g|%.17g\n", seller, totals[seller].sales, totals[seller].tax);
}
