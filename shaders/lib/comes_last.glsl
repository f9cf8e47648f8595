// The workgroup that ends last: of those that share a counter one is told that the others are done, and sees what
// they wrote. Nobody waits for anybody. Counters are 0 before a launch, and after it.
// The including shader defines GW_COUNTER(i), a word of a coherent buffer.
#ifndef GW_LIB_COMES_LAST
#define GW_LIB_COMES_LAST

shared bool gw_is_last;

// Whether this workgroup is the last of `of` that come here. All of it calls it.
bool gw_comes_last(uint counter, uint of) {
    memoryBarrierBuffer();
    barrier();
    if (gl_LocalInvocationID.x == 0u) {
        gw_is_last = atomicAdd(GW_COUNTER(counter), 1u) + 1u == of;
        if (gw_is_last) GW_COUNTER(counter) = 0u;
    }
    barrier();
    memoryBarrierBuffer();
    return gw_is_last;
}

#endif
