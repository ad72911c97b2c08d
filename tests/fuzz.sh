#!/usr/bin/env bash
# Runs every fuzz target for some seconds. usage: tests/fuzz.sh [SECONDS]
# Files of the corpus are seeds where it is there (PLIMSOLL_CORPUS, or ../shared/corpus).
# Needs a nightly toolchain and cargo-fuzz; installs the latter, or says what it skipped.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
seconds=${1:-10}
corpus=${PLIMSOLL_CORPUS:-../shared/corpus}
if ! cargo +nightly --version >/dev/null 2>&1; then
  echo "fuzz: SKIPPED: no nightly toolchain here"
  exit 0
fi
if ! cargo fuzz --version >/dev/null 2>&1 && ! cargo install -q cargo-fuzz --locked; then
  echo "fuzz: SKIPPED: cargo-fuzz cannot be installed here"
  exit 0
fi
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

run() { # run TARGET: its log is in $logs/TARGET; a target that fails leaves its name in $logs/failed
  local target=$1 seeds=() options=()
  # What is found lies in the first folder; the others are only read. Old crashes are seeds, too.
  if [ "$target" = tiff_open ]; then
    mkdir -p tests/fuzz/corpus/tiff_open
    seeds=(tests/fuzz/corpus/tiff_open)
    for folder in "$corpus/tiff" "$corpus/tiff_malformed" tests/crashers; do
      [ -d "$folder" ] && seeds+=("$folder")
    done
  fi
  # Small seeds, for the sake of many runs. What the foreign coder holds when it panics is lost.
  if [ "$target" = jp2_open ]; then
    seeds=("tests/fuzz/corpus/$target" "$logs/seeds") options=(-max_len=8192 -detect_leaks=0)
    mkdir -p "${seeds[@]}"
    for folder in "$corpus/jp2" "$corpus/jp2_malformed"; do
      [ -d "$folder" ] && find "$folder" -type f -size -12k -exec cp {} "$logs/seeds" \;
    done
  fi
  cargo +nightly fuzz run --fuzz-dir tests/fuzz "$target" "${seeds[@]}" -- "${options[@]}" -max_total_time="$seconds" -rss_limit_mb=512 >"$logs/$target" 2>&1 || echo "$target" >>"$logs/failed"
}

# All of them at once, so that every processor has something to build; then one on each.
cargo +nightly fuzz build --fuzz-dir tests/fuzz >"$logs/build" 2>&1 || { tail -40 "$logs/build"; exit 1; }
targets=$(cargo +nightly fuzz list --fuzz-dir tests/fuzz)
for target in $targets; do
  run "$target" &
  [ "$(jobs -r | wc -l)" -lt "$(nproc)" ] || wait -n
done
wait
for target in $targets; do
  if grep -qx "$target" "$logs/failed" 2>/dev/null; then
    echo "fuzz $target: FAILED"
    tail -40 "$logs/$target"
  else
    echo "fuzz $target: $(grep -oE 'Done [0-9]+ runs' "$logs/$target" | tail -1)"
  fi
done
[ ! -e "$logs/failed" ]
