#!/bin/bash
# The program and its modules are built as configure found that they can be: position independent, relocations
# read-only, no executable stack, stack protector, checked library calls, stack probes, branch targets.
set -u
case $HARDEN in
*FORTIFY_SOURCE*) ;;
*) echo "hardening: not built for it (sanitizers, or without optimisation)"; exit 77 ;;
esac
failed=0
program=$builddir/.libs/headrace
[ -f "$program" ] || program=$builddir/headrace
fail() { failed=1; echo "hardening: $*"; }
has() { case " $HARDEN " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

# what holds for every file
check() { # FILE
    local code
    readelf -lW "$1" >segments && readelf -dW "$1" >dynamic && readelf -sW "$1" >symbols || fail "$1 cannot be read"
    grep -q GNU_RELRO segments || fail "$1: relocations stay writable"
    grep -qE 'BIND_NOW|FLAGS.*NOW' dynamic || fail "$1: is bound lazily"
    grep -q 'GNU_STACK.* RW ' segments || fail "$1: its stack is executable"
    ! grep -qE 'LOAD.* RWE ' segments || fail "$1: writes where it executes"
    ! has -fstack-protector-strong || grep -q __stack_chk_fail symbols || fail "$1: has no stack protector"
    ! has -fcf-protection || [ "$(uname -m)" != x86_64 ] || [ "$(objdump -d "$1" | grep -c endbr64)" -gt 20 ] || fail "$1: has no branch targets"
}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
check "$program"
readelf -hW "$program" | grep -q 'Type: *DYN' && grep -q 'FLAGS_1.*PIE' dynamic || fail "$program: is not position independent"
grep -q '__[a-z]*_chk@' symbols || fail "$program: has no checked library calls"
[ "$(uname -m)" != x86_64 ] || ! has -fstack-clash-protection || objdump -d "$program" | grep -qE 'or[lq] +\$0x0,' ||
    fail "$program: does not probe its stack"
modules=0
for module in "$builddir"/.libs/*.so; do
    [ -f "$module" ] || continue
    modules=$((modules + 1))
    check "$module"
done
[ $modules -gt 0 ] || fail "no module was built"
[ $failed = 0 ] && echo "hardening: the program and $modules modules"
exit $failed
