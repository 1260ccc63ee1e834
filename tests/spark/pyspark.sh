#!/bin/bash
# PySpark 3.5 in a virtual environment of its own in the cache: prints the path of its python.
# Exit code 77: no Java or Python here, so the caller may skip.
set -eu
venv=${XDG_CACHE_HOME:-$HOME/.cache}/headrace/pyspark-3.5
command -v java >/dev/null || { echo "no java: install openjdk-17-jre-headless" >&2; exit 77; }
if [ ! -x "$venv/bin/spark-submit" ]; then
    python3 -m venv --help >/dev/null 2>&1 || { echo "no python3 with venv: install python3-venv" >&2; exit 77; }
    # Under another name first: an installation that was cut off must not look like a whole one.
    mkdir -p "${venv%/*}"
    part=$(mktemp -d "$venv.XXXXXX")
    python3 -m venv "$part" && "$part/bin/python" -m pip install -q --disable-pip-version-check 'pyspark>=3.5,<3.6' >&2 ||
        { rm -rf "$part"; echo "pip could not install pyspark 3.5" >&2; exit 1; }
    # pip wrote the folder's name into its scripts.
    grep -rlI "$part" "$part/bin" | xargs sed -i "s#$part#$venv#g"
    mv -T "$part" "$venv" 2>/dev/null || rm -rf "$part"
fi
echo "$venv/bin/python"
