#!/usr/bin/env bash
# Runs core's tests under miri, on this machine's target and on a 32-bit and a big-endian one: no undefined behaviour,
# no overflow, the same answers. usage: tests/miri.sh [TARGET ...]
set -euo pipefail
cd "$(dirname "$0")/.."
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(x86_64-unknown-linux-gnu i686-unknown-linux-gnu s390x-unknown-linux-gnu)
# Property tests keep no files, and few cases: the interpreter is a thousand times slower.
export MIRIFLAGS="-Zmiri-disable-isolation" PROPTEST_CASES=${PROPTEST_CASES:-4}
for target in "${targets[@]}"; do
  if ! cargo +nightly miri setup -q --target "$target" >/dev/null 2>&1; then
    echo "miri $target: SKIPPED: its standard library cannot be prepared here"
    continue
  fi
  echo "miri $target"
  cargo +nightly miri test -q -p plimsoll-core --target "$target" --lib --tests
done
