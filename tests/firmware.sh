#!/usr/bin/env bash
# The firmware examples on four emulated boards: the host's bytes, exit codes, no way to panic, no allocation, and the
# sizes, stacks and instruction counts of examples/firmware/budgets.tsv, exactly. Installs QEMU and targets itself.
# usage: tests/firmware.sh [--update] [BOARD ...]     --update writes the boards' lines of budgets.tsv anew
# With boards named, only those run, and the two proofs that no board is needed for do not.
set -uo pipefail
cd "$(dirname "$0")/../examples/firmware" || exit 1
export CARGO_TERM_COLOR=never
build=${CARGO_TARGET_DIR:-$PWD/target}
export CARGO_TARGET_DIR=$build
host=$build/release/host decode=$build/release/decode counter=$build/release/libcounter.so
work=$(mktemp -d)
# Crates are told apart by their paths, which decides what the linker's optimiser sees first and with it a few bytes of
# code and stack: every checkout is built under one name, in the folder that POSIX promises everywhere, one at a time.
folder=/tmp
checkout=$folder/plimsoll-checkout
exec 9>"$checkout.lock" && flock 9 || exit 1
ln -sfn "$(cd ../.. && pwd)" "$checkout" || exit 1
trap 'rm -rf "$work" "$checkout"' EXIT
update=0
[ "${1:-}" = --update ] && { update=1; shift; }
only=" $* "
failed=0
fail() {
  echo "firmware: FAILED: $*"
  failed=1
}
skip() {
  echo "firmware $1: SKIPPED: $2"
}

# board, target, emulator, its flags
boards=(
  "microbit thumbv6m-none-eabi arm"
  "lm3s6965evb thumbv7m-none-eabi arm"
  "mps2-an386 thumbv7em-none-eabihf arm"
  "virt riscv32imac-unknown-none-elf riscv32"
)
series="series_small series_narrow series_lean series_large series_rice series_pack"
images="frame logger interrupts survey $series"
# Not for 16 KiB: the model of the profile Large is 2 KiB a column, and coding copies it; and a picture's arena beside a
# flash that is RAM.
too_large="microbit:series_large microbit:survey"
outputs() { # outputs IMAGE: the files that it writes
  case $1 in
    frame) echo frame.f32 ;;
    logger) echo blocks.bin flash.bin ;;
    survey) echo survey.bin survey.flash ;;
    *) echo "$1.bin" ;;
  esac
}

need_emulator() { # need_emulator ARCH: whether it is there or could be installed
  command -v "qemu-system-$1" >/dev/null && return
  local package=qemu-system-arm
  [ "$1" = arm ] || package=qemu-system-misc
  [ "$(id -u)" = 0 ] && { apt-get update && apt-get install -y --no-install-recommends "$package"; } >"$work/apt" 2>&1
  command -v "qemu-system-$1" >/dev/null
}
need_target() {
  rustup target list --installed 2>/dev/null | grep -qx "$1" || rustup target add "$1" >/dev/null 2>&1
}
emulate() { # emulate BOARD ARCH IMAGE [FLAGS]: its exit code is the image's; logs are in $work/log
  local board=$1 arch=$2 image=$3
  shift 3
  local bios=()
  [ "$arch" = arm ] || bios=(-bios none)
  # Virtual time is instructions times 64 ns, so that interrupts come at the same places in every run.
  (cd "$work/$board" && timeout 120 "qemu-system-$arch" -M "$board" "${bios[@]}" -nographic -monitor none -serial none \
    -icount shift=6 -semihosting-config enable=on,target=native "$@" -kernel "$image") >"$work/frames" 2>"$work/errors"
  local code=$?
  "$decode" "$image" <"$work/frames" >"$work/log" || code=99
  return $code
}

program() { sed -n '/^```rust$/,/^```$/p' USE.md | sed '1d;$d'; }
diff <(program) <(tail -n +2 images/src/bin/use_it.rs) || fail "the program of USE.md is not use_it.rs"

cargo build -q --release -p host -p decode -p counter || { fail "the host's tools do not build"; exit 1; }
"$host" input "$work" && "$host" run "$work" || { fail "the examples fail on the host"; exit 1; }

measured=$work/budgets.tsv
printf 'board\timage\tfigure\tvalue\n' >"$measured"
figure() { # figure BOARD IMAGE FIGURE VALUE
  printf '%s\t%s\t%s\t%s\n' "$@" >>"$measured"
}
ran=()
for line in "${boards[@]}"; do
  read -r board target arch <<<"$line"
  [ $# -eq 0 ] || [[ $only == *" $board "* ]] || continue
  need_emulator "$arch" || { skip "$board" "qemu-system-$arch is not here and apt cannot install it"; continue; }
  need_target "$target" || { skip "$board" "rustup cannot add $target"; continue; }
  echo "firmware: $board"
  # The program of USE.md is for Cortex-M; it is built only.
  also=stack
  [ "$arch" = arm ] && also="stack use_it"
  # shellcheck disable=SC2046,SC2086 # lists
  if ! BOARD=$board cargo build -q --release --manifest-path "$checkout/examples/firmware/Cargo.toml" -p images --target "$target" $(for image in $images $also; do [[ " $too_large " == *" $board:$image "* ]] || echo --bin "$image"; done); then
    fail "$board: the images do not build"
    continue
  fi
  ran+=("$board")
  mkdir "$work/$board"
  cp "$work"/{camera.u8,points.bin,samples.bin} "$work/$board"
  for image in $images stack; do
    if [[ " $too_large " == *" $board:$image "* ]]; then
      skip "$board" "$image does not fit this board's RAM"
      continue
    fi
    elf=$build/$target/release/$image
    "$host" symbols "$elf" >"$work/symbols"
    address() { awk -v name="$1" '$2 == name { print $1; exit }' "$work/symbols"; }
    marks=$(address mark_other):$(address mark_encode):$(address mark_decode)
    top=$(address _stack_start)
    bottom=$(address _stack_end)
    # On RISC-V the stack ends where the heap, which is empty, does.
    [ "$arch" = arm ] || bottom=$(address __eheap)
    rm -f "$work/counts"
    if ! emulate "$board" "$arch" "$elf" -plugin "$counter,out=$work/counts,marks=$marks,low=$bottom,high=$top"; then
      fail "$board: $image ends with an error"
      cat "$work/log" "$work/errors"
      continue
    fi
    sed "s/^/  $image: /" "$work/log" | grep -v ' stack ' || true
    if [ "$image" = stack ]; then
      while read -r _ _ name bytes; do figure "$board" "$name" entry_stack "$bytes"; done < <(grep ' stack ' "$work/log")
      continue
    fi
    for output in $(outputs "$image"); do
      cmp "$work/$output" "$work/$board/$output" || fail "$board: $output is not the host's"
    done
    while read -r section bytes; do figure "$board" "$image" "$section" "$bytes"; done < <("$host" sizes "$elf")
    lowest=$(awk '$1 == "lowest" { print $2 }' "$work/counts")
    figure "$board" "$image" stack $((top - lowest))
    # A stack that comes to the statics below it has most likely gone on into them.
    [ $((lowest - bottom)) -ge 16 ] || fail "$board: $image has no room for its stack"
    case $image in
      series_*)
        # Per point, to a tenth, in tenths: whole numbers compare exactly.
        points=$(($(stat -c %s "$work/points.bin") / 12))
        figure "$board" "$image" encode_tenths_per_point $(($(awk '$2 == 1 { print $3 }' "$work/counts") * 10 / points))
        figure "$board" "$image" decode_tenths_per_point $(($(awk '$2 == 2 { print $3 }' "$work/counts") * 10 / points))
        ;;
      frame)
        pixels=$(($(stat -c %s "$work/frame.f32") / 4))
        figure "$board" "$image" tenths_per_output_pixel $(($(awk '$2 == 1 { print $3 }' "$work/counts") * 10 / pixels))
        ;;
    esac
    # No allocation: neither the symbols that the compiler calls nor those of a C library.
    if grep -qE ' (__rust_alloc|__rust_realloc|__rust_dealloc|__rust_alloc_zeroed|__rg_alloc|malloc|realloc|calloc|free)$|5alloc' "$work/symbols"; then
      fail "$board: $image has an allocation symbol"
    fi
  done
done

if [ $# -eq 0 ]; then
  bash ../../tests/firmware/core_without_alloc.sh || fail "core or what it stands on wants alloc"
  bash ../../tests/firmware/no_panic.sh || fail "the proof that nothing panics"
fi

[ ${#ran[@]} -gt 0 ] || exit $failed
# Boards that were skipped are not compared.
pattern="^($(IFS='|'; echo "${ran[*]}"))	"
if [ $update = 1 ]; then
  grep -vE "$pattern" budgets.tsv >"$work/others"
  { cat "$work/others"; tail -n +2 "$measured"; } >budgets.tsv
  exit $failed
fi
if ! diff <(grep -E "$pattern" budgets.tsv | sort) <(tail -n +2 "$measured" | sort); then
  fail "the figures (>) are not those checked in (<): say why in CHANGELOG.md, then tests/firmware.sh --update"
fi
exit $failed
