#!/bin/bash
# Install what is missing, build, and run every test. HEADRACE_REQUIRE_ALL=1: a skip is a failure.
set -u
cd "$(dirname "$0")" || exit 1
[ ! -e config.status ] || { echo "this folder is configured itself, so nothing can be built beside it: make distclean"; exit 1; }
build-aux/install-packages.sh gcc make autoconf automake libtool pkg-config check \
    librdkafka-dev libjsmn-dev libsqlite3-dev libyaml-dev libxxhash-dev zlib1g-dev sqlite3 xz-utils clang libclang-rt-14-dev strace || exit 1
[ -z "${HEADRACE_REQUIRE_ALL:-}" ] || build-aux/install-packages.sh openjdk-17-jre-headless maven python3-venv || exit 1

passed=0 failed=0 skipped=0
log=build/test.log
mkdir -p build
rm -f build/guarantees

# step NAME COMMAND...: exit 77 is a skip
step() {
    local name=$1 start=$SECONDS
    shift
    "$@" >"$log" 2>&1 </dev/null
    local code=$?
    grep '^guarantee: ' "$log" >>build/guarantees
    case $code in
    0) passed=$((passed + 1)); echo "PASS $name ($((SECONDS - start)) s)"; grep -hE "^(stream|cases|kill|fuzz|contract|faults|guarantees|transactions|spark): " "$log" | tail -7 ;;
    77) skipped=$((skipped + 1)); echo "SKIP $name: $(tail -1 "$log")" ;;
    *) failed=$((failed + 1)); echo "FAIL $name"; tail -60 "$log" ;;
    esac
}

configure_in() { # DIR OPTION...
    local dir=$1
    shift
    mkdir -p "$dir" && (cd "$dir" && "$OLDPWD/configure" "$@")
}

# A sanitizer sees a longest text in vsnprintf(NULL, 0, ...), which the compiler then takes for a cut-off one.
sanitized="-g -O1 -Wno-error=format-truncation"

step autoreconf autoreconf -fi
step configure configure_in build/gcc --enable-werror
step build make -C build/gcc -j2
step check make -C build/gcc -j2 check
step kafka make -C build/gcc check-kafka
step faults make -C build/gcc check-faults
# A part that was skipped shows nothing.
[ $skipped != 0 ] || step guarantees tests/guarantees.sh check build/guarantees build/gcc/tests/*.log build/gcc/tests/*/*.log
step "Spark: answers" make -C build/gcc check-spark-answers
step "Spark: streams" make -C build/gcc check-spark-streams

step "clang: configure" configure_in build/clang --enable-werror CC=clang
step "clang: build" make -C build/clang -j2

step "fuzzing: configure" configure_in build/fuzzing --enable-werror --enable-fuzzing CC=clang CFLAGS="-g -O1"
step "fuzzing: build" make -C build/fuzzing -j2 fuzzers
step "fuzzing: 15 s a target" env builddir="$PWD/build/fuzzing" tests/fuzz/run.sh 15

step "ASan+UBSan: configure" configure_in build/asan --enable-werror --enable-sanitizers CFLAGS="$sanitized"
step "ASan+UBSan: build" make -C build/asan -j2
step "ASan+UBSan: check" make -C build/asan -j2 check SEEDS=300

step "TSan: configure" configure_in build/tsan --enable-werror --enable-tsan CFLAGS="$sanitized -Wno-error=tsan"
step "TSan: build" make -C build/tsan -j2
step "TSan: lanes" make -C build/tsan check TESTS=tests/lanes.sh ROWS=100000
step "TSan: sinks, faults, Kafka" make -C build/tsan check TESTS="tests/sinks.sh tests/faults.sh tests/limits.sh tests/refusals.sh
    tests/codes.sh tests/embedded.sh tests/embedded_kill.sh"

step "modules: configure" configure_in build/modules --enable-werror --with-modules=all
step "modules: build" make -C build/modules -j2
step "modules: check" make -C build/modules check TESTS="tests/examples.sh tests/embedded.sh"

step distcheck make -C build/gcc distcheck

echo
[ -z "${HEADRACE_REQUIRE_ALL:-}" ] || { failed=$((failed + skipped)); }
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
