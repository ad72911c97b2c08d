#!/usr/bin/env bash
# Lossless JPEG 2000 at sizes from 1 to 400 megapixels: the peak by the kernel's own figure, and the pixels by two decoders
# that are not ours, OpenJPEG's and Grok's, and by ours.  usage: tests/jp2.sh [equal] [MEGAPIXELS ...]     (1 25 100 400 if absent)
#        tests/jp2.sh grid [MEGAPIXELS ...]     the founding document's benchmark, 100 and 500 if absent: see jp2/grid.py
#        tests/jp2.sh speed [MEGAPIXELS]        cpu and wall beside opj_compress, 25 if absent: see jp2/speed.py
#        tests/jp2.sh batch                    200 mixed files within 64 MiB, and kills in the middle: see jp2/batch.py
#        tests/jp2.sh quality                  MSE, PSNR and SSIM against scikit-image: see jp2/quality.py
# WORK: where numpy is kept (default: tests/peers/work).  TMPDIR: room for pictures, 12 bytes a pixel.
# PLIMSOLL: the program, if it is built already.  Says what it skipped.
set -euo pipefail
[ -z "${PLIMSOLL:-}" ] || PLIMSOLL=$(realpath "$PLIMSOLL")
cd "$(dirname "$0")"
work=${WORK:-$PWD/peers/work}
mkdir -p "$work"
. ./tools.sh
for package in libopenjp2-tools grokj2k-tools python3-venv; do
  debian "$package" || echo "jp2: Debian's package $package cannot be installed here: what it would say is SKIPPED"
done
python "$work" "numpy, skimage" numpy scikit-image || skip "no numpy and scikit-image here, and pip cannot install them"
plimsoll
what=equal
case "${1:-}" in equal | grid | speed | batch | quality) what=$1 && shift ;; esac
room=$(mktemp -d "${TMPDIR:-/tmp}/plimsoll-jp2.XXXXXX")
trap 'rm -rf "$room"' EXIT
cc -O2 -o "$room/launch" peers/launch.c || skip "no C compiler"
PYTHONPATH=$PWD/jp2 "$work/venv/bin/python" "jp2/$what.py" "$room" "$PLIMSOLL" "$@"
