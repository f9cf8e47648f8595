// Jinja's "%" and str.format, and strftime: the forms of Python that templates use.
#include "text/jinja_impl.h"

// --- one value in a form -------------------------------------------------------------------------

typedef struct form {
    char align, sign, type; // 0: not given
    bool zero, comma, alternate;
    gw_str fill;
    int64_t width, precision; // -1: not given
} form;

enum { WIDTH_MAX = 1000 };

static gw_str put_whole(gw_jrun *r, gw_jvalue v, const form *f) {
    int64_t i = 0;
    if (v.type == GW_J_FLOAT && v.f > -0x1p62 && v.f < 0x1p62) v = gw_jinja_int((int64_t)v.f);
    if (!gw_jinja_whole(v, &i)) {
        gw_jinja_fail(r, "a number is wanted by %%%c, not %s", f->type, gw_jinja_type_name(v));
    }
    uint64_t base = (f->type | 0x20) == 'x' ? 16 : f->type == 'o' ? 8 : f->type == 'b' ? 2 : 10;
    uint64_t rest = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    const char *digits = f->type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[100];
    size_t at = sizeof text, n = 0;
    do {
        if (f->comma && n > 0 && n % 3 == 0) text[--at] = ',';
        text[--at] = digits[rest % base];
        rest /= base;
        n++;
    } while (rest > 0);
    size_t begin = gw_jinja_begin(r);
    if (i < 0) gw_jinja_put_str(r, GW_STR("-"));
    if (i >= 0 && f->sign) gw_jinja_put(r, &f->sign, 1);
    gw_jinja_put(r, text + at, sizeof text - at);
    return gw_jinja_end(r, begin).s;
}

static gw_str put_real(gw_jrun *r, gw_jvalue v, const form *f) {
    double d = 0;
    if (!gw_jinja_number(v, &d)) {
        gw_jinja_fail(r, "a number is wanted by %%%c, not %s", f->type, gw_jinja_type_name(v));
    }
    int64_t precision = f->precision < 0 ? 6 : f->precision;
    size_t begin = gw_jinja_begin(r);
    if (d >= 0 && f->sign) gw_jinja_put(r, &f->sign, 1);
    gw_jinja_put_fixed(r, f->type == '%' ? d * 100 : d, (int)precision);
    if (f->type == '%') gw_jinja_put_str(r, GW_STR("%"));
    return gw_jinja_end(r, begin).s;
}

static void put_padded(gw_jrun *r, gw_str s, const form *f, char align) {
    int64_t more = f->width - (int64_t)gw_jinja_n_chars(s);
    if (more < 0) more = 0;
    int64_t left = align == '<' ? 0 : align == '^' ? more / 2 : more;
    size_t n_sign = f->zero && s.n > 0 && (s.text[0] == '-' || s.text[0] == '+');
    gw_str fill = f->zero ? GW_STR("0") : f->fill.n > 0 ? f->fill : GW_STR(" ");
    gw_jinja_put(r, s.text, n_sign);
    for (int64_t i = 0; i < left && gw_jinja_step(r, 1); i++) gw_jinja_put_str(r, fill);
    gw_jinja_put(r, s.text + n_sign, s.n - n_sign);
    for (int64_t i = left; i < more && gw_jinja_step(r, 1); i++) gw_jinja_put_str(r, fill);
}

static void put_formed(gw_jrun *r, gw_jvalue v, form f) {
    gw_str s = {0};
    bool number = v.type == GW_J_INT || v.type == GW_J_FLOAT;
    switch (f.type) {
    case 'd':
    case 'i':
    case 'u':
    case 'x':
    case 'X':
    case 'o':
    case 'b':
        s = put_whole(r, v, &f);
        break;
    case 'f':
    case 'F':
    case '%':
        s = put_real(r, v, &f);
        break;
    case 0:
    case 's':
        if (v.type == GW_J_INT && (f.sign || f.comma)) {
            f.type = 'd';
            s = put_whole(r, v, &f);
            break;
        }
        s = gw_jinja_text(r, v);
        if (f.precision >= 0) {
            gw_jvalue end[3] = {gw_jinja_none(), gw_jinja_int(f.precision), gw_jinja_none()};
            s = gw_jinja_slice(r, gw_jinja_str(s), end).s;
        }
        break;
    default:
        gw_jinja_limit(r, "a format of a type other than s, d, x, X, o, b, f and %");
        return;
    }
    if (!r->status) put_padded(r, s, &f, f.align ? f.align : number || f.zero ? '>' : '<');
}

// Digits at *io; -1: there are none.
static int64_t take_number(gw_jrun *r, gw_str s, size_t *io) {
    int64_t value = -1;
    for (; *io < s.n && s.text[*io] >= '0' && s.text[*io] <= '9'; ++*io) {
        value = (value < 0 ? 0 : value) * 10 + (s.text[*io] - '0');
        if (value > WIDTH_MAX) {
            gw_jinja_limit(r, "a format that is too wide");
            return 0;
        }
    }
    return value;
}

static const gw_jvalue *keyword_of(gw_jrun *r, const gw_jargs *args, gw_str name) {
    for (size_t i = 0; i < args->n_keywords; i++) {
        if (gw_str_eq(args->keywords[i].key.s, name)) return &args->keywords[i].value;
    }
    gw_jinja_fail(r, "a format's value '%.*s' is missing", GW_STR_ARG(name));
    return NULL;
}

static const gw_jvalue *item_of(gw_jrun *r, const gw_jargs *args, size_t i) {
    if (i < args->n) return &args->items[i];
    gw_jinja_fail(r, "not enough arguments for the format");
    return NULL;
}

// --- "..." % ... ---------------------------------------------------------------------------------

static bool take_mark(gw_str s, size_t *io, char c) {
    if (*io >= s.n || s.text[*io] != c) return false;
    ++*io;
    return true;
}

gw_jvalue gw_jinja_percent(gw_jrun *r, gw_str s, const gw_jargs *args) {
    size_t begin = gw_jinja_begin(r), n_used = 0;
    bool named = false;
    for (size_t i = 0; i < s.n && gw_jinja_step(r, 1);) {
        const gw_jvalue *v = NULL;
        form f = {.width = 0, .precision = -1};
        if (s.text[i++] != '%') {
            gw_jinja_put(r, s.text + i - 1, 1);
            continue;
        }
        if (take_mark(s, &i, '(')) {
            size_t from = i;
            while (i < s.n && s.text[i] != ')') i++;
            gw_str name = {s.text + from, i - from};
            i += i < s.n;
            named = true;
            if (args->n == 1 && args->items[0].type == GW_J_DICT) {
                v = gw_jinja_dict_get(r, args->items[0].dict, gw_jinja_str(name));
                if (!v) gw_jinja_fail(r, "a format's value '%.*s' is missing", GW_STR_ARG(name));
            } else {
                v = keyword_of(r, args, name);
            }
        }
        for (; i < s.n && s.text[i] > 0 && strchr("-+ 0#", s.text[i]); i++) {
            if (s.text[i] == '-') f.align = '<';
            if (s.text[i] == '+' || (s.text[i] == ' ' && !f.sign)) f.sign = s.text[i];
            f.zero |= s.text[i] == '0';
        }
        f.zero &= f.align == 0;
        if (!f.align) f.align = '>';
        f.width = take_number(r, s, &i);
        if (take_mark(s, &i, '.')) {
            f.precision = take_number(r, s, &i);
            if (f.precision < 0) f.precision = 0;
        }
        if (take_mark(s, &i, '%')) {
            gw_jinja_put_str(r, GW_STR("%"));
            continue;
        }
        if (i >= s.n) return gw_jinja_fail(r, "incomplete format");
        f.type = s.text[i++];
        if (!named) v = item_of(r, args, n_used++);
        if (v && f.type == 'r') {
            size_t from = gw_jinja_begin(r);
            gw_jinja_repr(r, *v);
            gw_jvalue text = gw_jinja_end(r, from);
            f.type = 's';
            put_formed(r, text, f);
        } else if (v) {
            put_formed(r, *v, f);
        }
    }
    if (!named && n_used < args->n && !(args->n == 1 && args->items[0].type == GW_J_DICT)) {
        return gw_jinja_fail(r, "not all arguments converted during string formatting");
    }
    return gw_jinja_end(r, begin);
}

// --- str.format ----------------------------------------------------------------------------------

static form parse_spec(gw_jrun *r, gw_str s) {
    form f = {.precision = -1};
    size_t i = 0, n = 0;
    if (s.n > 0) gw_jinja_char(s, 0, &n);
    if (s.n > n && strchr("<>^", s.text[n]) && n > 0 && s.text[n]) {
        f.fill = (gw_str){s.text, n};
        f.align = s.text[n];
        i = n + 1;
    } else if (s.n > 0 && s.text[0] && strchr("<>^", s.text[0])) {
        f.align = s.text[i++];
    }
    if (i < s.n && s.text[i] && strchr("+ ", s.text[i])) f.sign = s.text[i++];
    if (take_mark(s, &i, '-')) f.sign = 0;
    f.zero = take_mark(s, &i, '0') && !f.align;
    f.width = take_number(r, s, &i);
    f.comma = take_mark(s, &i, ',');
    if (take_mark(s, &i, '.')) f.precision = take_number(r, s, &i);
    if (i < s.n) f.type = s.text[i++];
    if (i < s.n) gw_jinja_limit(r, "a format that is not read");
    return f;
}

// "name.attr[0]" or "0" or "".
static gw_jvalue field_value(gw_jrun *r, gw_str field, const gw_jargs *args, size_t *io_next) {
    size_t end = 0;
    int64_t index = 0;
    while (end < field.n && field.text[end] != '.' && field.text[end] != '[') end++;
    gw_str name = {field.text, end};
    const gw_jvalue *v = name.n == 0 ? item_of(r, args, (*io_next)++)
                         : gw_jinja_parse_int(name, 10, &index) && index >= 0
                             ? item_of(r, args, (size_t)index)
                             : keyword_of(r, args, name);
    gw_jvalue value = v ? *v : gw_jinja_none();
    while (end < field.n && !r->status) {
        bool bracket = field.text[end++] == '[';
        size_t from = end;
        while (end < field.n && field.text[end] != (bracket ? ']' : '.') &&
               (bracket || field.text[end] != '[')) {
            end++;
        }
        gw_str part = {field.text + from, end - from};
        end += bracket && end < field.n;
        value = !bracket ? gw_jinja_attribute(r, value, part)
                : gw_jinja_parse_int(part, 10, &index)
                    ? gw_jinja_item(r, value, gw_jinja_int(index))
                    : gw_jinja_item(r, value, gw_jinja_str(part));
    }
    return value;
}

gw_jvalue gw_jinja_format(gw_jrun *r, gw_str s, const gw_jargs *args) {
    size_t begin = gw_jinja_begin(r), next = 0;
    for (size_t i = 0; i < s.n && gw_jinja_step(r, 1); i++) {
        char c = s.text[i];
        bool twice = i + 1 < s.n && s.text[i + 1] == c;
        if ((c != '{' && c != '}') || twice) {
            gw_jinja_put(r, &c, 1);
            i += twice && (c == '{' || c == '}');
            continue;
        }
        size_t end = i + 1;
        while (end < s.n && s.text[end] != '}') end++;
        if (c == '}' || end >= s.n) return gw_jinja_fail(r, "a single brace in a format");
        gw_str field = {s.text + i + 1, end - i - 1}, spec = {0};
        i = end;
        size_t colon = gw_jinja_find(field, GW_STR(":"), 0);
        if (colon < field.n) {
            spec = (gw_str){field.text + colon + 1, field.n - colon - 1};
            field.n = colon;
        }
        bool repr = field.n > 1 && field.text[field.n - 2] == '!' && field.text[field.n - 1] == 'r';
        if (field.n > 1 && field.text[field.n - 2] == '!') field.n -= 2;
        gw_jvalue value = field_value(r, field, args, &next);
        if (repr && !r->status) {
            size_t from = gw_jinja_begin(r);
            gw_jinja_repr(r, value);
            value = gw_jinja_end(r, from);
        }
        form f = parse_spec(r, spec);
        if (!r->status) put_formed(r, value, f);
    }
    return gw_jinja_end(r, begin);
}

// --- dates ---------------------------------------------------------------------------------------

typedef struct date {
    int64_t year;
    int month, day, hour, minute, second, weekday,
        yearday; // month and day from 1, weekday 0: Sunday
} date;

// Of the proleptic Gregorian calendar; days are counted from 1 March of a year 0.
static date date_of(int64_t now_s) {
    int64_t days = now_s / 86400, rest = now_s % 86400;
    if (rest < 0) {
        rest += 86400;
        days--;
    }
    date d = {
        .hour = (int)(rest / 3600), .minute = (int)(rest / 60 % 60), .second = (int)(rest % 60)};
    d.weekday = (int)(((days + 4) % 7 + 7) % 7);
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    d.day = (int)(doy - (153 * mp + 2) / 5 + 1);
    d.month = (int)(mp < 10 ? mp + 3 : mp - 9);
    d.year = yoe + era * 400 + (d.month <= 2);
    bool leap = (d.year % 4 == 0 && d.year % 100 != 0) || d.year % 400 == 0;
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    d.yearday = before[d.month - 1] + d.day + (leap && d.month > 2);
    return d;
}

static void put_part(gw_jrun *r, const date *d, char c);

static void put_parts(gw_jrun *r, const date *d, const char *format) {
    for (; *format; format++) {
        if (*format != '%') {
            gw_jinja_put(r, format, 1);
        } else {
            put_part(r, d, *++format);
        }
    }
}

static bool put_number(gw_jrun *r, const date *d, char c) {
    const struct {
        char c;
        int digits;
        int64_t value;
    } rows[] = {
        {'d', 2, d->day},     {'m', 2, d->month},   {'y', 2, d->year % 100},
        {'Y', 0, d->year},    {'H', 2, d->hour},    {'I', 2, (d->hour + 11) % 12 + 1},
        {'M', 2, d->minute},  {'S', 2, d->second},  {'f', 6, 0},
        {'j', 3, d->yearday}, {'w', 0, d->weekday}, {'u', 0, d->weekday ? d->weekday : 7},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].c != c) continue;
        gw_jinja_put_int(r, rows[i].value, rows[i].digits);
        return true;
    }
    return false;
}

// Those that are made of others, and those that are text.
static bool put_composite(gw_jrun *r, const date *d, char c) {
    static const struct {
        char c;
        const char *format;
    } rows
        [] =
            {
                {'F', "%Y-%m-%d"}, {'T', "%H:%M:%S"},
                {'X', "%H:%M:%S"}, {'R', "%H:%M"},
                {'D', "%m/%d/%y"}, {'x', "%m/%d/%y"},
                {'n', "\n"},       {'c', "%a %b %e %H:%M:%S %Y"},
                {'t', "\t"},       {'z', ""},
                {'Z', ""}, // a time without a zone, as datetime.now() is
            };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].c != c) continue;
        put_parts(r, d, rows[i].format);
        return true;
    }
    return false;
}

static void put_part(gw_jrun *r, const date *d, char c) {
    static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    const form two = {.width = 2};
    if (put_number(r, d, c) || put_composite(r, d, c)) return;
    switch (c) {
    case 'a':
        gw_jinja_put(r, days[d->weekday], 3);
        break;
    case 'A':
        gw_jinja_put_str(r, gw_str_of(days[d->weekday]));
        break;
    case 'b':
    case 'h':
        gw_jinja_put(r, months[d->month - 1], 3);
        break;
    case 'B':
        gw_jinja_put_str(r, gw_str_of(months[d->month - 1]));
        break;
    case 'e':
        put_padded(r, gw_jinja_text(r, gw_jinja_int(d->day)), &two, '>');
        break;
    case 'p':
        gw_jinja_put_str(r, d->hour < 12 ? GW_STR("AM") : GW_STR("PM"));
        break;
    case '%':
        gw_jinja_put_str(r, GW_STR("%"));
        break;
    default:
        gw_jinja_limit(r, "strftime_now: a part of a date that is not known");
    }
}

gw_jvalue gw_jinja_strftime(gw_jrun *r, gw_str format) {
    size_t begin = gw_jinja_begin(r);
    // A year of four digits at most.
    int64_t now_s = r->now_s < 0 || r->now_s > 253402300799 ? 0 : r->now_s;
    date d = date_of(now_s);
    for (size_t i = 0; i < format.n && gw_jinja_step(r, 1); i++) {
        bool part = format.text[i] == '%' && i + 1 < format.n;
        // Without its padding: "%-d".
        if (part && i + 2 < format.n && format.text[i + 1] == '-') {
            i += 2;
            size_t from = gw_jinja_begin(r);
            put_part(r, &d, format.text[i]);
            gw_str s = gw_jinja_end(r, from).s;
            while (s.n > 1 && (s.text[0] == '0' || s.text[0] == ' '))
                s = (gw_str){s.text + 1, s.n - 1};
            gw_jinja_put_str(r, s);
        } else if (part) {
            put_part(r, &d, format.text[++i]);
        } else {
            gw_jinja_put(r, format.text + i, 1);
        }
    }
    return gw_jinja_end(r, begin);
}
