/*
 * measure: runs a command and tells what its whole process tree took.
 *
 *   measure [-o FILE] [-l] [-s FILE] [-t SECONDS] COMMAND ARGUMENTS...
 *
 * prints one line when the command and all that it left behind are gone
 *
 *   wall=1.234 cpu=2.345 peak_mib=56.7 exit=0
 *
 * and ends with the command's exit code (128 + N for signal N).
 *
 *   1. wall: seconds from just before fork() until the command itself ends.
 *   2. cpu: user and system seconds of the command and of every process below it, also of those that outlive their
 *      parents: this is their subreaper. What a process leaves unwaited-for at its own end is waited for here.
 *   3. peak_mib: resident memory of all of them at one time, sampled, but never less than the largest of them, which
 *      the kernel knows exactly. Pages that two of them share count twice.
 *   4. -o: standard output goes to FILE, not to /dev/null. -l: with the seconds since the start in front of each line,
 *      so when something was printed can be read there.
 *   5. -s: a line "SECONDS MIB CPU" a quarter second, CPU by the kernel's ticks.
 *   6. -t: after so many seconds all are killed. Also when measure is told to end, or 10 s after the command did.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Looking at a few known processes is cheap, looking for new ones is not: on two cores it would show in the result. */
enum { SAMPLE_MS = 20, LOOK_EVERY = 12, AFTER_S = 10, MOST = 4096 };

struct tree {
    int n;
    pid_t pid[MOST];
    double peak_mib, mib, cpu; /* cpu: of those that live */
};

struct run {
    pid_t command;
    double start, wall; /* wall: 0 while it runs */
    int exit;
    double limit;       /* seconds; 0: none */
    bool stamp;
    FILE *out, *trace;
    char *line;
    size_t line_n, line_room;
};

__attribute__((noreturn)) static void die(const char *what) {
    fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
    exit(125);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the tree ---- */

/* Parent of pid and seconds it ran; 0 if it is gone. The name in brackets may hold anything, also brackets. */
static pid_t parent_of(pid_t pid, double *cpu) {
    char path[32], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    char *after = strrchr(text, ')');
    int parent;
    unsigned long user, system;
    if (!after || sscanf(after + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &parent, &user, &system) != 3)
        return 0;
    if (cpu) *cpu = (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
    return parent;
}

/* All processes below this one, in rounds: a child's number may be lower than its parent's. */
static void look(struct tree *t) {
    static pid_t pid[MOST], parent[MOST];
    int all = 0;
    DIR *dir = opendir("/proc");
    if (!dir) die("/proc");
    for (struct dirent *e; (e = readdir(dir)) && all < MOST;) {
        pid_t p = (pid_t)strtol(e->d_name, NULL, 10);
        if (p > 0 && (parent[all] = parent_of(p, NULL)) > 0) pid[all++] = p;
    }
    closedir(dir);
    t->n = 0;
    for (int from = -1; from < t->n; from++) {
        pid_t above = from < 0 ? getpid() : t->pid[from];
        for (int i = 0; i < all; i++)
            if (parent[i] == above) t->pid[t->n++] = pid[i];
    }
}

static void sample(struct tree *t) {
    static long page;
    if (!page) page = sysconf(_SC_PAGESIZE);
    double bytes = 0, cpu;
    t->cpu = 0;
    for (int i = 0; i < t->n; i++) {
        char path[32], text[128];
        snprintf(path, sizeof path, "/proc/%d/statm", (int)t->pid[i]);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) continue;
        ssize_t n = read(fd, text, sizeof text - 1);
        close(fd);
        text[n > 0 ? n : 0] = '\0';
        long pages = 0;
        if (sscanf(text, "%*d %ld", &pages) == 1) bytes += (double)pages * (double)page;
        if (parent_of(t->pid[i], &cpu)) t->cpu += cpu;
    }
    t->mib = bytes / (1 << 20);
    if (t->mib > t->peak_mib) t->peak_mib = t->mib;
}

static void kill_all(struct tree *t) {
    look(t);
    for (int i = 0; i < t->n; i++) kill(t->pid[i], SIGKILL);
}

/* ---- the run ---- */

static pid_t start(char **argv, int out, const sigset_t *signals) {
    pid_t pid = fork();
    if (pid < 0) die("fork");
    if (pid > 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigprocmask(SIG_UNBLOCK, signals, NULL);
    dup2(out, STDOUT_FILENO);
    execvp(argv[0], argv);
    die(argv[0]);
}

/* Wait for all that ended. False when none is left. */
static bool reap(struct run *r) {
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid == 0) return true;
        if (pid < 0) return errno == EINTR;
        if (pid != r->command) continue;
        r->wall = now() - r->start;
        r->exit = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
}

/* Lines with their time. False at the end. */
static bool copy(struct run *r, int from) {
    char bytes[1 << 16];
    ssize_t n = read(from, bytes, sizeof bytes);
    if (n <= 0) return n < 0 && errno == EINTR;
    double at = now() - r->start;
    for (char *p = bytes, *end = bytes + n; p < end;) {
        char *stop = memchr(p, '\n', (size_t)(end - p));
        size_t length = (size_t)((stop ? stop + 1 : end) - p);
        if (r->line_n + length > r->line_room) {
            r->line_room = 2 * (r->line_n + length);
            r->line = realloc(r->line, r->line_room);
            if (!r->line) die("a long line");
        }
        memcpy(r->line + r->line_n, p, length);
        r->line_n += length;
        p += length;
        if (!stop) break;
        fprintf(r->out, "%.6f ", at);
        fwrite(r->line, 1, r->line_n, r->out);
        r->line_n = 0;
    }
    return true;
}

static void follow(struct run *r, struct tree *t, int signals, int from) {
    struct pollfd fd[] = {{.fd = signals, .events = POLLIN}, {.fd = from, .events = POLLIN}};
    double next = now();
    int turn = 0;
    for (bool any = true; any || fd[1].fd >= 0;) {
        int left_ms = (int)((next - now()) * 1000);
        if (left_ms > 0 && poll(fd, 2, left_ms) < 0 && errno != EINTR) die("poll");
        if (left_ms <= 0) {
            if (turn % LOOK_EVERY == 0) look(t);
            sample(t);
            if (r->trace && turn % LOOK_EVERY == 0) fprintf(r->trace, "%.3f %.2f %.2f\n", now() - r->start, t->mib, t->cpu);
            turn++;
            next = now() + SAMPLE_MS / 1000.0;
            fd[0].revents = fd[1].revents = 0;
            if (poll(fd, 2, 0) < 0 && errno != EINTR) die("poll");
        }
        if (fd[1].revents && !copy(r, fd[1].fd)) fd[1].fd = -1;
        struct signalfd_siginfo info;
        bool told = fd[0].revents && read(signals, &info, sizeof info) == sizeof info && info.ssi_signo != SIGCHLD;
        any = reap(r);
        double passed = now() - r->start;
        if (told || (r->limit > 0 && passed > r->limit) || (r->wall > 0 && passed > r->wall + AFTER_S)) kill_all(t);
    }
}

static void report(const struct run *r, const struct tree *t) {
    struct rusage used;
    getrusage(RUSAGE_CHILDREN, &used);
    double largest = (double)used.ru_maxrss / 1024;
    printf("wall=%.4f cpu=%.4f peak_mib=%.1f exit=%d\n", r->wall,
           (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + 1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec),
           largest > t->peak_mib ? largest : t->peak_mib, r->exit);
}

static FILE *file(const char *path) {
    FILE *f = fopen(path, "we");
    if (!f) die(path);
    return f;
}

int main(int argc, char **argv) {
    struct run r = {.exit = 125};
    static struct tree tree;
    for (int o; (o = getopt(argc, argv, "+o:ls:t:")) != -1;)
        if (o == 'o') r.out = file(optarg);
        else if (o == 'l') r.stamp = true;
        else if (o == 's') r.trace = file(optarg);
        else if (o == 't') r.limit = strtod(optarg, NULL);
        else optind = argc;
    if (optind >= argc) {
        fputs("usage: measure [-o FILE] [-l] [-s FILE] [-t SECONDS] COMMAND ARGUMENTS...\n", stderr);
        return 125;
    }
    if (!r.out) r.out = file("/dev/null");

    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    int events = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK), pipes[2] = {-1, fileno(r.out)};
    if (events < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1)) die("signals");
    if (r.stamp && pipe2(pipes, O_CLOEXEC)) die("pipe");

    r.start = now();
    r.command = start(argv + optind, pipes[1], &signals);
    if (r.stamp) close(pipes[1]);
    follow(&r, &tree, events, pipes[0]);
    report(&r, &tree);
    if (fclose(r.out) || (r.trace && fclose(r.trace)) || fflush(stdout)) die("writing");
    return r.exit;
}
