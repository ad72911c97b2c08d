#!/usr/bin/env bash
# Runs core under miri: no undefined behaviour, no overflow, the same answers, on this machine's target and on a 32-bit
# and a big-endian one. usage: tests/miri.sh [--all | TARGET ...]
# The interpreter is a thousand times slower, so by default it runs the budget, the shapes, the governor, one whole run of
# a stage over every cut, and the series codec: its parts, and every back end against golden blocks of a few points,
# the same bytes on all targets. --all runs every test of core on this machine's target (an hour), each in a process of its own,
# with sizes that the interpreter can do; tests of every value or of every cut are left to the processor (`ignore` says
# why).
set -euo pipefail
cd "$(dirname "$0")/.."
# Property tests may look for their files, and run few cases.
export MIRIFLAGS="-Zmiri-disable-isolation" PROPTEST_CASES=${PROPTEST_CASES:-2}
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
miri=(cargo +nightly miri test -q -p plimsoll-core)

if [ "${1:-}" = --all ]; then
  # An oracle that is the standard library's power must not err on purpose, nor may a NaN have other bits each time.
  MIRIFLAGS+=" -Zmiri-deterministic-floats"
  cargo +nightly miri setup -q >/dev/null
  # Which program has which test.
  for program in --lib $(cd core/tests && ls -d -- *.rs */main.rs | sed -E 's|(/main)?\.rs$||; s|^|--test=|'); do
    "${miri[@]}" "$program" -- --list 2>"$log/build" | sed -n "s|^\(.*\): test\$|$program \1|p"
  done >"$log/tests" || { tail -n 40 "$log/build"; exit 1; }
  one() { # one PROGRAM TEST
    local since=$SECONDS
    if "${miri[@]}" "$1" -- --exact "$2" >"$log/$1.$2" 2>&1; then
      grep -q "1 passed" "$log/$1.$2" && echo "ok $((SECONDS - since)) s $2" || echo "left out $2"
    else
      echo "FAILED $((SECONDS - since)) s $2"
      tail -n 60 "$log/$1.$2"
    fi
  }
  # What `tee` reads ends with the last of them.
  while read -r program test; do
    one "$program" "$test" &
    [ "$(jobs -r | wc -l)" -lt "$(nproc)" ] || wait -n
  done <"$log/tests" | tee "$log/all"
  all=$(wc -l <"$log/tests") fine=$(grep -c '^ok' "$log/all" || true) out=$(grep -c '^left out' "$log/all" || true)
  echo "miri: $fine of $all tests of core ok, $out left to the processor, in $SECONDS s"
  [ $((fine + out)) -eq "$all" ] && [ "$fine" -gt 0 ]
  exit
fi

tests=(shape:: pipeline::governor transform::invert series::)
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(x86_64-unknown-linux-gnu i686-unknown-linux-gnu s390x-unknown-linux-gnu)

check() { # check TARGET TESTS...
  local target=$1
  shift
  "${miri[@]}" --target "$target" --test budget --test series_golden &&
    "${miri[@]}" --target "$target" --lib -- "$@" && echo "miri $target: ok in $SECONDS s"
}

# The interpreter uses one processor: a target on each.
status=0
for target in "${targets[@]}"; do
  if ! cargo +nightly miri setup -q --target "$target" >/dev/null 2>&1; then
    echo "miri $target: SKIPPED: its standard library cannot be prepared here" >"$log/$target"
    continue
  fi
  check "$target" "${tests[@]}" >"$log/$target" 2>&1 || echo "$target" >>"$log/failed" &
  # The parts of the codec once: the golden blocks show that the bytes are the same.
  tests=(shape:: pipeline::governor transform::invert)
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
