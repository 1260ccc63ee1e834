/*
 * sim.h: a world in one thread and from one seed, in which the engine runs: its clock, disk, source and sinks.
 *
 * What outlasts a kill lies in `sim`: the records, what sinks have shown, how far a pipe was read. The disk keeps the
 * checkpoint (sim_disk.c). Everything else is the engine's and is lost.
 */
#ifndef TESTS_SIM_H
#define TESTS_SIM_H

#include "core/engine/run.h"

enum { PARTS = 4, KEYS = 24, SINKS = 4, EPOCHS = 400, LOST = 64 };

/* ---- dice: all chance comes from the seed ---- */

uint64_t roll(uint64_t n); /* 0..n-1 */
bool chance(int percent);
uint64_t mix(uint64_t);

/* ---- faults ---- */

enum place {
    AT_STEP, AT_SOURCE_OPEN, AT_POLL, AT_SINK_OPEN, AT_REMEMBERED, AT_BEGIN, AT_WRITE, AT_FLUSH, AT_PUBLISH, AT_DISK_WRITE,
    AT_DISK_SYNC, PLACES
};
enum fate {
    FAIL = 1,     /* an error comes back */
    REPEAT,       /* a sink lost what it held back: HR_EREPEAT */
    KILL,         /* kill -9 */
    POWER_CUT,    /* and what was not synced may be gone */
};

/* One for each run: what happens when the place is come to for the n-th time. */
struct fault {
    enum place place;
    enum fate fate; /* 0: none */
    int n;
    bool after;     /* the call took effect */
    bool lasting;   /* the disk stays full */
};

/* Around what takes effect at a place: false: it is not to be done, or it was done and nobody hears of it; err (may be
 * NULL) says so. */
bool sim_before(enum place, struct hr_error *);
bool sim_after(enum place, struct hr_error *);

/* ---- records: a function of the seed ---- */

struct record {
    int key;               /* 0..KEYS-2; KEYS-1: null */
    bool no_n, bad, kept;  /* n is null; what the operators make of it */
    int64_t n;
    hr_int128 d;           /* DECIMAL(18,2) */
    int64_t x_digits;      /* x is x_digits * 2^x_exponent */
    int x_exponent;
};
struct record record_at(int part, int64_t seq);
double record_x(const struct record *);
/* "p.seq": what the column s holds. */
int record_text(int part, int64_t seq, char out[48]);

/* ---- the plan of a seed ---- */

enum level { AT_SOURCE, AT_CHECKED, AT_KEPT, AT_BAD, AT_TOTALS, AT_EVEN };

struct shown_row {
    int64_t part, seq; /* append, dead letters */
    int key;           /* complete, update */
    bool no_n;
    int64_t c, n, least, most;
    hr_int128 d;
    double x;
};

/* One time that a sink was given an epoch. */
struct show {
    int64_t epoch;
    int run;
    bool published;
    int n, room;
    struct shown_row *row;
};

/* In the pipeline: epochs after `since` up to `until`. */
struct stay { int64_t since, until; };

struct sim_sink {
    char id[8];
    bool remembers, elsewhere;
    enum level reads;
    enum hr_mode mode;
    bool present, fresh;         /* in the pipeline; fresh: that changed, and no run came to read since */
    int stays;
    struct stay stay[16];
    int64_t clean;               /* newest epoch when a run ended well: a plain sink is not given it again */
    int shows;
    struct show *show;
    struct show held;            /* remembering: begun and not published; lost with the process */
    bool open, begun;
    int64_t next;                /* begin() comes with this epoch or, after a restart, the one before */
};

struct sim_plan {
    int parts, chunk, batch, spacing_us;
    int64_t records[PARTS], appears_us[PARTS];
    bool pipe;                   /* cannot be read again */
    bool latest;                 /* a first run begins at the end of what is there */
    bool cuts;                   /* the power may fail */
    bool text_key, state, even, changes;
    enum hr_on_error policy;
    int sinks;
};

/* ---- the world ---- */

struct epoch_end { int64_t at[PARTS]; };

struct sim {
    uint64_t seed, dice;
    struct sim_plan plan;
    struct sim_sink sink[SINKS];
    int64_t now;
    int run;
    bool last;                   /* this run is undisturbed, to the end of the source */
    int lanes, trigger_us, memory; /* memory: bytes for groups, beyond them they lie in the checkpoint only; 0: plenty */
    bool available_now;
    /* of the run */
    struct fault fault;
    int visits;
    bool fired, pending;
    bool dead, cut;
    bool drove;                  /* it came so far that it reads */
    int64_t busy_until;          /* the coordinator waits for a sink */
    int out;                     /* chunks handed out and not given back */
    /* the truth */
    bool started;                /* a run came to its lanes */
    int64_t committed;
    struct epoch_end end[EPOCHS];
    struct { int64_t epoch; struct epoch_end end; } closing;
    struct epoch_end from;       /* where the source was told to begin */
    bool has_from;
    bool undone;                 /* a power cut may take back commits: nothing is synced */
    int64_t pipe_at;
    int losses;                  /* of a pipe: read and not committed */
    struct { int64_t from, to; } lost[LOST];
};
extern struct sim sim;

/* ---- events and the end ---- */

void event(const char *format, ...) HR_PRINTF(1, 2);
/* Say what promise was broken, by which seed, and end the program with SIM_BROKEN. */
enum { SIM_BROKEN = 3 };
_Noreturn void broken(const char *format, ...) HR_PRINTF(1, 2);

/* ---- the parts ---- */

extern const struct hr_plugin sim_source, sim_check, sim_sink_plain, sim_sink_local, sim_sink_remembers;

void disk_open(void);              /* once */
void disk_close(void);
const char *disk_path(const char *name);
void disk_clear(void);             /* before each seed */
void disk_restart(bool power_cut); /* the process is dead: this is what the next one finds */

void plan_draw(void);
void plan_change(void);            /* before a restart: sinks come and go, another trigger */
void plan_write(const char *path);
void fault_draw(void);

void sink_forget(void);            /* what sinks held back is gone */
void sink_clear(void);             /* after each seed */

void check_start(const struct coordinator *); /* of a run that came to its lanes */
void check_step(const struct coordinator *, const struct lane *, int lanes);
void check_all(const char *checkpoint);

#endif
