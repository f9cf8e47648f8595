// Host math: ln and e^x in double, out of + - * / in a fixed order, so that two hosts make the same
// tables, bit for bit (libm's differ).
#ifndef GW_BASE_HOST_MATH_H
#define GW_BASE_HOST_MATH_H

// ln x for normal x > 0: x = 2^e m, ln m by the series of atanh((m - 1) / (m + 1)).
static inline double gw_host_log(double x) {
    int e = 0;
    while (x > 1.5) {
        x = x * 0.5;
        e++;
    }
    while (x < 0.75) {
        x = x * 2.0;
        e--;
    }
    double z = (x - 1.0) / (x + 1.0), z2 = z * z, power = z, sum = 0.0;
    for (int k = 1; k < 40; k += 2) {
        sum = sum + power / (double)k;
        power = power * z2;
    }
    return 2.0 * sum + (double)e * 0.69314718055994530942;
}

// e^x for |x| < 700: halved until small, Taylor, squared back.
static inline double gw_host_exp(double x) {
    int halvings = 0;
    while (x > 0.25 || x < -0.25) {
        x = x * 0.5;
        halvings++;
    }
    double term = 1.0, sum = 1.0;
    for (int k = 1; k < 20; k++) {
        term = term * x / (double)k;
        sum = sum + term;
    }
    while (halvings-- > 0) sum = sum * sum;
    return sum;
}

#endif
