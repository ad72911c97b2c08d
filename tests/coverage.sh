#!/usr/bin/env bash
# How many lines of core its own tests run, file by file, and in all: at least 95 in 100, or the exit code is 1.
# usage: tests/coverage.sh      Needs the component llvm-tools of the toolchain (installed if rustup can).
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
skip() {
  echo "coverage: SKIPPED: $1"
  exit 0
}
tools=$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin
[ -x "$tools/llvm-cov" ] || rustup component add llvm-tools >/dev/null 2>&1
[ -x "$tools/llvm-cov" ] || skip "the toolchain has no llvm-tools, and rustup cannot install them"
target=${CARGO_TARGET_DIR:-target}/coverage
profiles=$target/profiles
rm -rf "$profiles"
mkdir -p "$profiles"
# A folder of its own: nothing that was built without counters is used, and nothing else is built again.
# Without optimisation: with it functions are inlined before they are counted. So what is only repetition is cut: cases of
# one property, and real series (of the corpus), which take minutes under counters and run no line that others do not.
export CARGO_TARGET_DIR=$target CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0 RUSTFLAGS="-C instrument-coverage"
export PROPTEST_CASES=${PROPTEST_CASES:-16}
tests=(cargo test -q -p plimsoll-core --all-features --lib --tests)
skipped=(--skip every_series_comes_back --skip no_value_is_further_off_than_it_may_and_nothing_is_longer
  --skip the_bench_series_take_few_bits_within_a_thousandth_of_their_range)
programs=$("${tests[@]}" --no-run --message-format=json 2>/dev/null |
  python3 -c 'import json,sys
for line in sys.stdin:
    made = json.loads(line)
    if made.get("profile", {}).get("test") and made.get("executable"): print(made["executable"])')
[ -n "$programs" ] || { echo "coverage: the tests do not build" >&2; exit 1; }
profiles=$(realpath "$profiles")
# Each program has counters of its own, and what they say is put together line by line: functions of one name differ from
# program to program, and the tools would drop them.
for program in $programs; do
  own=$profiles/$(basename "$program")
  (cd core && LLVM_PROFILE_FILE="$own-%p.profraw" "$program" -q "${skipped[@]}") >/dev/null ||
    { echo "coverage: tests of $program fail" >&2; exit 1; }
  "$tools/llvm-profdata" merge -sparse "$own"-*.profraw -o "$own.profdata" || exit 1
  # Tests are not what is covered.
  "$tools/llvm-cov" export "$program" --instr-profile "$own.profdata" --format=lcov \
    --ignore-filename-regex='/(tests\.rs|tests/|\.cargo/|rustc/)' >"$own.lcov" || exit 1
done
python3 - "$profiles"/*.lcov <<'PYTHON'
import os, sys
root = os.path.realpath("core/src")
files = {}
for name in sys.argv[1:]:
    for line in open(name):
        if line.startswith("SF:"):
            lines = files.setdefault(os.path.realpath(line[3:].strip()), {})
        elif line.startswith("DA:"):
            number, count = map(int, line[3:].split(",")[:2])
            lines[number] = lines.get(number, 0) + count
rows = []
for path, lines in files.items():
    if path.startswith(root) and lines:
        missing = sorted(number for number, count in lines.items() if count == 0)
        rows.append((len(lines) - len(missing), len(lines), os.path.relpath(path, root), missing))
for covered, count, path, missing in sorted(rows, key=lambda row: row[0] / row[1]):
    if missing:
        print(f"{100 * covered / count:6.1f} %  {count - covered:5} of {count:5} lines are not run  {path}: {' '.join(map(str, missing[:20]))}")
covered, count = (sum(row[k] for row in rows) for k in (0, 1))
share = 100 * covered / max(count, 1)
print(f"coverage of core: {covered} of {count} lines, {share:.2f} %")
sys.exit(share < 95)
PYTHON
