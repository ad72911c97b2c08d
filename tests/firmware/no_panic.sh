#!/usr/bin/env bash
# No way to panic: images that call every public entry point of core link with a panic handler that cannot be linked;
# one with an index that may be outside does not, and says so. usage: tests/firmware/no_panic.sh [PART ...]
set -uo pipefail
cd "$(dirname "$0")/../../examples/firmware" || exit 1
export CARGO_TERM_COLOR=never
parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(series journal pipeline transforms measure)
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
link() { # link TARGET PART
  cargo build -q --release -p proof --bin "$2" --target "$1" >"$log" 2>&1
}
# places PART TARGET: where its calls of panics are, from the object that did not link
places() {
  local object
  object=$(ls -t "${CARGO_TARGET_DIR:-target}/$2/release/deps/$1"-*.o 2>/dev/null | head -1)
  if [ -z "$object" ] || ! command -v arm-none-eabi-objdump >/dev/null; then
    grep -E '^error|>>>' "$log" | head -5
    return
  fi
  arm-none-eabi-objdump -drlC --no-show-raw-insn "$object" | awk '
    /^[0-9a-f]+ <.*>:$/ { name = $0; sub(/^[0-9a-f]+ /, "", name) }
    /^[^ <]+:[0-9]+/ { line = $1 }
    /R_ARM.*(panick|_fail|unwrap_failed|expect_failed)/ && name !~ /panick|_fail/ { print "  " line " in " name }' | sort -u
}
# One core with a floating-point unit, one without and without division, on which the parts that calculate with integers
# are compiled quite otherwise; the panics are core's own, so these two stand for the rest.
for target in thumbv7em-none-eabihf thumbv6m-none-eabi; do
  if ! rustup target list --installed 2>/dev/null | grep -qx "$target" && ! rustup target add "$target" >/dev/null 2>&1; then
    echo "no panic on $target: SKIPPED: rustup cannot add it"
    continue
  fi
  if link "$target" control || ! grep -q 'undefined symbol: panic_is_reachable' "$log"; then
    echo "no panic on $target: the check cannot fail: its control links, or fails for another reason"
    failed=1
  fi
  for part in "${parts[@]}"; do
    [ $# -gt 0 ] || [ "$target" != thumbv6m-none-eabi ] || [[ " series journal pipeline " == *" $part "* ]] || continue
    if link "$target" "$part"; then
      echo "no panic on $target: $part: proven"
    else
      echo "no panic on $target: $part: FAILED"
      places "$part" "$target"
      failed=1
    fi
  done
done
exit $failed
