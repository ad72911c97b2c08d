#!/usr/bin/env bash
# Pictures of 4 GiB in one Deflate strip, in one LZW strip, and of 4.5 GiB uncompressed in a BigTIFF, converted within
# 8 MiB, in release, by the kernel's own figure of the peak; every pixel is checked by a program of its own.
# usage: tests/huge_strip.sh [ROWS]     65536 columns each; 65536 rows (73728 uncompressed) if absent.
# Needs up to 10 GB under ${TMPDIR:-/tmp} at a time; says so and stops where they are not free.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
cargo build -q --release -p plimsoll-tests --bins || exit 1
programs=${CARGO_TARGET_DIR:-target}/release
programs=$(cd "$programs" && pwd)
rows=${1:-65536}
more=${1:-73728}
cols=65536
ceiling=$((8 << 20))
work=$(mktemp -d "${TMPDIR:-/tmp}/plimsoll-huge.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
free=$(($(df --output=avail -k . | tail -n 1) * 1024))
if [ "$free" -lt $((cols * more * 21 / 10)) ]; then
  echo "huge_strip: SKIPPED: $free bytes are free, $((cols * more * 21 / 10)) are needed"
  exit 0
fi
failures=0
for packing in deflate lzw none; do
  [ $packing = none ] && rows=$more
  rm -f in.tif out.pgm
  "$programs/huge-strip" make in.tif "$rows" $cols $packing || exit 1
  for io in read mmap; do
    began=$SECONDS
    "$programs/measured" peak "$programs/plimsoll-under-test" convert in.tif -o out.pgm --overwrite --no-sync --quiet \
      --within 8MiB --io $io
    code=$?
    seconds=$((SECONDS - began))
    read -r peak _ <peak
    verdict=ok
    [ $code -eq 0 ] || verdict="FAILED with exit code $code"
    [ "$peak" -le $ceiling ] || verdict="$verdict; PASSED ITS CEILING"
    [ $code -ne 0 ] || "$programs/huge-strip" check out.pgm "$rows" $cols || verdict="$verdict; WRONG PIXELS"
    [ "$verdict" = ok ] || failures=$((failures + 1))
    printf '%-8s %-5s %11d bytes of pixels, %11d in the file: %6d KiB at most, %4d s: %s\n' $packing $io \
      $((rows * cols)) "$(stat -c %s in.tif)" $((peak >> 10)) $seconds "$verdict"
    # The method of reading makes no difference to a decoder: once is enough.
    [ $packing = none ] || break
  done
done
[ $failures -eq 0 ]
