#!/usr/bin/env bash
# Four jobs at a time that share a container with 64 MiB of memory: none is killed, each says what it found, and each
# output is that of a job alone with the machine's memory. Twice: with a budget named to each, and with the defaults.
# usage: tests/cgroup.sh        needs root, and a memory controller (control groups of version 1 or 2) in which it may
# make a group; says so and stops where there is none. Pictures (500 MB) lie under ${TMPDIR:-/tmp}.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
limit=$((64 << 20))
skip() {
  echo "cgroup: SKIPPED: $1"
  exit 0
}
command -v python3 >/dev/null || skip "no Python 3"
[ "$(id -u)" = 0 ] || skip "only root can make a control group"
if [ -z "${PLIMSOLL:-}" ]; then
  cargo build -q --release -p plimsoll || exit 1
  PLIMSOLL=${CARGO_TARGET_DIR:-target}/release/plimsoll
fi
plimsoll=$(realpath "$PLIMSOLL")

# begin PARENT LIMIT_FILE: makes the group under that one, if it gets its limit.
begin() {
  local made="$1/plimsoll-$$"
  mkdir "$made" 2>/dev/null || return 1
  if ! echo $limit 2>/dev/null >"$made/$2" || [ "$(cat "$made/$2")" != $limit ]; then
    rmdir "$made"
    return 1
  fi
  group=$made limit_file=$2
}
# Below the own group first, so that a limit from above goes on to hold.
find_group() {
  local point
  point=$(awk '$3 == "cgroup" && $4 ~ /(^|,)memory(,|$)/ { print $2; exit }' /proc/mounts)
  if [ -n "$point" ]; then
    begin "$point$(sed -n 's/^[0-9]*:\([^:]*,\)*memory\(,[^:]*\)*://p' /proc/self/cgroup)" memory.limit_in_bytes && return
    begin "$point" memory.limit_in_bytes && return
  fi
  point=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
  if [ -n "$point" ]; then
    grep -qw memory "$point/cgroup.controllers" && echo +memory 2>/dev/null >"$point/cgroup.subtree_control"
    begin "$point$(sed -n 's/^0:://p' /proc/self/cgroup)" memory.max && return
    begin "$point" memory.max && return
  fi
  return 1
}
work=$(mktemp -d "${TMPDIR:-/tmp}/plimsoll-cgroup.XXXXXX")
group=""
trap 'rm -rf "$work"; [ -z "$group" ] || rmdir "$group" 2>/dev/null || { sleep 1; rmdir "$group"; }' EXIT
case $(stat -f -c %T "$work") in tmpfs | ramfs) skip "$work is in memory, and would count as the jobs'" ;; esac
find_group || skip "no memory controller lets this user make a group with a limit here"
cd "$work" || exit 1

# inside WORDS...: runs a command as one of the group.
inside() { sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group" "$@"; }
# kills: how many processes of the group the kernel has killed, or `?`.
kills() {
  local count
  count=$(sed -n 's/^oom_kill \([0-9]*\)$/\1/p' "$group/memory.oom_control" "$group/memory.events" 2>/dev/null)
  echo "${count:-?}"
}
failures=0
wrong() {
  echo "WRONG: $1"
  failures=$((failures + 1))
}

python3 - <<'P' || exit 1
import random
dice, cols, rows = random.Random(1), 6000, 4000
with open("in.ppm", "wb") as file:
    file.write(b"P6\n%d %d\n255\n" % (cols, rows))
    row = bytes(dice.randbytes(3 * cols // 50 + 1) * 50)[:3 * cols]
    for y in range(rows):
        file.write(row[3 * (y % 997):] + row[:3 * (y % 997)])
P
"$plimsoll" convert in.ppm -o in.tif --compression deflate --quiet --no-sync || exit 1
echo "group $group: $(cat "$group/$limit_file") bytes"

# The default is half of what the container has left, and says so.
plan=$(inside "$plimsoll" plan convert in.tif -o out.tif --do blur:3)
echo "$plan" | head -n 1
echo "$plan" | grep -q "50 % of the [0-9]* bytes left in the container ($limit in .*/$limit_file)" ||
  wrong "the default budget does not come from the container"
budget=$(inside "$plimsoll" plan convert in.tif -o out.tif --do blur:3 --json |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["budget_bytes"])')
[ "$budget" -le $((limit / 2)) ] && [ "$budget" -ge $((limit * 3 / 8)) ] ||
  wrong "the default budget is $budget bytes, not about half of $limit"

jobs=(
  "convert in.tif -o blur.tif --do blur:3 --compression lzw"
  "convert in.ppm -o pyramid.tif --pyramid subifd --compression deflate"
  "thumbnail in.tif -o small.png --size 700"
  "convert in.ppm -o sharp.png --do resize:0.7,lanczos3 --do sharpen"
)
outputs=(blur.tif pyramid.tif small.png sharp.png)
mkdir alone
for number in 0 1 2 3; do
  (cd alone && ln -sf ../in.* . && "$plimsoll" ${jobs[$number]} --quiet --no-sync) || exit 1
done
for budget in "--within 14MiB" ""; do
  before=$(kills)
  rm -f blur.tif pyramid.tif small.png sharp.png
  began=$SECONDS
  pids=()
  for number in 0 1 2 3; do
    inside "$plimsoll" ${jobs[$number]} $budget --overwrite --no-sync --receipt "receipt-$number.json" \
      >"said-$number" 2>"errors-$number" &
    pids+=($!)
  done
  for number in 0 1 2 3; do
    wait "${pids[$number]}"
    code=$?
    verdict=ok
    if [ $code -ne 0 ]; then
      verdict="exit code $code: $(head -c 300 "errors-$number")"
    elif ! "$plimsoll" compare "alone/${outputs[$number]}" "${outputs[$number]}" --json |
      python3 -c 'import json, sys; sys.exit(json.load(sys.stdin)["overall"]["differing"] != 0)'; then
      verdict="other pixels than alone"
    fi
    [ "$verdict" = ok ] || wrong "${jobs[$number]} ${budget:-(default budget)}: $verdict"
    peak=$(sed -n 's/.*"peak_resident_bytes": *\([0-9]*\).*/\1/p' "receipt-$number.json" 2>/dev/null | head -n 1)
    printf '%-68s %-16s %9s KiB at most: %s\n' "${jobs[$number]}" "${budget:-default}" $((${peak:-0} >> 10)) "$verdict"
  done
  after=$(kills)
  [ "$after" = "$before" ] || wrong "the kernel killed $after - $before processes of the group"
  most=$(cat "$group/memory.max_usage_in_bytes" "$group/memory.peak" 2>/dev/null | head -n 1)
  echo "four at a time, ${budget:-default budgets}: $((SECONDS - began)) s, killed: $after, most use $((${most:-0} >> 10)) KiB (with the cache of files)"
done

# Somebody lowers the container's limit while a job runs: it goes on with fewer threads, then with fewer rows, its receipt
# says when and why, and the output is the same. The limit goes down to 12 MiB above what the process holds.
(cd alone && "$plimsoll" convert in.tif -o tiles.jp2 --tile 512 --quiet --no-sync) || exit 1
job="convert in.tif -o tiles.jp2 --tile 512 --within 40MiB --workers 2 --overwrite --no-sync --receipt lowered.json"
before=$(kills)
inside "$plimsoll" $job >said-lowered 2>errors-lowered &
pid=$!
# It is at work as soon as some tiles are written; what is charged beside its memory is reclaimed, if not at once.
held=0 lowered=0
for _ in $(seq 600); do
  written=$(cat .tiles.jp2.plimsoll-*.tmp 2>/dev/null | wc -c)
  [ "$written" -gt $((2 << 20)) ] && break
  sleep 0.05
done
for _ in $(seq 20); do
  held=$(awk '/^VmRSS:/ { print $2 * 1024 }' "/proc/$(tail -n 1 "$group/cgroup.procs")/status")
  lowered=$((${held:-0} + (12 << 20)))
  echo $lowered 2>/dev/null >"$group/$limit_file" && break
  sleep 0.05
done
[ "$(cat "$group/$limit_file")" -lt $limit ] || wrong "the limit cannot be lowered to $lowered bytes"
wait $pid
code=$?
echo $limit >"$group/$limit_file"
[ $code -eq 0 ] || wrong "$job: exit code $code: $(head -c 300 errors-lowered)"
"$plimsoll" compare alone/tiles.jp2 tiles.jp2 --json |
  python3 -c 'import json, sys; sys.exit(json.load(sys.stdin)["overall"]["differing"] != 0)' ||
  wrong "other pixels than alone under a limit that is lowered"
python3 - <<'P' || wrong "the receipt does not say how the job went on"
import json, sys
told = json.load(open("lowered.json"))
actual, decisions = told["actual"], told["actual"]["decisions"]
for it in decisions[:4]:
    print("  after %d rows: %s to %s: %s" % (it["rows"], it["from"], it["to"], it["because"]))
first = decisions[0] if decisions else None
good = first and first["from"]["workers"] == 2 and first["to"]["workers"] == 1 and first["because"] == "little memory is available"
sys.exit(not (good and len(decisions) == min(actual["adaptations"], 64)))
P
after=$(kills)
[ "$after" = "$before" ] || wrong "the kernel killed $after - $before processes of the group"
echo "a limit lowered to $lowered bytes while the process holds $held: exit code $code, killed: $after"
echo "cgroup: $failures failures"
[ $failures -eq 0 ]
