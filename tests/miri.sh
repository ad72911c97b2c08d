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
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT

check() { # check TARGET TESTS...
  local target=$1
  shift
  if [ $# -eq 0 ]; then
    cargo +nightly miri test -q -p plimsoll-core --target "$target" --no-fail-fast
  else
    cargo +nightly miri test -q -p plimsoll-core --target "$target" --test budget --test series_golden &&
      cargo +nightly miri test -q -p plimsoll-core --target "$target" --lib -- "$@"
  fi && echo "miri $target: ok in $SECONDS s"
}

# The interpreter uses one processor: a target on each.
status=0
for target in "${targets[@]}"; do
  if ! cargo +nightly miri setup -q --target "$target" >/dev/null 2>&1; then
    echo "miri $target: SKIPPED: its standard library cannot be prepared here" >"$log/$target"
    continue
  fi
  check "$target" "${tests[@]}" >"$log/$target" 2>&1 || echo "$target" >>"$log/failed" &
  # The parts of the codec once: the golden blocks show that the bytes are the same. An empty list is every test.
  [ ${#tests[@]} -eq 0 ] || tests=(shape:: pipeline::governor transform::invert)
  [ "$(jobs -r | wc -l)" -lt "$(nproc)" ] || wait -n
done
wait
for target in "${targets[@]}"; do
  echo "miri $target"
  if grep -qx "$target" "$log/failed" 2>/dev/null; then
    tail -60 "$log/$target"
    status=1
  else
    grep -E "^miri|^test result" "$log/$target"
  fi
done
exit $status
