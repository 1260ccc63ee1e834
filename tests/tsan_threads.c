/* For --enable-tsan: the C11 threads of librdkafka by way of POSIX ones. ThreadSanitizer knows only these: a thread that
 * thrd_create() made crashes it, and without the locks it would report all that librdkafka hands over. glibc has both
 * kinds in one layout (nptl/thrd_create.c, nptl/mtx_init.c and so on), so that neither side sees a difference. */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#pragma GCC visibility push(default) /* librdkafka is to find these before glibc's */
#include <threads.h>

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t) && sizeof(cnd_t) == sizeof(pthread_cond_t), "glibc's layouts");

static int result(int e) { return e == 0 ? thrd_success : e == ETIMEDOUT ? thrd_timedout : e == EBUSY ? thrd_busy : thrd_error; }

struct start {
    thrd_start_t run;
    void *arg;
};

static void *run(void *arg) {
    struct start s = *(struct start *)arg;
    free(arg);
    return (void *)(intptr_t)s.run(s.arg);
}

int thrd_create(thrd_t *t, thrd_start_t f, void *arg) {
    struct start *s = malloc(sizeof *s);
    if (!s) return thrd_nomem;
    *s = (struct start){f, arg};
    return result(pthread_create(t, NULL, run, s));
}

int thrd_join(thrd_t t, int *code) {
    void *value;
    int e = pthread_join(t, &value);
    if (!e && code) *code = (int)(intptr_t)value;
    return result(e);
}

int mtx_init(mtx_t *m, int type) {
    pthread_mutexattr_t how;
    pthread_mutexattr_init(&how);
    if (type & mtx_recursive) pthread_mutexattr_settype(&how, PTHREAD_MUTEX_RECURSIVE);
    return result(pthread_mutex_init((pthread_mutex_t *)m, &how));
}
int mtx_lock(mtx_t *m) { return result(pthread_mutex_lock((pthread_mutex_t *)m)); }
int mtx_unlock(mtx_t *m) { return result(pthread_mutex_unlock((pthread_mutex_t *)m)); }
void mtx_destroy(mtx_t *m) { pthread_mutex_destroy((pthread_mutex_t *)m); }

int cnd_init(cnd_t *c) { return result(pthread_cond_init((pthread_cond_t *)c, NULL)); }
int cnd_signal(cnd_t *c) { return result(pthread_cond_signal((pthread_cond_t *)c)); }
int cnd_broadcast(cnd_t *c) { return result(pthread_cond_broadcast((pthread_cond_t *)c)); }
int cnd_wait(cnd_t *c, mtx_t *m) { return result(pthread_cond_wait((pthread_cond_t *)c, (pthread_mutex_t *)m)); }
int cnd_timedwait(cnd_t *c, mtx_t *m, const struct timespec *until) {
    return result(pthread_cond_timedwait((pthread_cond_t *)c, (pthread_mutex_t *)m, until));
}
void cnd_destroy(cnd_t *c) { pthread_cond_destroy((pthread_cond_t *)c); }

/* Races of librdkafka with itself (counters that it reads without a lock) are its own. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void) { return "race:librdkafka.so\n"; }
