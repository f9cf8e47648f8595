#include "support/failing.h"

#include <stdlib.h>

void *failing_realloc(void *user, void *ptr, size_t old_bytes, size_t new_bytes) {
    failing *f = user;
    (void)old_bytes;
    if (new_bytes == 0) {
        if (ptr) f->held--;
        free(ptr);
        return NULL;
    }
    if (f->until_failure && --f->until_failure == 0) return NULL;
    void *grown = realloc(ptr, new_bytes);
    if (grown && !ptr) f->held++;
    return grown;
}
