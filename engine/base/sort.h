// Sort: in place, without an allocation, and in n log n steps on any order.
//
// What a file says decides the order that comes in: qsort may allocate behind the host's back and
// may be quadratic on an order that was made for it.
#ifndef GW_BASE_SORT_H
#define GW_BASE_SORT_H

#include <stddef.h>

// Below 0, 0, above 0 as a sorts before, with or behind b; user is what gw_sort got.
typedef int (*gw_compare_fn)(const void *a, const void *b, const void *user);

// A heapsort. Equal items come out in any order, the same in every run.
void gw_sort(void *items, size_t n, size_t item_bytes, gw_compare_fn compare, const void *user);

#endif
