#!/bin/sh
# The include direction of ARCHITECTURE.md: a folder of core includes only those before it, and a plug-in
# nothing of core but <headrace/plugin.h>.
set -u
cd "$srcdir" || exit 1
order="base data expr config plugin state engine export cli"
bad=0
before=
for folder in $order; do
    before="$before $folder"
    for target in $(grep -hoE '#include "core/[a-z]+/' core/$folder/*.[ch] | sed 's#.*core/##; s#/##' | sort -u); do
        case " $before " in
        *" $target "*) ;;
        *) echo "core/$folder includes core/$target, which comes after it"; bad=1 ;;
        esac
    done
done
for file in sources/*.[ch] operators/*.[ch] functions/*.[ch] sinks/*.[ch]; do
    [ -f "$file" ] || continue
    if grep -n '#include "core/' "$file"; then
        echo "$file includes more of core than <headrace/plugin.h>"
        bad=1
    fi
done
exit $bad
