#!/usr/bin/env bash
# The wide instructions are where they should be: every kernel of the release build is there once more for AVX2, as one
# function with its loops inside. A helper that is not inlined compiles for the oldest processor, and says nothing.
# usage: tests/wide.sh
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
if [ "$(uname -m)" != x86_64 ]; then
  echo "wide: SKIPPED: only x86-64 has kernels compiled twice"
  exit 0
fi
for tool in objdump python3; do
  if ! command -v "$tool" >/dev/null; then
    echo "wide: SKIPPED: there is no $tool here"
    exit 0
  fi
done
cargo build -q --release -p plimsoll || exit 1
objdump -d --no-show-raw-insn -C "${CARGO_TARGET_DIR:-target}/release/plimsoll" | python3 tests/wide.py
