/* Runs a fuzz target over files, without libFuzzer: so that whatever was once found is tried again
 * with every `make test`. Arguments are files and folders; each file is also tried cut off at every
 * byte of its first CUT_MAX. */
#include "base/mem.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { CUT_MAX = 400 };

/* In memory of exactly that size, so that a sanitizer sees a byte too far. */
static void try(const uint8_t *bytes, size_t n)
{
    uint8_t *exact = malloc(n ? n : 1);
    memcpy(exact, bytes, n);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
}

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = NULL;
    size_t capacity = 0, size = 0, n;
    if (!file) {
        perror(path);
        return -1;
    }
    do {
        bytes = mem_grow(bytes, &capacity, size + 65536, 1);
        n = fread(bytes + size, 1, 65536, file);
        size += n;
    } while (n);
    fclose(file);
    try(bytes, size);
    for (size_t cut = 0; cut < size && cut < CUT_MAX; cut++)
        try(bytes, cut);
    free(bytes);
    return 1;
}

/* How many files there were; -1 if one could not be read. */
static int run_folder(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort), files = 0;
    if (count < 0) {
        perror(path);
        return -1;
    }
    for (int i = 0; i < count; i++) {
        char inner[4096];
        snprintf(inner, sizeof inner, "%s/%s", path, entries[i]->d_name);
        int ran = entries[i]->d_name[0] == '.' ? 0 : run_file(inner);
        files = ran < 0 || files < 0 ? -1 : files + ran;
        free(entries[i]);
    }
    free(entries);
    return files;
}

int main(int argc, char **argv)
{
    int files = 0;
    for (int i = 1; i < argc; i++) {
        struct stat status;
        bool is_folder = stat(argv[i], &status) == 0 && S_ISDIR(status.st_mode);
        int ran = is_folder ? run_folder(argv[i]) : run_file(argv[i]);
        if (ran < 0)
            return 1;
        files += ran;
    }
    printf("%d files\n", files);
    return files ? 0 : 1; /* an empty corpus tests nothing */
}
