// functions: y[i] = f(a[i], b[i]), flushed, for one of the functions of tests/support/functions.def
// Constants 0 to 2: the workgroup. Made into a module as the shaders of the library are.
#version 450
#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(binding = 0) readonly buffer In { vec2 x[]; };
layout(binding = 1) buffer Out { uint y[]; };

layout(push_constant) uniform Params { uint n, id; } p;

#include "lib/exact_math.glsl"

#define ONE(id, name) case id: r = gw_##name(v.x); break;
#define TWO(id, name) case id: r = gw_##name(v.x, v.y); break;
#define WORD(id, name) case id: r = gw_##name(floatBitsToInt(v.x)); break;
#define INTEGER(id, name) case id: r = float(gw_##name(v.x)); break;

void main() {
    uint at = gl_GlobalInvocationID.x;
    if (at >= p.n) return;
    vec2 v = x[at];
    float r = 0.0;
    switch (p.id) {
#include "functions.def"
    }
    y[at] = floatBitsToUint(gw_flush(r));
}
