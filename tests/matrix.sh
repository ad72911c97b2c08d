#!/usr/bin/env bash
# Every kind of TIFF that is written, read by libtiff's tools, GDAL, libvips and tifffile: accepted without a warning
# and pixel-equal.  usage: matrix.sh [PART OF A COMBINATION'S NAME ...]
# WORK: where the readers are kept (default: tests/peers/work).
set -euo pipefail
[ -z "${PLIMSOLL:-}" ] || PLIMSOLL=$(realpath "$PLIMSOLL")
cd "$(dirname "$0")"
work=${WORK:-$PWD/peers/work}
mkdir -p "$work"

. ./tools.sh
debian libtiff-tools gdal-bin python3-gdal python3-venv || skip "Debian's packages cannot be installed here"
python "$work" "pyvips, numpy, tifffile, imagecodecs" numpy tifffile imagecodecs "pyvips[binary]" || skip "Python's packages cannot be installed here"
plimsoll
exec "$work/venv/bin/python" matrix.py "$PLIMSOLL" "$@"
