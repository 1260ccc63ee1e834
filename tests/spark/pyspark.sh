#!/bin/bash
# PySpark from PyPI and the jars of its Kafka source from Maven, in the cache; pom.xml names the version, or SPARK does.
#
#   pyspark.sh          prints the folder of the virtual environment
#   pyspark.sh jars     prints the folder of the jars
#
# Exit code 77: no Java, Python or Maven here, so the caller may skip.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
version=${SPARK:-$(sed -n 's:.*<spark>\(.*\)</spark>.*:\1:p' "$here/pom.xml")}
scala=2.12
[ "${version%%.*}" = 3 ] || scala=2.13
cache=${XDG_CACHE_HOME:-$HOME/.cache}/headrace
die() { echo "pyspark.sh: $1" >&2; exit "${2:-1}"; }
command -v java >/dev/null || die "no java: install openjdk-17-jre-headless" 77
mkdir -p "$cache"

# Everything comes under another name first: what was cut off must not look like the whole. Somebody else may have been
# faster; then theirs is as good.
install_pyspark() {
    python3 -m venv --help >/dev/null 2>&1 || die "no python3 with venv: install python3-venv" 77
    local part
    part=$(mktemp -d "$1.XXXXXX")
    python3 -m venv "$part" && "$part/bin/python" -m pip install -q --disable-pip-version-check "pyspark==$version" >&2 ||
        { rm -rf "$part"; die "pip could not install pyspark $version"; }
    grep -rlI "$part" "$part/bin" | xargs sed -i "s#$part#$1#g" # pip wrote the folder's name into its scripts
    mv -T "$part" "$1" 2>/dev/null || rm -rf "$part"
}

install_jars() {
    command -v mvn >/dev/null || die "no mvn to fetch Spark's Kafka source with: install maven" 77
    local part
    part=$(mktemp -d "$1.XXXXXX")
    mvn -q -B -Dstyle.color=never -Dspark="$version" -Dscala=$scala -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$part" >&2 ||
        { rm -rf "$part"; die "Maven could not fetch Spark's Kafka source $version"; }
    mv -T "$part" "$1" 2>/dev/null || rm -rf "$part"
}

case ${1:-venv} in
venv) folder=$cache/pyspark-$version; [ -x "$folder/bin/spark-submit" ] || install_pyspark "$folder" ;;
jars) folder=$cache/spark-kafka-$version; [ -d "$folder" ] || install_jars "$folder" ;;
*) die "usage: pyspark.sh [venv|jars]" ;;
esac
echo "$folder"
