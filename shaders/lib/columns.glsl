// Columns: where element i of a value is that may be columns of another (gw_columns in engine/graph/plan.h).
#ifndef GW_LIB_COLUMNS
#define GW_LIB_COLUMNS

uint gw_column_at(uint i, uint first, uint run, uint stride) {
    uint n = i / run; // one division: drivers on CPUs make it lane by lane
    return first + n * stride + (i - n * run);
}

#endif
