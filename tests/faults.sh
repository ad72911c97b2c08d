#!/usr/bin/env bash
# Nothing is lost when the system fails: every file operation of small conversions, thumbnails and pyramids fails at its
# n-th call for every n, once and for ever; reads and writes end short; the process is killed at every operation that
# changes files and at 200 random moments. The rules and the table are in faults/faults.py.
# usage: tests/faults.sh        FAST=1 takes fewer calls of fewer jobs and some kills, in less than a minute.
# Needs strace (installed if apt can), a C compiler and Python 3; says so and stops where they are not to be had.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
skip() {
  echo "faults: SKIPPED: $1"
  exit 0
}
command -v python3 >/dev/null || skip "no Python 3"
command -v cc >/dev/null || skip "no C compiler"
command -v strace >/dev/null || apt-get install -y -q strace >/dev/null 2>&1 || skip "no strace, and apt cannot install it"
strace -f -e trace=close -o /dev/null true 2>/dev/null || skip "strace cannot trace here"
if [ -z "${PLIMSOLL:-}" ]; then
  cargo build -q --release -p plimsoll || exit 1
  PLIMSOLL=${CARGO_TARGET_DIR:-target}/release/plimsoll
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/plimsoll-faults.XXXXXX")
trap 'rm -rf "$work"' EXIT
cc -shared -fPIC -O1 -o "$work/short.so" tests/faults/short.c -ldl || skip "the C compiler makes no shared library"
python3 tests/faults/faults.py "$(realpath "$PLIMSOLL")" "$work"
