/*
 * Numbers: rounding, roots, powers, logarithms.
 *
 *   operators:
 *     - with: {columns: {cents: "round(amount * 100)", share: "round(part / whole, 4)", floor: floor(amount)}}
 *
 * 1. Names, types and results are Spark SQL's; a result that does not fit its type is null.
 * 2. round takes halves away from zero, of the decimal digits that are shown: round(2.675, 2) is 2.68.
 *    Its second argument is a literal; negative rounds before the point.
 * 3. floor and ceil of DOUBLE give BIGINT, of DECIMAL(p,s) DECIMAL(p-s+1,0).
 * 4. ln and log10 of what is not greater than 0 are null; sqrt of a negative number is NaN.
 */
#include <headrace/plugin.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct hr_type bigint_type = {.id = HR_BIGINT};

static bool is_number(struct hr_type t) {
    return t.id == HR_INT || t.id == HR_BIGINT || t.id == HR_DOUBLE || t.id == HR_DECIMAL;
}

static int min_int(int a, int b) { return a < b ? a : b; }
static int max_int(int a, int b) { return a > b ? a : b; }

static hr_int128 power_of_ten(int n) {
    hr_int128 p = 1;
    while (n-- > 0) p *= 10;
    return p;
}

/* Text counts as DOUBLE, as everywhere in arithmetic. */
static bool number_first(struct hr_type *arg, struct hr_error *err) {
    if (arg[0].id == HR_STRING || arg[0].id == HR_NONE) arg[0] = (struct hr_type){.id = HR_DOUBLE};
    return is_number(arg[0]) || hr_fail(err, HR_ECONFIG, "a number is wanted here");
}

/* ---- abs ---- */

static bool type_same(int args, struct hr_type *arg, const struct hr_text *const *constant, struct hr_type *gives, struct hr_error *err) {
    (void)args, (void)constant;
    if (!number_first(arg, err)) return false;
    *gives = arg[0];
    return true;
}

static bool absolute(const struct hr_call *c) {
    const struct hr_column *x = c->arg[0];
    HR_EACH(c->rows, i) {
        switch (x->type.id) {
        case HR_INT: {
            int32_t v = ((const int32_t *)x->at)[i];
            if (v == INT32_MIN) hr_set_null(c->out, i);
            else ((int32_t *)c->out->at)[i] = v < 0 ? -v : v;
            break;
        }
        case HR_BIGINT: {
            int64_t v = ((const int64_t *)x->at)[i];
            if (v == INT64_MIN) hr_set_null(c->out, i);
            else ((int64_t *)c->out->at)[i] = v < 0 ? -v : v;
            break;
        }
        case HR_DOUBLE: ((double *)c->out->at)[i] = fabs(((const double *)x->at)[i]); break;
        default: {
            hr_int128 v = ((const hr_int128 *)x->at)[i];
            ((hr_int128 *)c->out->at)[i] = v < 0 ? -v : v;
        }
        }
    }
    return true;
}

/* ---- round ---- */

enum { MOST_PLACES = 1000 }; /* more than any number has */

static int places_of(const struct hr_text *text) { return (int)strtol(text->p, NULL, 10); }

/* Spark's RoundBase: a DECIMAL may need one digit more before the point. */
static bool type_round(int args, struct hr_type *arg, const struct hr_text *const *constant, struct hr_type *gives, struct hr_error *err) {
    if (!number_first(arg, err)) return false;
    if (args > 1 && !constant[1]) return hr_fail(err, HR_ECONFIG, "the number of places must be a literal");
    int places = args > 1 ? places_of(constant[1]) : 0;
    if (places < -MOST_PLACES || places > MOST_PLACES) return hr_fail(err, HR_ECONFIG, "places go from -%d to %d", MOST_PLACES, MOST_PLACES);
    *gives = arg[0];
    if (arg[0].id != HR_DECIMAL) return true;
    int scale = places < 0 ? 0 : min_int(arg[0].scale, places);
    int whole = max_int(arg[0].precision - arg[0].scale + 1, places < 0 ? 1 - places : 0);
    *gives = (struct hr_type){HR_DECIMAL, (uint8_t)min_int(whole + scale, 38), (uint8_t)scale};
    return true;
}

/* v to a multiple of 10^drop, halves away from zero; 10^39 and more are greater than any v twice over. */
static hr_int128 round_digits(hr_int128 v, int drop) {
    if (drop <= 0) return v;
    if (drop > 38) return 0;
    hr_int128 unit = power_of_ten(drop), rest = v % unit;
    v -= rest;
    if (rest < 0) return -rest >= unit - -rest ? v - unit : v;
    return rest >= unit - rest ? v + unit : v;
}

/* Round the digits of "d.dddE±x" or "ddd.ddd" and read them again. */
static double round_double(double v, int places, struct hr_buffer *text) {
    if (!isfinite(v)) return v;
    if (v == 0) return 0;
    hr_buffer_reset(text);
    hr_put_value(text, (struct hr_type){.id = HR_DOUBLE}, &v);
    hr_int128 digits = 0;
    int exponent = 0;
    bool behind_point = false;
    size_t k = text->p[0] == '-';
    for (; k < text->n && text->p[k] != 'E'; k++) {
        if (text->p[k] == '.') {
            behind_point = true;
            continue;
        }
        digits = digits * 10 + (text->p[k] - '0');
        exponent -= behind_point;
    }
    char number[64];
    if (k < text->n) { /* an E; the text is not terminated */
        size_t n = text->n - k - 1;
        memcpy(number, text->p + k + 1, n);
        number[n] = 0;
        exponent += (int)strtol(number, NULL, 10);
    }
    digits = round_digits(digits, -exponent - places);
    if (!digits) return 0; /* without a sign, as BigDecimal */
    snprintf(number, sizeof number, "%s%lldE%d", v < 0 ? "-" : "", (long long)digits, exponent);
    return strtod(number, NULL);
}

static bool round_half_up(const struct hr_call *c) {
    const struct hr_column *x = c->arg[0], *n = c->arg[1];
    struct hr_buffer text = {0};
    HR_EACH(c->rows, i) {
        int places = c->args > 1 ? ((const int32_t *)n->at)[i] : 0;
        switch (x->type.id) {
        case HR_INT: {
            hr_int128 v = round_digits(((const int32_t *)x->at)[i], -places);
            if (v < INT32_MIN || v > INT32_MAX) hr_set_null(c->out, i);
            else ((int32_t *)c->out->at)[i] = (int32_t)v;
            break;
        }
        case HR_BIGINT: {
            hr_int128 v = round_digits(((const int64_t *)x->at)[i], -places);
            if (v < INT64_MIN || v > INT64_MAX) hr_set_null(c->out, i);
            else ((int64_t *)c->out->at)[i] = (int64_t)v;
            break;
        }
        case HR_DOUBLE: ((double *)c->out->at)[i] = round_double(((const double *)x->at)[i], places, &text); break;
        default: {
            struct hr_type to = c->out->type;
            hr_int128 v = round_digits(((const hr_int128 *)x->at)[i], x->type.scale - places);
            v /= power_of_ten(x->type.scale - to.scale);
            hr_int128 limit = power_of_ten(to.precision);
            if (v <= -limit || v >= limit) hr_set_null(c->out, i);
            else ((hr_int128 *)c->out->at)[i] = v;
        }
        }
    }
    hr_buffer_free(&text);
    return true;
}

/* ---- floor and ceil ---- */

static bool type_whole(int args, struct hr_type *arg, const struct hr_text *const *constant, struct hr_type *gives, struct hr_error *err) {
    (void)args, (void)constant;
    if (!number_first(arg, err)) return false;
    if (arg[0].id == HR_INT) arg[0] = bigint_type;
    *gives = bigint_type;
    if (arg[0].id == HR_DECIMAL && arg[0].scale)
        *gives = (struct hr_type){HR_DECIMAL, (uint8_t)(arg[0].precision - arg[0].scale + 1), 0};
    else if (arg[0].id == HR_DECIMAL)
        *gives = arg[0];
    return true;
}

/* Java's cast: NaN is 0, and what lies outside is the nearest BIGINT. */
static int64_t bigint_of(double v) {
    if (isnan(v)) return 0;
    return v >= 9223372036854775808.0 ? INT64_MAX : v < -9223372036854775808.0 ? INT64_MIN : (int64_t)v;
}

static bool whole(const struct hr_call *c, double (*of)(double), int up) {
    const struct hr_column *x = c->arg[0];
    HR_EACH(c->rows, i) {
        if (x->type.id == HR_DOUBLE) {
            ((int64_t *)c->out->at)[i] = bigint_of(of(((const double *)x->at)[i]));
        } else if (x->type.id == HR_BIGINT) {
            ((int64_t *)c->out->at)[i] = ((const int64_t *)x->at)[i];
        } else {
            hr_int128 v = ((const hr_int128 *)x->at)[i], unit = power_of_ten(x->type.scale), rest = v % unit;
            ((hr_int128 *)c->out->at)[i] = v / unit + (up > 0 ? rest > 0 : -(rest < 0));
        }
    }
    return true;
}

static bool floor_of(const struct hr_call *c) { return whole(c, floor, -1); }
static bool ceil_of(const struct hr_call *c) { return whole(c, ceil, 1); }

/* ---- of DOUBLE ---- */

#define DOUBLES(column) ((const double *)(column)->at)
#define RESULT(c, i) ((double *)(c)->out->at)[i]

static bool square_root(const struct hr_call *c) {
    HR_EACH(c->rows, i) RESULT(c, i) = sqrt(DOUBLES(c->arg[0])[i]);
    return true;
}

static bool exponential(const struct hr_call *c) {
    HR_EACH(c->rows, i) RESULT(c, i) = exp(DOUBLES(c->arg[0])[i]);
    return true;
}

static bool power(const struct hr_call *c) {
    HR_EACH(c->rows, i) RESULT(c, i) = pow(DOUBLES(c->arg[0])[i], DOUBLES(c->arg[1])[i]);
    return true;
}

static bool logarithm(const struct hr_call *c, double (*of)(double)) {
    HR_EACH(c->rows, i) {
        double v = DOUBLES(c->arg[0])[i];
        if (v <= 0) hr_set_null(c->out, i);
        else RESULT(c, i) = of(v);
    }
    return true;
}

static bool natural(const struct hr_call *c) { return logarithm(c, log); }
static bool decadic(const struct hr_call *c) { return logarithm(c, log10); }

static bool sign(const struct hr_call *c) {
    HR_EACH(c->rows, i) {
        double v = DOUBLES(c->arg[0])[i];
        RESULT(c, i) = v > 0 ? 1 : v < 0 ? -1 : v;
    }
    return true;
}

#define DOUBLE {.id = HR_DOUBLE}
#define INT {.id = HR_INT}

static const struct hr_function table[] = {
    {"abs", "abs(x)", 1, 1, {{0}}, {0}, type_same, false, absolute},
    {"round", "round(x[, places]): halves away from zero", 1, 2, {{0}, INT}, {0}, type_round, false, round_half_up},
    {"floor", "floor(x): the next integer below", 1, 1, {{0}}, {0}, type_whole, false, floor_of},
    {"ceil", "ceil(x): the next integer above", 1, 1, {{0}}, {0}, type_whole, false, ceil_of},
    {"ceiling", "ceiling(x): the next integer above", 1, 1, {{0}}, {0}, type_whole, false, ceil_of},
    {"sqrt", "sqrt(x)", 1, 1, {DOUBLE}, DOUBLE, NULL, false, square_root},
    {"exp", "exp(x)", 1, 1, {DOUBLE}, DOUBLE, NULL, false, exponential},
    {"pow", "pow(x, y)", 2, 2, {DOUBLE, DOUBLE}, DOUBLE, NULL, false, power},
    {"power", "power(x, y)", 2, 2, {DOUBLE, DOUBLE}, DOUBLE, NULL, false, power},
    {"ln", "ln(x): natural logarithm", 1, 1, {DOUBLE}, DOUBLE, NULL, false, natural},
    {"log10", "log10(x)", 1, 1, {DOUBLE}, DOUBLE, NULL, false, decadic},
    {"sign", "sign(x): -1, 0 or 1", 1, 1, {DOUBLE}, DOUBLE, NULL, false, sign},
    {"signum", "signum(x): -1, 0 or 1", 1, 1, {DOUBLE}, DOUBLE, NULL, false, sign},
    {0},
};

HR_PLUGIN(functions, math) = {
    .kind = HR_FUNCTIONS,
    .name = "math",
    .about = "rounding, roots, powers and logarithms",
    .functions = table,
};
HR_MODULE(HR_RECORD(functions, math));
