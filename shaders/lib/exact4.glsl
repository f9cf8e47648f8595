// Exact, four numbers at once: each as exact.glsl has it.
#ifndef GW_LIB_EXACT4
#define GW_LIB_EXACT4

#include "lib/exact.glsl"

vec4 gw_add4(vec4 a, vec4 b) {
    precise vec4 r = a + b;
    return r;
}
vec4 gw_mul4(vec4 a, vec4 b) {
    precise vec4 r = a * b;
    return r;
}
vec4 gw_mul4(vec4 a, float b) {
    return gw_mul4(a, vec4(b));
}
vec4 gw_flush4(vec4 a) {
    return vec4(gw_flush(a.x), gw_flush(a.y), gw_flush(a.z), gw_flush(a.w));
}
// The products added one after another.
float gw_add_dot(float sum, vec4 a, vec4 b) {
    sum = gw_add(sum, gw_mul(a.x, b.x));
    sum = gw_add(sum, gw_mul(a.y, b.y));
    sum = gw_add(sum, gw_mul(a.z, b.z));
    return gw_add(sum, gw_mul(a.w, b.w));
}
vec4 gw_halves4(uvec2 w) {
    return vec4(gw_halves(w.x), gw_halves(w.y));
}

#endif
