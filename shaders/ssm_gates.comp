// ssm_gates: what a head's state decays by at a token, and the rate at which it takes up what is new
// dt: [n_tok, n] columns; A: [n / n_share]; bias: [n]; rate: [n_tok, n_rates] columns; y: [n_tok, n + n_rates]:
// e^(A softplus(dt + bias)), or with a bound e^(bound sigmoid(A (dt + bias))); then sigmoid(rate), or with SIGMOID 0
// that softplus, or sigmoid.
//
// One invocation: a decay of a token, and, of the first n_rates of them, a rate. Specialization: SIGMOID. Floor: Vulkan 1.2, no shared memory. No sums.
#version 450
#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
layout(constant_id = 3) const uint SIGMOID = 1u;

layout(binding = 0) readonly buffer Dt { float dt[]; };
layout(binding = 1) readonly buffer A { float a[]; };
layout(binding = 2) readonly buffer Bias { float bias[]; };
layout(binding = 3) readonly buffer Rate { float rate[]; };
layout(binding = 4) buffer Y { float y[]; };

layout(push_constant) uniform Params {
    uint n, n_tok, sigmoid;
    uint n_rates, n_share;
    float bound;
    uint dt_first, dt_run, dt_stride;
    uint rate_first, rate_run, rate_stride;
    uint groups_x;
} p;

#include "lib/exact_math.glsl"
#include "lib/columns.glsl"

void main() {
    uint at = (gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x) * gl_WorkGroupSize.x +
              gl_LocalInvocationID.x;
    if (at >= p.n * p.n_tok) return;
    uint i = at % p.n, t = at / p.n, to = t * (p.n + p.n_rates) + i;
    float x = gw_flush(gw_add(dt[gw_column_at(at, p.dt_first, p.dt_run, p.dt_stride)], bias[i]));
    float by = a[i / p.n_share], s;
    if (p.bound != 0.0) {
        s = gw_flush(gw_sigmoid(gw_flush(gw_mul(by, x))));
        by = p.bound;
    } else {
        s = gw_flush(gw_softplus(x));
    }
    y[to] = gw_flush(gw_exp(gw_flush(gw_mul(by, s))));
    if (i >= p.n_rates) return;
    uint from = t * p.n_rates + i;
    if (SIGMOID != 0u) s = gw_flush(gw_sigmoid(rate[gw_column_at(from, p.rate_first, p.rate_run, p.rate_stride)]));
    y[to + p.n] = s;
}
