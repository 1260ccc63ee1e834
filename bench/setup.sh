# shellcheck shell=bash disable=SC2154  # variables of run.sh
# Sets up what the sections named need: Debian packages, headrace and the tools, the peers. What is there stays.

setup() {
    say "setting up"
    "$top/build-aux/install-packages.sh" gcc make autoconf automake libtool pkg-config check \
        librdkafka-dev libjsmn-dev libsqlite3-dev libyaml-dev libxxhash-dev zlib1g-dev sqlite3
    command -v python3 >/dev/null || "$top/build-aux/install-packages.sh" python3
    setup_headrace
    for section in ${1/setup/$every}; do
        case $section in
        kafka) setup_kafka; setup_python; setup_jars spark; setup_streams ;;
        start) setup_kafka; setup_python; setup_jars spark ;;
        latency) setup_kafka ;;
        file) setup_python; setup_simdjson ;;
        esac
    done
    versions
}

# As a user builds it: configure's own flags.
setup_headrace() {
    mkdir -p "$build"
    {
        [ -x "$top/configure" ] || (cd "$top" && autoreconf -fi)
        [ -f "$build/Makefile" ] || (cd "$build" && ../../configure)
        make -C "$build" -j2 all
        make -C "$build" -j2 tests/kafka/admin tests/stream/produce tests/stream/expected \
            bench/consumer bench/measure bench/latency bench/kernels
    } >"$build/log" 2>&1 || { tail -n 20 "$build/log"; exit 1; }
    headrace=$build/headrace
    export HEADRACE_PLUGIN_PATH=$build/.libs
}

setup_kafka() {
    command -v java >/dev/null || "$top/build-aux/install-packages.sh" openjdk-17-jre-headless
    command -v mvn >/dev/null || "$top/build-aux/install-packages.sh" maven
    "$top/tests/kafka/broker.sh" fetch
}

# done_for FILE PLACE: was this made from that very file?
done_for() { cmp -s "$1" "$2/made-from"; }

setup_python() {
    venv=$cache/bench-python
    done_for "$bench/peers/requirements.txt" "$venv" && return
    python3 -c 'import ensurepip' 2>/dev/null || "$top/build-aux/install-packages.sh" python3-venv
    say "  fetching the peers in Python (once)"
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check -r "$bench/peers/requirements.txt"
    cp "$bench/peers/requirements.txt" "$venv/made-from"
}

# setup_jars NAME: those of peers/NAME-pom.xml, in bench-NAME
setup_jars() {
    local jars=$cache/bench-$1 pom=$bench/peers/$1-pom.xml
    done_for "$pom" "$jars" && return
    say "  fetching the jars of $1 (once)"
    rm -rf "$jars"
    mvn -q -B -Dstyle.color=never -f "$pom" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$jars"
    cp "$pom" "$jars/made-from"
}

setup_streams() {
    setup_jars streams
    command -v javac >/dev/null || "$top/build-aux/install-packages.sh" openjdk-17-jdk-headless
    javac -cp "$cache/bench-streams/*" -d "$build/streams" "$bench/peers/InvoiceStreams.java"
}

# For this very processor: the library's on-demand parser chooses its kernel when it is compiled.
setup_simdjson() {
    "$top/build-aux/install-packages.sh" g++ libsimdjson-dev
    g++ -O3 -march=native -std=c++17 "$bench/peers/invoices_simdjson.cc" -lsimdjson -o "$build/invoices_simdjson"
}

debian() { dpkg-query -W -f '${Version}' "$1" 2>/dev/null || echo "not from Debian"; }
pypi() { "$venv/bin/pip" --disable-pip-version-check show "$1" 2>/dev/null | sed -n 's/^Version: //p'; }
pom_version() { sed -n "/<artifactId>$2</{n;s:.*<version>\(.*\)</version>.*:\1:p;}" "$1"; }

versions() {
    venv=$cache/bench-python
    {
        echo "processor	$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores"
        echo "memory	$(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo)"
        echo "system	$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release), Linux $(uname -r)"
        echo "gcc	$(gcc -dumpfullversion)"
        echo "librdkafka	$(debian librdkafka1)"
        echo "SQLite	$(sqlite3 --version | cut -d ' ' -f 1)"
        echo "Apache Kafka (broker)	$(pom_version "$top/tests/kafka/pom.xml" 'kafka_2.13')"
        echo "Java	$(java -version 2>&1 | sed -n 's/.*version "\(.*\)".*/\1/p')"
        echo "Kafka Streams	$(pom_version "$bench/peers/streams-pom.xml" kafka-streams)"
        echo "Python	$(python3 --version | cut -d ' ' -f 2)"
        [ ! -d "$venv" ] || echo "PySpark	$(pypi pyspark)"
        [ ! -d "$venv" ] || echo "Bytewax	$(pypi bytewax)"
        [ ! -d "$venv" ] || echo "DuckDB	$(pypi duckdb)"
        echo "simdjson	$(debian libsimdjson-dev)"
    } >"$raw/versions.tsv"
}
