#!/usr/bin/env bash
# TIFF files that are sound but odd, and damaged ones, against what libtiff and tifffile read: see odd/odd.py.
# usage: odd_tiff.sh [PART OF A NAME ...]
# WORK: where the readers are kept (default: tests/peers/work).  EVERY=1 takes all of libtiff's methods, ROUNDS=10000
# more damaged files.
set -euo pipefail
[ -z "${PLIMSOLL:-}" ] || PLIMSOLL=$(realpath "$PLIMSOLL")
cd "$(dirname "$0")"
work=${WORK:-$PWD/peers/work}
mkdir -p "$work"
. ./tools.sh
debian libtiff-tools python3-venv || skip "Debian's packages cannot be installed here"
python "$work" "numpy, tifffile, imagecodecs" numpy tifffile imagecodecs || skip "Python's packages cannot be installed here"
command -v gcc >/dev/null || skip "no C compiler"
gcc -O2 peers/launch.c -o "$work/launch"
plimsoll
exec "$work/venv/bin/python" odd/odd.py "$PLIMSOLL" "$work/launch" "$@"
