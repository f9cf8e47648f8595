// Columns: where element i of a value is that may be columns of another (gw_columns in engine/graph/plan.h).
#ifndef GW_LIB_COLUMNS
#define GW_LIB_COLUMNS

uint gw_column_at(uint i, uint first, uint run, uint stride) {
    return first + i / run * stride + i % run;
}

#endif
