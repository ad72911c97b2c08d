#!/usr/bin/env bash
# Core and all that it stands on compile where there is no `alloc`: for a target whose library folder lacks it.
# usage: tests/firmware/core_without_alloc.sh
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
target=thumbv7em-none-eabihf
if ! rustup target list --installed 2>/dev/null | grep -qx "$target" && ! rustup target add "$target" >/dev/null 2>&1; then
  echo "core without alloc: SKIPPED: rustup cannot add $target"
  exit 0
fi
libraries=$(rustc --print sysroot)/lib/rustlib/$target/lib
fold=$(mktemp -d)
trap 'rm -rf "$fold"' EXIT
mkdir -p "$fold/lib/rustlib/$target/lib"
for library in "$libraries"/*; do
  case $library in
    */liballoc-*) ;;
    *) ln -s "$library" "$fold/lib/rustlib/$target/lib/" ;;
  esac
done
build=$fold/target
compile() { # compile FEATURES
  CARGO_TARGET_DIR=$build CARGO_ENCODED_RUSTFLAGS="--sysroot=$fold" cargo build -q -p plimsoll-core --target "$target" --features "$1"
}
# Procedural macros run on the host and need its library: the sysroot without `alloc` is the target's only.
compile "critical-section,embedded-storage" || exit 1
echo 'extern crate alloc;' >"$fold/control.rs"
if rustc --crate-type lib --edition 2024 --sysroot "$fold" --target "$target" -o "$fold/control.rlib" <(echo '#![no_std]'; cat "$fold/control.rs") 2>/dev/null; then
  echo "core without alloc: the check cannot fail: alloc was found"
  exit 1
fi
echo "core without alloc: it compiles"
