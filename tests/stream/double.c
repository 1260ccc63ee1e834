/* See double.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "double.h"

void double_as_c(char text[DOUBLE_TEXT], double x) {
    int digits = 0;
    do snprintf(text, DOUBLE_TEXT, "%.*g", ++digits, x);
    while (digits < 17 && strtod(text, NULL) != x);
}

/* A fraction always; an exponent below 1e-3 and from 1e7. */
void double_as_java(char text[DOUBLE_TEXT], double x) {
    int after = -1;   /* digits after the first one */
    do snprintf(text, DOUBLE_TEXT, "%.*e", ++after, x);
    while (after < 16 && strtod(text, NULL) != x);
    long exponent = strtol(strchr(text, 'e') + 1, NULL, 10);

    if (x == 0 || (fabs(x) >= 1e-3 && fabs(x) < 1e7)) {
        snprintf(text, DOUBLE_TEXT, "%.*f", after - exponent > 1 ? (int)(after - exponent) : 1, x);
    } else {
        if (after == 0) snprintf(text, DOUBLE_TEXT, "%.1e", x);
        snprintf(strchr(text, 'e'), 8, "E%ld", exponent);
    }
}
