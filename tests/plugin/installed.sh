#!/bin/bash
# make installcheck: what was installed works alone, and a plug-in is built against it from outside the tree.
# Usage: installed.sh BINDIR PKGLIBDIR PKGCONFIGDIR SRCDIR
set -eu
headrace=$1/headrace modules=$2 source=$4/tests/plugin/sample.c
unset HEADRACE_PLUGIN_PATH
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
"$headrace" plugins >plugins
grep -q "^source  *kafka .*$modules/kafka.so" plugins || { echo "kafka does not come from $modules:"; cat plugins; exit 1; }

# shellcheck disable=SC2046
${CC:-cc} -std=gnu11 -Wall -Wextra -Werror -shared -fPIC $(PKG_CONFIG_PATH=$3 pkg-config --cflags headrace) "$source" -o sample.so
cat >pipeline.yaml <<'YAML'
version: 1
name: sampled
trigger: available_now
source: {generator: {rows: 45}}
operators:
  - sample: {every: 10}
sink: {console: {format: json}}
YAML
"$headrace" run pipeline.yaml --plugin-dir . >out
printf '{"id":%d}\n' 0 10 20 30 40 | diff - out
"$headrace" plugins sample --plugin-dir . >options
grep -q 'every.*keep one row of this many' options || { echo "its options are not shown:"; cat options; exit 1; }
sed -i 's/every: 10/every: 0/' pipeline.yaml
"$headrace" check pipeline.yaml --plugin-dir . 2>fault && exit 1
grep -q '^pipeline.yaml:6:21: sample: every wants a number from 1, not 0$' fault || { cat fault; exit 1; }
echo "installed: headrace, its module, its header and a plug-in from outside"
