// Numbers of Jinja: read, written and calculated with as Python does, whole ones in 64 bits.
#include "text/jinja_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { FLOAT_BYTES = 512 };

// What the C library takes for a decimal point in this program's locale.
static char decimal_point(void) {
    char half[8];
    snprintf(half, sizeof half, "%.1f", 0.5);
    return half[1];
}

bool gw_jinja_parse_float(gw_str text, double *out) {
    char copy[FLOAT_BYTES];
    size_t n = 0;
    bool digits = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.text[i];
        if (c == '_') continue;
        bool known =
            (c >= '0' && c <= '9') || c == '.' || c == 'e' || c == 'E' || c == '-' || c == '+';
        if (!known || n + 1 == sizeof copy) return false;
        digits |= c >= '0' && c <= '9';
        copy[n++] = c == '.' ? decimal_point() : c;
    }
    copy[n] = 0;
    char *end = NULL;
    *out = strtod(copy, &end);
    return digits && end == copy + n;
}

// base 0: as the text says, decimal where it does not.
bool gw_jinja_parse_int(gw_str text, int base, int64_t *out) {
    bool negative = text.n > 0 && text.text[0] == '-', any = false;
    size_t i = text.n > 0 && (text.text[0] == '-' || text.text[0] == '+');
    int64_t value = 0;
    if (text.n > i + 1 && text.text[i] == '0') {
        char c = text.text[i + 1] | 0x20;
        int said = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 0;
        if (said > 0 && (base == 0 || base == said)) {
            base = said;
            i += 2;
        }
    }
    if (base == 0) base = 10;
    for (; i < text.n; i++) {
        char c = text.text[i], lower = c | 0x20;
        if (c == '_' && any && i + 1 < text.n) continue;
        int digit = c >= '0' && c <= '9'           ? c - '0'
                    : lower >= 'a' && lower <= 'z' ? lower - 'a' + 10
                                                   : 99;
        if (digit >= base) return false;
        if (__builtin_mul_overflow(value, (int64_t)base, &value) ||
            __builtin_sub_overflow(value, (int64_t)digit, &value)) {
            return false;
        }
        any = true;
    }
    if (!any || (!negative && value == INT64_MIN)) return false;
    *out = negative ? value : -value;
    return true;
}

bool gw_jinja_number(gw_jvalue v, double *out) {
    int64_t i = 0;
    if (v.type == GW_J_FLOAT) {
        *out = v.f;
    } else if (gw_jinja_whole(v, &i)) {
        *out = (double)i;
    } else {
        return false;
    }
    return true;
}

bool gw_jinja_whole(gw_jvalue v, int64_t *out) {
    if (v.type != GW_J_INT && v.type != GW_J_BOOL) return false;
    *out = v.type == GW_J_INT ? v.i : v.b;
    return true;
}

// --- writing -------------------------------------------------------------------------------------

void gw_jinja_put_int(gw_jrun *r, int64_t i, int pad) {
    char text[32];
    int n = snprintf(text, sizeof text, "%0*lld", pad > 20 ? 20 : pad, (long long)i);
    gw_jinja_put(r, text, (size_t)n);
}

static bool put_special(gw_jrun *r, double f) {
    if (f - f == 0) return false;
    gw_jinja_put_str(r, f != f ? GW_STR("nan") : f > 0 ? GW_STR("inf") : GW_STR("-inf"));
    return true;
}

// The shortest digits that read back as f > 0: 0.d1 d2 ... * 10^*out_exponent; gives how many.
static int shortest(double f, char digits[20], int *out_exponent) {
    char text[40];
    int n = 0;
    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, f);
        if (strtod(text, NULL) == f) break;
    }
    char *c = text;
    for (; *c && *c != 'e'; c++) {
        if (*c >= '0' && *c <= '9' && n < 20) digits[n++] = *c;
    }
    *out_exponent = (int)strtol(c + (*c == 'e'), NULL, 10) + 1;
    while (n > 1 && digits[n - 1] == '0') n--;
    return n;
}

void gw_jinja_put_float(gw_jrun *r, double f) {
    char digits[20];
    int exponent = 1;
    if (put_special(r, f)) return;
    if (signbit(f)) gw_jinja_put_str(r, GW_STR("-"));
    digits[0] = '0';
    int n = f != 0 ? shortest(f < 0 ? -f : f, digits, &exponent) : 1;
    if (exponent > 16 || exponent < -3) {
        gw_jinja_put(r, digits, 1);
        if (n > 1) gw_jinja_put_str(r, GW_STR("."));
        gw_jinja_put(r, digits + 1, (size_t)n - 1);
        gw_jinja_put_str(r, exponent > 0 ? GW_STR("e+") : GW_STR("e-"));
        gw_jinja_put_int(r, exponent > 0 ? exponent - 1 : 1 - exponent, 2);
        return;
    }
    if (exponent <= 0) gw_jinja_put_str(r, GW_STR("0."));
    for (int i = exponent; i < 0; i++) gw_jinja_put_str(r, GW_STR("0"));
    for (int i = 0; i < n || i < exponent; i++) {
        if (i > 0 && i == exponent) gw_jinja_put_str(r, GW_STR("."));
        gw_jinja_put(r, i < n ? &digits[i] : "0", 1);
    }
    if (n <= exponent) gw_jinja_put_str(r, GW_STR(".0"));
}

void gw_jinja_put_fixed(gw_jrun *r, double f, int n_digits) {
    char text[FLOAT_BYTES];
    if (put_special(r, f)) return;
    int n = snprintf(text, sizeof text, "%.*f", n_digits > 100 ? 100 : n_digits, f);
    for (int i = 0; i < n; i++) {
        if (text[i] != '-' && (text[i] < '0' || text[i] > '9')) text[i] = '.';
    }
    gw_jinja_put(r, text, (size_t)n);
}

// --- calculating ---------------------------------------------------------------------------------

static gw_jvalue power_of(gw_jrun *r, gw_jvalue a, int64_t exponent) {
    int64_t result = 1, base = 0;
    double f = 1, g = 0;
    gw_jinja_number(a, &g);
    if (gw_jinja_whole(a, &base) && exponent >= 0) {
        for (int64_t e = exponent; e > 0; e >>= 1) {
            if ((e & 1) && __builtin_mul_overflow(result, base, &result)) goto too_large;
            if (e > 1 && __builtin_mul_overflow(base, base, &base)) goto too_large;
        }
        return gw_jinja_int(result);
    }
    if (g == 0 && exponent < 0) return gw_jinja_fail(r, "0 to a negative power");
    for (uint64_t e = exponent < 0 ? 0 - (uint64_t)exponent : (uint64_t)exponent; e > 0; e >>= 1) {
        if (e & 1) f *= g;
        g *= g;
    }
    return gw_jinja_float(exponent < 0 ? 1 / f : f);
too_large:
    return gw_jinja_limit(r, "a whole number past 64 bits");
}

static gw_jvalue whole_binary(gw_jrun *r, char op, int64_t a, int64_t b) {
    int64_t c = 0;
    bool over = false;
    switch (op) {
    case '+':
        over = __builtin_add_overflow(a, b, &c);
        break;
    case '-':
        over = __builtin_sub_overflow(a, b, &c);
        break;
    case '*':
        over = __builtin_mul_overflow(a, b, &c);
        break;
    default:
        if (b == 0) return gw_jinja_fail(r, "division by zero");
        if (op == '/') return gw_jinja_float((double)a / (double)b);
        over = b == -1 && op == GW_JOP_FLOOR && a == INT64_MIN;
        if (over || b == -1) {
            c = op == '%' ? 0 : over ? 0 : -a;
        } else {
            int64_t rest = a % b;
            bool down = rest != 0 && (rest < 0) != (b < 0);
            c = op == '%' ? rest + (down ? b : 0) : a / b - down;
        }
    }
    if (over) return gw_jinja_limit(r, "a whole number past 64 bits");
    return gw_jinja_int(c);
}

static gw_jvalue float_binary(gw_jrun *r, char op, double a, double b) {
    if (op == '+') return gw_jinja_float(a + b);
    if (op == '-') return gw_jinja_float(a - b);
    if (op == '*') return gw_jinja_float(a * b);
    if (b == 0) return gw_jinja_fail(r, "division by zero");
    if (op == '/') return gw_jinja_float(a / b);
    double quotient = floor(a / b);
    return gw_jinja_float(op == '%' ? a - quotient * b : quotient);
}

// n copies of a string or list.
static gw_jvalue repeat(gw_jrun *r, gw_jvalue v, int64_t n) {
    if (v.type == GW_J_STR) {
        size_t begin = gw_jinja_begin(r);
        for (int64_t i = 0; i < n && v.s.n > 0 && gw_jinja_step(r, 1); i++)
            gw_jinja_put_str(r, v.s);
        return gw_jinja_end(r, begin);
    }
    gw_jlist *list = gw_jinja_list(r, v.list->kind, 0);
    for (int64_t i = 0; list && i < n && v.list->n > 0 && gw_jinja_step(r, 1); i++) {
        for (size_t k = 0; k < v.list->n && !r->status; k++) {
            gw_jinja_push(r, list, v.list->items[k]);
        }
    }
    return list ? gw_jinja_of_list(list) : gw_jinja_none();
}

static bool is_sequence(gw_jvalue v) {
    return v.type == GW_J_STR || (v.type == GW_J_LIST && (v.list->kind == GW_JLIST_LIST ||
                                                          v.list->kind == GW_JLIST_TUPLE));
}

static gw_jvalue add_sequences(gw_jrun *r, gw_jvalue a, gw_jvalue b) {
    if (a.type == GW_J_STR) {
        size_t begin = gw_jinja_begin(r);
        bool safe = a.safe || b.safe;
        gw_jinja_put_str(r, GW_STR(""));
        if (safe) {
            gw_jinja_put_escaped(r, a);
            gw_jinja_put_escaped(r, b);
        } else {
            gw_jinja_put_str(r, a.s);
            gw_jinja_put_str(r, b.s);
        }
        gw_jvalue sum = gw_jinja_end(r, begin);
        sum.safe = safe;
        return sum;
    }
    gw_jlist *list = gw_jinja_list(r, a.list->kind, a.list->n + b.list->n);
    if (!list) return gw_jinja_none();
    for (size_t i = 0; i < a.list->n; i++) gw_jinja_push(r, list, a.list->items[i]);
    for (size_t i = 0; i < b.list->n; i++) gw_jinja_push(r, list, b.list->items[i]);
    gw_jinja_step(r, list->n);
    return gw_jinja_of_list(list);
}

gw_jvalue gw_jinja_binary(gw_jrun *r, char op, gw_jvalue a, gw_jvalue b) {
    int64_t i = 0, j = 0;
    double f = 0, g = 0;
    if (r->status) return gw_jinja_none();
    for (int k = 0; k < 2; k++) {
        gw_jvalue v = k ? b : a;
        if (v.type == GW_J_UNDEFINED && !(op == '%' && a.type == GW_J_STR)) {
            return gw_jinja_fail(r, "'%.*s' is undefined", GW_STR_ARG(v.s));
        }
    }
    if (op == '%' && a.type == GW_J_STR) {
        gw_jargs args = {.items = &b, .n = 1};
        if (b.type == GW_J_LIST && b.list->kind == GW_JLIST_TUPLE) {
            args = (gw_jargs){.items = b.list->items, .n = b.list->n};
        }
        return gw_jinja_percent(r, a.s, &args);
    }
    if (op == '+' && is_sequence(a) && b.type == a.type &&
        (a.type == GW_J_STR || a.list->kind == b.list->kind)) {
        return add_sequences(r, a, b);
    }
    if (op == '*' && is_sequence(a) && gw_jinja_whole(b, &j)) return repeat(r, a, j);
    if (op == '*' && is_sequence(b) && gw_jinja_whole(a, &j)) return repeat(r, b, j);
    if (gw_jinja_number(a, &f) && gw_jinja_number(b, &g)) {
        bool whole = gw_jinja_whole(a, &i) && gw_jinja_whole(b, &j);
        if (op != GW_JOP_POWER) {
            return whole ? whole_binary(r, op, i, j) : float_binary(r, op, f, g);
        }
        if (gw_jinja_whole(b, &j)) return power_of(r, a, j);
        if (g == floor(g) && g > -1e9 && g < 1e9) {
            return power_of(r, gw_jinja_float(f), (int64_t)g);
        }
        return gw_jinja_limit(r, "a power that is no whole number");
    }
    return gw_jinja_fail(r, "unsupported operand types for %s: '%s' and '%s'",
                         op == GW_JOP_FLOOR   ? "//"
                         : op == GW_JOP_POWER ? "**"
                                              : (char[]){op, 0},
                         gw_jinja_type_name(a), gw_jinja_type_name(b));
}
