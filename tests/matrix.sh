#!/usr/bin/env bash
# Every kind of TIFF that is written, read by libtiff's tools, GDAL, libvips and tifffile: accepted without a warning
# and pixel-equal.  usage: matrix.sh [PART OF A COMBINATION'S NAME ...]
# WORK: where the readers are kept (default: tests/peers/work).
set -euo pipefail
cd "$(dirname "$0")"
work=${WORK:-$PWD/peers/work}
mkdir -p "$work"

packages=(libtiff-tools gdal-bin python3-gdal python3-venv)
missing=()
for package in "${packages[@]}"; do dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package"); done
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing ${missing[*]}"
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >/dev/null \
    || { echo "SKIPPED: Debian's packages cannot be installed here: ${missing[*]}"; exit 0; }
fi
if [ ! -x "$work/venv/bin/python" ] || ! "$work/venv/bin/python" -c 'import pyvips, numpy, tifffile, imagecodecs' 2>/dev/null; then
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install -q numpy tifffile imagecodecs "pyvips[binary]" \
    || { echo "SKIPPED: Python's packages cannot be installed here"; exit 0; }
fi
if [ -z "${PLIMSOLL:-}" ]; then
  (cd .. && cargo build --release -q -p plimsoll)
  target=$(cd .. && cargo metadata --format-version 1 --no-deps | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')
  PLIMSOLL=$target/release/plimsoll
fi
exec "$work/venv/bin/python" matrix.py "$PLIMSOLL" "$@"
