#!/bin/bash
# A secret is planted in each place where a pipeline file can hold one, and everything that every command prints, and
# every byte of the checkpoint, is searched for it: literal, from the environment, from --set, from a file; with faults
# in the same line, in a file that cannot be parsed, with librdkafka's debug log and its errors, in an expression.
set -u
headrace=$builddir/headrace
export HEADRACE_PLUGIN_PATH=$builddir/.libs
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
failed=0 searched=0

literal=canary-literal-4f1c from_env=canary-env-93ab from_set=canary-set-77de from_file=canary-file-0b2a
salt=canary-salt-51fe pem=canary-pem-c0de1234
export KAFKA_PASSWORD=$from_env
printf '%s\n' "$from_file" >user
printf '%s\n' "$salt" >salt
printf -- '-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n' "$pem" >pem

fail() { failed=$((failed + 1)); echo "FAIL: $*"; }
# search CODE COMMAND...: it exits with the code; nothing that it printed or kept holds a canary
search() {
    local want=$1 code
    shift
    timeout 60 "$headrace" "$@" >out 2>err </dev/null
    code=$?
    searched=$((searched + 1))
    [ "$code" = "$want" ] || { fail "$*: exit $code, not $want"; head -5 err; }
    ! grep -aoE '(canary-[a-z]+-[0-9a-f]{2,}|-[a-z]+-(4f1c|93ab|77de|0b2a|51fe|c0de)).*' out err state.db* 2>/dev/null | head -3 | grep . || fail "$* shows a secret"
}
said() { grep -qF -- "$1" err || { fail "nothing says '$1'"; head -20 err; }; }

config="security.protocol: SASL_PLAINTEXT, sasl.mechanisms: PLAIN, sasl.username: \"\${file:user}\", debug: all"
pipeline() { # CONFIG OPERATORS
    cat <<YAML
version: 1
name: secrets
trigger: available_now
checkpoint: state.db
source: {kafka: {brokers: "localhost:1", topic: t, config: {$1}}}
operators:
$2
sink: {console: {}}
YAML
}
operators='  - from_json: {schema: id INT}'

# ---- a job that cannot reach its broker, with librdkafka's whole debug log ----
for password in "$literal" '"${KAFKA_PASSWORD}"' '"${TOKEN}"' '"${file:salt}"'; do
    pipeline "$config, sasl.password: $password" "$operators" >job.yaml
    set --
    [ "$password" != '"${TOKEN}"' ] || set -- --set "TOKEN=$from_set"
    search 0 check job.yaml "$@"
    search 0 explain job.yaml "$@"
    search 0 export --to spark job.yaml "$@"
    search 4 state job.yaml "$@"
done
search 1 run job.yaml --progress json
said 'kafka: '
pipeline "$config, sasl.password: short, ssl.key.pem: \"\${file:pem}\", ssl.certificate.pem: \"$literal\"" "$operators" >job.yaml
sed -i 's/SASL_PLAINTEXT/SASL_SSL/' job.yaml
search 1 run job.yaml
said 'kafka: '

# ---- faults in the same line, in other lines, and where the value itself is at fault ----
pipeline "$config, sasl.password: $literal, sasl.pasword: $literal, ssl.key.password: [$literal], ssl.endpoint: '$literal'" "$operators" >bad.yaml
search 3 check bad.yaml
said '*****'
for name in passwd pass my_pwd client_secret x.token; do
    pipeline "$name: canary-named-77ab01" "$operators" >bad.yaml
    search 3 check bad.yaml
    said "$name"
done
pipeline "$config, sasl.password: $literal" "  - filter: {where: 'id = \"$literal\" +'}" >bad.yaml
search 3 run bad.yaml
pipeline "sasl.password: \"\${file:salt} \${NOT_SET}\"" "$operators" >bad.yaml
search 3 run bad.yaml
said '${NOT_SET} is not set'
pipeline "sasl.kerberos.principal: 'x; touch ran', sasl.password: \"\${file:salt}\"" "$operators" >bad.yaml
search 3 run bad.yaml
said "config: 'sasl.kerberos.principal' may hold letters"
pipeline "$config" "  - filter: {where: 'id > \"\${file:salt}\" + no_such(\"\${file:salt}\")'}" >bad.yaml
search 3 check bad.yaml
# Longer than what a line shows of a token; and without quotes, where each token is a piece of it.
printf 'canary-long-0b2a%0108d\n' 0 >long
for where in "id '\${file:long}'" "CAST(id AS \${file:long})" 'id ${file:long}' 'id = ${file:long}' 'id > ${file:name}(1)' \
    "id = '\${file:long}' + no_such" "CAST('\${file:long}' AS \${file:name})"; do
    echo canaryname0b2aandmore >name
    pipeline "$config" "$operators
  - filter: {where: \"$where\"}" >bad.yaml
    search 3 check bad.yaml
    ! grep -o 'canary.*' out err || fail "$where shows a piece of a secret"
done

# ---- files that cannot be parsed: names decide, as nothing has a value yet ----
printf 'version: 1\nsource:\n  kafka: {config: {sasl.password: %s, a: [}}\n' "$literal" >bad.yaml
search 3 check bad.yaml
printf 'version: 1\nsource:\n  kafka:\n    config:\n      sasl.password: |\n        %s\n       bad: [\n' "$literal" >bad.yaml
search 3 check bad.yaml
printf 'version: 1\nsource:\n  kafka: {api_token: "%s \\x' "$literal" >bad.yaml
search 3 check bad.yaml

# ---- where everybody sees the value, no secret may stand; files that hold none ----
for line in 'name: "${file:user}"' 'checkpoint: "${file:user}.db"'; do
    pipeline "$config" "$operators" | sed "s/^${line%%:*}:.*/$line/" >bad.yaml
    search 3 check bad.yaml
    said 'no secret may stand here'
done
secret_file() { pipeline "sasl.username: \"\${file:$1}\"" "$operators" >bad.yaml; search 3 check bad.yaml; said "\${file:$1}: no secret from there: $2"; }
secret_file none 'No such file or directory'
secret_file . 'it is not a file'
mkfifo pipe && secret_file pipe 'it is not a file'
: >empty && secret_file empty 'it is empty'
printf 'a\0b' >nul && secret_file nul 'it holds a NUL byte'
head -c 70000 /dev/zero | tr '\0' x >large && secret_file large 'it is larger than 64 KiB'
cp user open && chmod o+w open && secret_file open 'everybody may write to it'
[ "$(id -u)" != 0 ] || { cp user theirs && chown 65534 theirs && secret_file theirs 'it belongs to neither root nor you'; }

# ---- in an expression: the checkpoint can tell two salts apart, and holds neither ----
salted() {
    cat <<'YAML'
version: 1
name: salted
trigger: available_now
checkpoint: state.db
source: {generator: {rows: 100, columns: {id: id}}}
operators: [{group_by: {keys: {who: "xxhash64(id % 3, '${file:salt}')"}, aggregates: {n: count(*)}}}]
sink: {console: {format: json}}
YAML
}
salted >salted.yaml
search 0 run salted.yaml --progress json
said '"batchId":0'
[ "$(wc -l <out)" = 3 ] || fail "not three groups"
search 0 explain salted.yaml
grep -q "xxhash64(id % 3, '\*\*\*\*[0-9a-f]*')" out || fail "explain hides no salt: $(grep xxhash out)"
search 0 state salted.yaml
search 0 run salted.yaml
search 3 export --to spark salted.yaml
said 'salted.yaml:6:37: group_by cannot be exported: a secret in SQL would stand in the program'
search 3 export --to spark salted.yaml --with-state totals
# Without a name of its own the text would be the name, in explain, in the checkpoint's view, in a sink.
for unnamed in "{group_by: {keys: [id, \"xxhash64(id, '\${file:salt}')\"], aggregates: {n: count(*)}}}" \
    "{group_by: {keys: \"xxhash64(id, '\${file:salt}')\", aggregates: {n: count(*)}}}" \
    "{select: {columns: [\"concat(id, '\${file:salt}')\"]}}" "{select: {columns: [\"concat(id, '\${file:short}')\"]}}"; do
    echo 0b2a >short
    salted | sed 's/^operators: .*/operators: [{}]/' >bad.yaml
    OPERATORS=$unnamed perl -pi -e 's/\{\}\]$/$ENV{OPERATORS}]/' bad.yaml
    search 3 check bad.yaml
    said 'what holds a secret needs a name of its own: {name: expression}'
    grep -q 'bad.yaml:6:' err || fail "$unnamed: the fault has no place"
    search 3 run bad.yaml
    search 3 explain bad.yaml
    search 3 export --to spark bad.yaml
done
salted | sed 's/^operators: .*/operators: [{to_json: {as: "${file:salt}"}}]/' >bad.yaml
search 3 check bad.yaml
said "a secret cannot be part of a column's name"
salted | sed "s/^operators: .*/operators: [{filter: {where: \"id <> '\${file:salt}'\"}}]/" >bad.yaml
search 0 check bad.yaml
search 3 export --to spark bad.yaml
said 'filter cannot be exported: a secret in SQL would stand in the program'
salted | sed "s/^operators: .*/operators: [{group_by: {keys: [id], aggregates: {n: \"max(concat(id, '\${file:salt}'))\"}}}]/" >bad.yaml
search 3 export --to spark bad.yaml
said 'group_by cannot be exported: a secret in SQL would stand in the program'
echo canary-salt-51ff >salt
search 4 run salted.yaml
said "is another job's: its state"

for name in ssl.engine.id ssl.providers plugin.library.paths sasl.kerberos.kinit.cmd offset.store.path test.mock.num.brokers \
    enable.sasl.oauthbearer.unsecure.jwt group.id enable.auto.commit isolation.level transactional.id auto.offset.reset \
    enable.auto.offset.store interceptors opaque log_cb socket_cb open_cb; do
    pipeline "$name: '1'" "$operators" >bad.yaml
    search 3 check bad.yaml
    said "config: '$name' is"
done
echo "secrets: $searched commands searched, $failed failed"
[ $failed = 0 ]
