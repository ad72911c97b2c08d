#!/usr/bin/env bash
# Plimsoll beside its peers: see README.md here.  usage: run.sh [accuracy | PART OF A ROW'S NAME ...]
# WORK: where pictures and peers are kept (default: ./work).  RUNS: runs of each (default 5).
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD
work=${WORK:-$here/work}
mkdir -p "$work"

packages=(gdal-bin libvips-dev pkg-config gcc python3-venv)
missing=()
for package in "${packages[@]}"; do dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package"); done
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing ${missing[*]}"
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >/dev/null \
    || { echo "SKIPPED: Debian's packages cannot be installed here: ${missing[*]}"; exit 0; }
fi
if [ ! -x "$work/venv/bin/python" ] || ! "$work/venv/bin/python" -c 'import pyvips, numpy, tifffile' 2>/dev/null; then
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install -q numpy tifffile imagecodecs "pyvips[binary]" \
    || { echo "SKIPPED: Python's packages cannot be installed here"; exit 0; }
fi
library=$(find "$work"/venv/lib/python3*/site-packages/pyvips_binary.libs -name 'libvips-*.so*' | sort | head -1)
[ -n "$library" ] || { echo "the pyvips package holds no libvips: remove $work/venv and run this again" >&2; exit 1; }
gcc -O2 launch.c -o "$work/launch"
# The headers are Debian's, the library is the newer one from the package: the calls used are the same in both.
gcc -O2 peer.c $(pkg-config vips --cflags) "$library" -Wl,-rpath,"$(dirname "$library")" -Wl,--allow-shlib-undefined \
  $(pkg-config glib-2.0 gobject-2.0 --libs) -o "$work/peer"
echo "libvips $("$work/peer" version), $(gdalinfo --version), $(nproc) processors"
"$work/venv/bin/python" pictures.py "$work"
(cd ../.. && cargo build --release -q -p plimsoll)
target=$(cd ../.. && cargo metadata --format-version 1 --no-deps | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')
if [ "${1:-}" = accuracy ]; then
  exec "$work/venv/bin/python" accuracy.py "$work" "$target/release/plimsoll"
fi
exec python3 compare.py "$work" "$target/release/plimsoll" "$@"
