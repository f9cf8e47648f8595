// Load: reading buffers of 32-bit words, one by one or in fours, by one of two paths.
//   GW_WORDS(binding, name)  declares  uint name(uint i): word i of the buffer
//   GW_FOURS(binding, name)  declares  uvec4 name(uint i): words 4 i to 4 i + 3
// The path is a storage buffer or, in modules with GW_TEXEL, a texel buffer: a software driver may check each lane of a
// load from the one, and not from the other. A descriptor's number says how its binding is seen (engine/gpu/gpu.h,
// gw_shader): a storage buffer, texels of a word (+ 8), texels of four (+ 16).
#ifndef GW_LIB_LOAD
#define GW_LIB_LOAD

#ifdef GW_TEXEL
#define GW_WORDS(at, name)                                    \
    layout(binding = at + 8) uniform usamplerBuffer name##_w; \
    uint name(uint i) { return texelFetch(name##_w, int(i)).x; }
#define GW_FOURS(at, name)                                     \
    layout(binding = at + 16) uniform usamplerBuffer name##_f; \
    uvec4 name(uint i) { return texelFetch(name##_f, int(i)); }
#else
#define GW_WORDS(at, name)                                              \
    layout(binding = at) readonly buffer name##_W { uint name##_w[]; }; \
    uint name(uint i) { return name##_w[i]; }
#define GW_FOURS(at, name)                                               \
    layout(binding = at) readonly buffer name##_F { uvec4 name##_f[]; }; \
    uvec4 name(uint i) { return name##_f[i]; }
#endif

#endif
