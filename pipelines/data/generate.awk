# Writes invoices.csv: awk -f generate.awk >invoices.csv
#
# 10,000 made-up invoices of 500 sellers with the oddities of a real export, since a reader that only knows tidy files
# is no use: a byte order mark, empty cancel reasons and error types, integers written as 1.0, totals in 16 or 17 digits
# (31921.480000000000, 9818.549999999999: sums of doubles printed in full), dates as MM-dd-yy, an empty last line.
#
# The same bytes under every awk: the random numbers are made here, and only integers and sums of doubles are printed.

# A whole number from 0 to n - 1, of a linear congruential generator modulo 2^32. Its low bits are poor: the high ones
# are used. 69069 * 2^32 stays below 2^53, so no product is ever rounded.
function random(n) {
    state = (state * 69069 + 1) % 4294967296
    return int(state / 4294967296 * n)
}

# Hundredths with at least one digit after the point: 40519.0, 3071.1, 498.42
function money(cents,    rest) {
    rest = cents % 100
    if (rest % 10 == 0) return sprintf("%d.%d", int(cents / 100), rest / 10)
    return sprintf("%d.%02d", int(cents / 100), rest)
}

# The total as such exports have it: added up as doubles, and if that shows, all 17 digits of it; if not, 16 digits now
# and then.
function total(subtotal, tax, discount,    cents, sum) {
    cents = subtotal + tax - discount
    sum = subtotal / 100 + tax / 100 - discount / 100
    if (sum != cents / 100) return sprintf("%.17g", sum)
    if (random(100) < 20) return sprintf(cents < 1000000 ? "%.12f" : "%.11f", sum)
    return money(cents)
}

# Days from 2023-07-01 as MM-dd-yy
function date(day,    year, month) {
    year = 23
    month = 7
    while (day >= length_of[month] + (month == 2 && year % 4 == 0)) {
        day -= length_of[month] + (month == 2 && year % 4 == 0)
        if (++month > 12) {
            month = 1
            year++
        }
    }
    return sprintf("%02d-%02d-%02d", month, day + 1, year)
}

BEGIN {
    invoices = 10000
    sellers = 500
    days = 731          # to 2025-06-30
    split("31 28 31 30 31 30 31 31 30 31 30 31", length_of)
    state = 20240229    # the seed
    for (i = 0; i < 16; i++) random(2)

    printf "\357\273\277"
    print "InvoiceID,SellerID,BuyerID,TaxID,DeviceID,Payment_methodID,CancelReasonID,ErrorTypeID," \
          "InvoiceTotal_amount,subtotal_amount,tax_amount,discount_amount,invoice_Date,invoice_ModifiedDate"
    for (id = 1; id <= invoices; id++) {
        subtotal = 10000 + random(4990000)
        tax = int((subtotal * 15 + 50) / 100)
        discount = random(100) < 27 ? int(subtotal * random(200) / 1000) : 0
        made = random(days)
        line = id "," 1 + random(sellers) "," 1 + random(2000) "," 1 + random(5) "," 1 + random(50) "," 1 + random(5)
        line = line "," (random(1000) < 48 ? "" : 1 + random(5) ".0")
        line = line "," (random(1000) < 18 ? "" : 1 + random(5) ".0")
        line = line "," total(subtotal, tax, discount) "," money(subtotal) "," money(tax) "," money(discount)
        print line "," date(made) "," date(made + random(days - made))
    }
    print ""
}
