/* Runs a fuzz target over the files of a corpus folder, and over cut and bit-flipped forms of each.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { FILE_LIMIT = 1 << 20, CUTS = 64 };

/* A heap copy of exactly n bytes, so that a read beyond the end is seen. */
static void run_exact(const uint8_t *data, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);

    if (!copy)
        abort();
    memcpy(copy, data, n);
    (void)LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

static void run_forms(uint8_t *data, size_t n)
{
    run_exact(data, n);
    for (size_t i = 0; i < n; i += n / CUTS + 1)
        run_exact(data, i);
    for (size_t i = 0; i < n; i += n / CUTS + 1) {
        data[i] ^= (uint8_t)(1u << (i % 8));
        run_exact(data, n);
        data[i] ^= (uint8_t)(1u << (i % 8));
    }
}

static int run_file(const char *path)
{
    static uint8_t data[FILE_LIMIT];
    FILE *f = fopen(path, "rb");
    size_t n;

    if (!f)
        return 0;
    n = fread(data, 1, sizeof data, f);
    (void)fclose(f);
    run_forms(data, n);
    return 1;
}

int main(int argc, char **argv)
{
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    char path[4096];
    int files = 0;

    if (!dir) {
        (void)fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
        return 2;
    }
    for (struct dirent *d; (d = readdir(dir));) {
        if (d->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", argv[1], d->d_name);
        files += run_file(path);
    }
    (void)closedir(dir);
    printf("%d files replayed\n", files);
    return files ? 0 : 1;
}
