// Folder: a new folder of a test's own. folder_remove empties and removes it; folder_count: names
// in it.
#ifndef GW_TESTS_FOLDER_H
#define GW_TESTS_FOLDER_H

#include <stddef.h>

void folder_make(char *dir, size_t dir_bytes);
void folder_remove(const char *dir);
int folder_count(const char *dir);

#endif
