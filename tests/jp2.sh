#!/usr/bin/env bash
# Lossless JPEG 2000 at sizes from 1 to 400 megapixels: the peak by the kernel's own figure, and the pixels by two decoders
# that are not ours, OpenJPEG's and Grok's, and by ours.  usage: tests/jp2.sh [MEGAPIXELS ...]     (1 25 100 400 if absent)
#        tests/jp2.sh grid [MEGAPIXELS ...]     the founding document's benchmark, 100 and 500 if absent: see jp2/grid.py
#        tests/jp2.sh speed [MEGAPIXELS]        cpu and wall beside opj_compress, 25 if absent: see jp2/speed.py
#        tests/jp2.sh quality                  MSE, PSNR and SSIM against scikit-image: see jp2/quality.py
# WORK: where numpy is kept (default: tests/peers/work).  TMPDIR: room for pictures, 12 bytes a pixel.
# PLIMSOLL: the program, if it is built already.  Says what it skipped.
set -euo pipefail
[ -z "${PLIMSOLL:-}" ] || PLIMSOLL=$(realpath "$PLIMSOLL")
cd "$(dirname "$0")"
work=${WORK:-$PWD/peers/work}
mkdir -p "$work"
packages=(libopenjp2-tools grokj2k-tools python3-venv)
for package in "${packages[@]}"; do
  dpkg -s "$package" >/dev/null 2>&1 && continue
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$package"; } >/dev/null 2>&1 \
    || echo "jp2: Debian's package $package cannot be installed here: what it would say is SKIPPED"
done
if ! "$work/venv/bin/python" -c "import numpy, skimage" 2>/dev/null; then
  { python3 -m venv "$work/venv" && "$work/venv/bin/pip" install -q numpy scikit-image; } \
    || { echo "jp2: SKIPPED: no numpy and scikit-image here, and pip cannot install them"; exit 0; }
fi
if [ -z "${PLIMSOLL:-}" ]; then
  (cd .. && cargo build --release -q -p plimsoll)
  target=$(cd .. && cargo metadata --format-version 1 --no-deps | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')
  PLIMSOLL=$target/release/plimsoll
fi
what=equal
case "${1:-}" in grid | speed | quality) what=$1 && shift ;; esac
room=$(mktemp -d "${TMPDIR:-/tmp}/plimsoll-jp2.XXXXXX")
trap 'rm -rf "$room"' EXIT
cc -O2 -o "$room/launch" peers/launch.c || { echo "jp2: SKIPPED: no C compiler"; exit 0; }
PYTHONPATH=$PWD/jp2 "$work/venv/bin/python" "jp2/$what.py" "$room" "$PLIMSOLL" "$@"
