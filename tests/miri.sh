#!/usr/bin/env bash
# Runs core under miri: no undefined behaviour, no overflow, the same answers, on this machine's target and on a 32-bit
# and a big-endian one. usage: tests/miri.sh [--all | TARGET ...]
# The interpreter is a thousand times slower, so by default it runs the budget, the shapes, the governor, one whole run of
# a stage over every cut, and the series codec: its parts, and every back end against golden blocks of a few points,
# the same bytes on all targets; --all runs every test of core (hours).
set -euo pipefail
cd "$(dirname "$0")/.."
tests=(shape:: pipeline::governor transform::invert series::)
if [ "${1:-}" = --all ]; then
  tests=()
  shift
fi
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(x86_64-unknown-linux-gnu i686-unknown-linux-gnu s390x-unknown-linux-gnu)
# Property tests may look for their files, and run few cases.
export MIRIFLAGS="-Zmiri-disable-isolation" PROPTEST_CASES=${PROPTEST_CASES:-2}
for target in "${targets[@]}"; do
  if ! cargo +nightly miri setup -q --target "$target" >/dev/null 2>&1; then
    echo "miri $target: SKIPPED: its standard library cannot be prepared here"
    continue
  fi
  echo "miri $target"
  cargo +nightly miri test -q -p plimsoll-core --target "$target" --test budget
  cargo +nightly miri test -q -p plimsoll-core --target "$target" --test series_golden
  cargo +nightly miri test -q -p plimsoll-core --target "$target" --lib -- "${tests[@]}"
  # An empty list is every test.
  [ ${#tests[@]} -eq 0 ] || tests=(shape:: pipeline::governor transform::invert)
done
