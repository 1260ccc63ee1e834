/* unpublish CHECKPOINT: as a kill between a commit and its publishing leaves it. The checksum goes with it (store_checksum()). */
#include "core/base/base.h"

#include <sqlite3.h>

static uint64_t part(int64_t epoch, int64_t published) {
    int64_t number[] = {epoch, published};
    return hash_bytes(number, sizeof number, 0);
}

int main(int argc, char **argv) {
    sqlite3 *db = NULL;
    sqlite3_stmt *get = NULL, *put = NULL;
    bool ok = argc == 2 && sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
              sqlite3_prepare_v2(db, "SELECT epoch, published, checksum FROM hr_meta", -1, &get, NULL) == SQLITE_OK &&
              sqlite3_prepare_v2(db, "UPDATE hr_meta SET published = ?, checksum = ?", -1, &put, NULL) == SQLITE_OK && sqlite3_step(get) == SQLITE_ROW;
    if (ok) {
        int64_t epoch = sqlite3_column_int64(get, 0), published = sqlite3_column_int64(get, 1);
        uint64_t sum = (uint64_t)sqlite3_column_int64(get, 2) - part(epoch, published) + part(epoch, epoch - 1);
        sqlite3_reset(get);
        sqlite3_bind_int64(put, 1, epoch - 1);
        sqlite3_bind_int64(put, 2, (sqlite3_int64)sum);
        ok = sqlite3_step(put) == SQLITE_DONE;
    }
    if (!ok) fprintf(stderr, "unpublish: %s\n", db ? sqlite3_errmsg(db) : "usage: unpublish CHECKPOINT");
    sqlite3_finalize(get);
    sqlite3_finalize(put);
    sqlite3_close(db);
    return !ok;
}
