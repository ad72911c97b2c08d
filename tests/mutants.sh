#!/usr/bin/env bash
# Mutation testing of what decides about memory and of what reads headers: each small change of the plan, the budget and
# TIFF's directories must make a test fail. Survivors are printed; those that are looked at are listed in mutants.txt.
# usage: tests/mutants.sh [plan | budget | directory ...] [-- OPTIONS OF cargo mutants]      About an hour for all of them.
# Needs cargo-mutants (installed if cargo can); says so and stops where it is not to be had. Works on a copy of the tree.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
export CARGO_PROFILE_DEV_DEBUG=0 PROPTEST_CASES=${PROPTEST_CASES:-64}
cargo mutants --version >/dev/null 2>&1 || cargo install -q cargo-mutants --locked >/dev/null 2>&1 || {
  echo "mutants: SKIPPED: cargo-mutants cannot be installed here"
  exit 0
}
parts=() options=()
while [ $# -gt 0 ]; do
  case $1 in
    --) shift; options=("$@"); break ;;
    *) parts+=("$1"); shift ;;
  esac
done
[ ${#parts[@]} -gt 0 ] || parts=(plan budget directory)
out=${CARGO_TARGET_DIR:-target}/mutants
mkdir -p "$out"
for part in "${parts[@]}"; do
  case $part in
    plan)
      what=(-p plimsoll-core -f core/src/pipeline/plan.rs -f core/src/pipeline/bands.rs)
      tests=(-C=--test=planner -C=--test=bands)
      ;;
    budget)
      what=(-p plimsoll-core -f 'core/src/budget/*.rs' -f 'core/src/budget/counters/*.rs')
      tests=(-C=--test=budget -C=--test=budget_counters)
      ;;
    directory)
      what=(-p plimsoll-formats -f adapters/formats/src/tiff/read/directory.rs -f adapters/formats/src/tiff/read/chain.rs)
      tests=(-C=--lib --cargo-test-arg=tiff::read)
      ;;
    *) echo "mutants: there is no part $part" >&2; exit 2 ;;
  esac
  # As arguments of cargo itself: those behind `--` would be the run's alone, and everything else would be built, too.
  cargo mutants "${what[@]}" --no-shuffle --timeout 60 -o "$out/$part" "${tests[@]}" "${options[@]}" >"$out/$part.log" 2>&1
  tail -n 1 "$out/$part.log"
  # Each survivor by its file and what was changed; its line moves with every edit.
  sed -E 's/:[0-9]+:[0-9]+:/:/' "$out/$part/mutants.out/missed.txt" 2>/dev/null | while read -r survivor; do
    if grep -qxF "$survivor" tests/mutants.txt 2>/dev/null; then echo "known    $survivor"; else echo "SURVIVES $survivor"; fi
  done
done
