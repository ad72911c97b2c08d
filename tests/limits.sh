#!/usr/bin/env bash
# The ceilings at full size, in release, by the system's own figures: jobs on pictures of 100 and 400 megapixels within
# 8 MiB (12 MiB for 400 megapixels in compressed tiles, 24 MiB for rows of 200,000 pixels and for tiled output), with
# one and two workers. Prints a table and fails if a run fails or passes its ceiling.
# usage: tests/limits.sh        FAST=1 leaves out the 400-megapixel pictures and half of the jobs.
# Pictures (up to 1.2 GB at a time, removed again) lie under ${TMPDIR:-/tmp}.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
cargo build -q --release -p plimsoll-tests --bins || exit 1
programs=${CARGO_TARGET_DIR:-target}/release
programs=$(cd "$programs" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/plimsoll-limits.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0
runs=0

# number KEY: the first number under that key of the receipt.
number() { sed -n "s/.*\"$1\": *\([0-9][0-9]*\).*/\1/p" receipt.json | head -n 1; }

# run NAME CEILING_MIB WORDS...: one job within its ceiling, with one worker and with two.
run() {
  local name=$1 ceiling=$2 workers code heap planned_heap kernel own verdict
  shift 2
  for workers in 1 2; do
    rm -f receipt.json out.*
    "$programs/measured" peak "$programs/plimsoll-under-test" "$@" --within "${ceiling}MiB" --workers $workers \
      --receipt receipt.json >said 2>errors
    code=$?
    runs=$((runs + 1))
    if [ $code -ne 0 ]; then
      printf '%-52s %d  FAILED with exit code %d: %s\n' "$name" $workers $code "$(head -c 300 errors)"
      failures=$((failures + 1))
      continue
    fi
    read -r kernel _ <peak
    own=$(number peak_resident_bytes)
    heap=$(number peak_heap_bytes)
    planned_heap=$(number heap_bytes)
    verdict=ok
    [ "$kernel" -le $((ceiling << 20)) ] && [ "${own:-0}" -le $((ceiling << 20)) ] || verdict="PASSED ITS CEILING"
    [ "$kernel" -le "$(number peak_bytes)" ] || verdict="$verdict; PASSED ITS PLAN"
    [ "$heap" -le "$planned_heap" ] || verdict="$verdict; HEAP PASSED ITS PLAN"
    [ "$verdict" = ok ] || failures=$((failures + 1))
    printf '%-52s %d %9d %9d %9d %9d %9d  %s\n' "$name" $workers $((ceiling << 10)) \
      $(($(number peak_bytes) >> 10)) $((kernel >> 10)) $((heap >> 10)) $((planned_heap >> 10)) "$verdict"
  done
}

# jobs NAME CEILING_MIB PICTURE SIDE: everything that is done to one picture.
jobs() {
  local name=$1 ceiling=$2 picture=$3 side=$4
  local crop="--do crop:100,100,$((side - 200)),$((side - 200))"
  run "$name: crop, resize, sharpen" "$ceiling" convert "$picture" -o out.tif --no-sync \
    $crop --do resize:0.9,linear --do sharpen
  run "$name: thumbnail" "$ceiling" thumbnail "$picture" -o out.tif --size 512 --no-sync
  run "$name: statistics" "$ceiling" stats "$picture"
  [ -n "${FAST:-}" ] && return
  run "$name: invert" "$ceiling" convert "$picture" -o out.tif --no-sync --do invert
  run "$name: blur" "$ceiling" convert "$picture" -o out.tif --no-sync --do blur:2
}

# picture ROWS COLS LAYOUT...: makes in.tif, RGB of 8 bits.
picture() {
  rm -f in.tif out.*
  "$programs/make-picture" in.tif "$1" "$2" 3 u8 "${@:3}" || exit 1
}

printf '%-52s %s %9s %9s %9s %9s %9s\n' "KiB of" w ceiling plan kernel heap planned
sides=(10000)
[ -n "${FAST:-}" ] || sides+=(20000)
for side in "${sides[@]}"; do
  mp=$((side * side / 1000000)) tiles=8
  [ "$mp" -le 100 ] || tiles=12
  picture "$side" "$side" strips 16 none
  jobs "$mp MP in strips" 8 in.tif "$side"
  run "$mp MP in strips to tiles" 24 convert in.tif -o out.tif --no-sync --tile 256 --do invert
  run "$mp MP in strips to compressed tiles" 24 convert in.tif -o out.tif --no-sync --tile 256 --compression deflate
  picture "$side" "$side" tiles 256 none
  jobs "$mp MP in tiles" 8 in.tif "$side"
  picture "$side" "$side" strips 16 deflate
  jobs "$mp MP in Deflate strips" 8 in.tif "$side"
  if [ -z "${FAST:-}" ]; then
    picture "$side" "$side" strips 16 lzw
    jobs "$mp MP in LZW strips" 8 in.tif "$side"
  fi
  picture "$side" "$side" tiles 256 deflate
  jobs "$mp MP in Deflate tiles" "$tiles" in.tif "$side"
done
picture 500 200000 strips 1 none
run "200000 x 500: resize, sharpen" 24 convert in.tif -o out.tif --no-sync --do resize:0.9,linear --do sharpen
run "200000 x 500: blur" 24 convert in.tif -o out.tif --no-sync --do blur:2
run "200000 x 500: thumbnail" 24 thumbnail in.tif -o out.tif --no-sync --size 512
run "200000 x 500: statistics" 24 stats in.tif

echo "$runs runs, $failures failures"
[ $failures -eq 0 ]
