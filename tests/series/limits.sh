#!/usr/bin/env bash
# Every `plimsoll series` command in the smallest budget that it says is enough, and in 16 MiB, in release, by the
# system's own figure of its peak. Prints a table and fails if a command fails or passes its budget.
# usage: tests/series/limits.sh
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
cargo build -q --release -p plimsoll-tests --bins || exit 1
programs=$(cd "${CARGO_TARGET_DIR:-target}/release" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/plimsoll-series.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0
runs=0

# under BUDGET_KIB NAME WORDS...: one command within its budget.
under() {
  local budget=$1 name=$2 peak verdict=ok
  shift 2
  rm -f out.* peak
  "$programs/measured" peak "$programs/plimsoll-under-test" series "$@" --within "${budget}KiB" >said 2>errors ||
    verdict="FAILED: $(head -c 200 errors)"
  runs=$((runs + 1))
  read -r peak _ <peak
  [ "$peak" -le $((budget << 10)) ] || verdict="$verdict, PASSED ITS BUDGET"
  [ "$verdict" = ok ] || failures=$((failures + 1))
  printf '%-44s %9d %9d  %s\n' "$name" "$budget" $((peak >> 10)) "$verdict"
}

# run NAME WORDS...: in the least that is enough, and in 16 MiB.
run() {
  local name=$1 least
  shift
  least=$("$programs/plimsoll-under-test" series "$@" --within 1MiB 2>&1 >/dev/null | sed -n 's/.*--within \([0-9]*\)KiB is enough.*/\1/p')
  if [ -z "$least" ]; then
    printf '%-44s says no budget that is enough\n' "$name"
    failures=$((failures + 1))
    return
  fi
  under "$least" "$name" "$@"
  under 16384 "$name" "$@"
}

# table ROWS COLUMNS: walks, with an hour every 60 rows.
table() {
  awk -v rows="$1" -v columns="$2" 'BEGIN {
    srand(1); printf "time"; for (c = 1; c <= columns; c++) printf ",c%d", c; print ""
    for (r = 0; r < rows; r++) {
      printf "%d", 1400000000 + 60 * r
      for (c = 1; c <= columns; c++) { v[c] += rand() - 0.5; printf ",%.*f", c, v[c] }
      print ""
    }
  }'
}

table 300000 1 >one.csv
table 60000 8 >eight.csv
printf '%-44s %9s %9s\n' "KiB of" budget peak
for name in one eight; do
  for options in "--profile small" "--profile large" "--profile lean" "--backend rice" "--backend pack" "--max-error 0.001" "--ranges"; do
    # shellcheck disable=SC2086 # They are words.
    run "$name: pack $options" pack $name.csv -o out.pls -q --overwrite $options
  done
  "$programs/plimsoll-under-test" series pack $name.csv -o $name.pls -q --ranges --unit s || exit 1
  run "$name: unpack" unpack $name.pls -o out.csv --overwrite
  run "$name: info" info $name.pls
  run "$name: get" get $name.pls --from 1400600000 --to 1401200000
  run "$name: get by the hour" get $name.pls --every 1h --agg min,max,mean,first,last,count
  run "$name: get by the day, from headers" get $name.pls --every 30d --agg min,max
  run "$name: cat" cat $name.pls $name.pls -o out.pls --overwrite
done
echo "$runs runs, $failures failures"
[ $failures -eq 0 ]
