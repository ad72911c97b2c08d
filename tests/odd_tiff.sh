#!/usr/bin/env bash
# TIFF files that are sound but odd, and damaged ones, against what libtiff and tifffile read: see odd/odd.py.
# usage: odd_tiff.sh [PART OF A NAME ...]
# WORK: where the readers are kept (default: tests/peers/work).  EVERY=1 takes all of libtiff's methods, ROUNDS=10000
# more damaged files.
set -euo pipefail
cd "$(dirname "$0")"
work=${WORK:-$PWD/peers/work}
mkdir -p "$work"
dpkg -s libtiff-tools >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq --no-install-recommends libtiff-tools python3-venv; } >/dev/null \
  || { echo "SKIPPED: Debian's libtiff-tools cannot be installed here"; exit 0; }
if [ ! -x "$work/venv/bin/python" ] || ! "$work/venv/bin/python" -c 'import numpy, tifffile, imagecodecs' 2>/dev/null; then
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install -q numpy tifffile imagecodecs \
    || { echo "SKIPPED: Python's packages cannot be installed here"; exit 0; }
fi
if [ -z "${PLIMSOLL:-}" ]; then
  (cd .. && cargo build --release -q -p plimsoll)
  target=$(cd .. && cargo metadata --format-version 1 --no-deps | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')
  PLIMSOLL=$target/release/plimsoll
fi
exec "$work/venv/bin/python" odd/odd.py "$(realpath "$PLIMSOLL")" "$@"
