#!/bin/sh
# A real Apache Kafka for the tests: one KRaft node, broker and controller in one, on ports of its own.
#
#   broker.sh start DIR [secure]                  format DIR (a temporary folder of the caller's) and start on it
#   broker.sh stop DIR | kill DIR                 orderly, or kill -9
#   broker.sh restart DIR                         start again on the same ports and data; stops it first if it runs
#   broker.sh topic DIR NAME PARTITIONS [K=V...]  a new topic
#   broker.sh admin DIR ARGUMENTS...              anything else that admin.c offers
#   broker.sh fetch                               only fetch the jars
#
# secure: a second listener in DIR/secure, TLS with the certificate DIR/ca.pem, SASL PLAIN for user headrace, password
# in DIR/password. start and restart return when the broker answers; then DIR/bootstrap holds HOST:PORT and DIR/pid its process. What the
# broker says is in DIR/log. KAFKA_ADMIN names the compiled admin.c if it is not beside this script. Exit code 77: no
# Java or Maven here, so the caller may skip.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
admin=${KAFKA_ADMIN:-$here/admin}
version=$(sed -n '/<artifactId>kafka_/{n;s:.*<version>\(.*\)</version>.*:\1:p;}' "$here/pom.xml")
jars=${XDG_CACHE_HOME:-$HOME/.cache}/headrace/kafka-$version

patience=60          # seconds until a start or stop counts as failed; a start takes 2 to 4 on two idle cores

# DIR holds: properties, bootstrap, pid, log, cluster (the id of what is in data), data, tmp
die() { echo "broker.sh: $1" >&2; exit "${2:-1}"; }

fetch() {
    command -v java >/dev/null || die "no java: install openjdk-17-jre-headless" 77
    [ -d "$jars" ] && return
    command -v mvn >/dev/null || die "no mvn to fetch Kafka with: install maven" 77
    # Under another name first: a fetch that was cut off must not look like a whole one.
    mkdir -p "$(dirname "$jars")"
    part=$(mktemp -d "$jars.XXXXXX")
    mvn -q -B -Dstyle.color=never -f "$here/pom.xml" dependency:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$part" >&2 ||
        { rm -rf "$part"; die "Maven could not fetch Kafka $version"; }
    # Somebody else may have been faster; then theirs is as good.
    mv -T "$part" "$jars" 2>/dev/null || rm -rf "$part"
}

# kafka MAIN-CLASS ARGUMENTS...: becomes that JVM. No performance data and its own folder for unpacked native
# libraries, so that it leaves nothing in /tmp.
kafka() {
    exec setsid java -Xms64m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel="${tier:-4}" -XX:-UsePerfData \
        -Djava.io.tmpdir="$dir/tmp" -Dlog4j.configuration="file:$here/log4j.properties" -cp "$jars/*" "$@"
}

# The process id may be old and by now somebody else's, or a zombie that nobody waits for: ask for its command line.
alive() { [ -s "$dir/pid" ] && grep -qzxF "$dir/properties" "/proc/$(cat "$dir/pid")/cmdline" 2>/dev/null; }

# wait_until COMMAND...: poll until it succeeds; false after $patience seconds.
wait_until() {
    end=$(($(date +%s) + patience))
    until "$@"; do
        [ "$(date +%s)" -lt "$end" ] || return 1
        sleep 0.02
    done
}

gone() { ! alive; }
answers_or_died() { "$admin" "$(cat "$dir/bootstrap")" ready 500 "$(cat "$dir/cluster")" 2>/dev/null || gone; }

# Why it failed, in one line: the exception says it, the error line before it seldom does.
reason() { grep -m 1 Exception "$dir/log" || grep -m 1 -E 'ERROR|FATAL' "$dir/log" || echo "nothing in $dir/log"; }

certificate() {
    password=$(head -c 12 /dev/urandom | base64 | tr '+/' 'xy')
    echo "$password" >"$dir/password"
    rm -f "$dir/keys"
    keytool -genkeypair -alias broker -keyalg RSA -keysize 2048 -dname CN=broker -ext SAN=ip:127.0.0.1 -validity 30 \
        -storetype PKCS12 -keystore "$dir/keys" -storepass "$password" >>"$dir/log" 2>&1 &&
        keytool -exportcert -rfc -alias broker -keystore "$dir/keys" -storepass "$password" >"$dir/ca.pem" 2>>"$dir/log" ||
        die "keytool makes no certificate: $(tail -1 "$dir/log")"
}

secure_properties() { # PORT
    certificate
    echo "127.0.0.1:$1" >"$dir/secure"
    sed -i "s#^listeners=.*#&,SECURE://127.0.0.1:$1#; s#^listener.security.protocol.map=.*#&,SECURE:SASL_SSL#" "$dir/properties"
    cat >>"$dir/properties" <<-EOF

	listener.name.secure.sasl.enabled.mechanisms=PLAIN
	listener.name.secure.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_headrace="$password";
	ssl.keystore.location=$dir/keys
	ssl.keystore.password=$password
	EOF
}

properties() {
    set -- $("$admin" ports 3)
    echo "127.0.0.1:$1" >"$dir/bootstrap"
    cat >"$dir/properties" <<-EOF
	process.roles=broker,controller
	node.id=1
	controller.quorum.voters=1@127.0.0.1:$2
	controller.listener.names=CONTROLLER
	listeners=PLAINTEXT://127.0.0.1:$1,CONTROLLER://127.0.0.1:$2
	listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
	log.dirs=$dir/data

	# A node alone: nothing to replicate to, nobody to wait for.
	offsets.topic.replication.factor=1
	offsets.topic.num.partitions=1
	transaction.state.log.replication.factor=1
	transaction.state.log.min.isr=1
	transaction.state.log.num.partitions=1
	group.initial.rebalance.delay.ms=0

	# The controller takes a node back only when its last session is over: 9 s after a kill, if left alone.
	broker.session.timeout.ms=2000
	broker.heartbeat.interval.ms=200
	log.cleaner.dedupe.buffer.size=4194304

	# A topic that is not there has to be an error.
	auto.create.topics.enable=false
	delete.topic.enable=true
	EOF
    [ "$secure" != secure ] || secure_properties "$3"
}

launch() {
    (kafka kafka.Kafka "$dir/properties") >>"$dir/log" 2>&1 </dev/null &
    echo $! >"$dir/pid"
    wait_until answers_or_died && alive
}

start() {
    alive && die "$dir: a broker runs there already"
    [ -x "$admin" ] || die "$admin: not built; make tests/kafka/admin"
    fetch
    mkdir -p "$dir/tmp"
    # Between choosing a port and taking it somebody else may take it: then choose again.
    for try in 1 2 3; do
        rm -rf "$dir/data"
        : >"$dir/log"
        properties
        # An id of its own: what answers on the port has to be this broker, not another that was faster.
        head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=' >"$dir/cluster"
        (tier=1 kafka kafka.tools.StorageTool format -t "$(cat "$dir/cluster")" -c "$dir/properties") >>"$dir/log" 2>&1 ||
            die "cannot format $dir: $(reason)"
        launch && return
        grep -q 'Address already in use' "$dir/log" || break
    done
    halt KILL
    die "the broker did not start: $(reason)"
}

halt() {
    alive || return 0
    kill -s "$1" "$(cat "$dir/pid")" 2>/dev/null || :
    wait_until gone || { kill -s KILL "$(cat "$dir/pid")"; wait_until gone; }
}

[ "${1:-}" = fetch ] || [ $# -ge 2 ] || die "usage: broker.sh start|stop|kill|restart|topic|admin DIR ..., or fetch"
command=$1
[ "$command" != start ] || mkdir -p "$2"
[ "$command" = fetch ] || { dir=$(cd "$2" 2>/dev/null && pwd) || die "$2: no such folder"; shift 2; }
case $command in
    fetch) fetch ;;
    start) secure=${1:-} && start ;;
    stop) halt TERM ;;
    kill) halt KILL ;;
    restart)
        [ -s "$dir/properties" ] || die "$dir: never started"
        fetch
        halt TERM
        launch || die "the broker did not come back: $(reason)" ;;
    topic) [ $# -ge 2 ] || die "usage: broker.sh topic DIR NAME PARTITIONS [K=V...]"
        "$admin" "$(cat "$dir/bootstrap")" create "$@" ;;
    admin) "$admin" "$(cat "$dir/bootstrap")" "$@" ;;
    *) die "$command: no such command" ;;
esac
