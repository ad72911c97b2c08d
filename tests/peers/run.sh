#!/usr/bin/env bash
# Plimsoll beside its peers: see README.md here.  usage: run.sh [accuracy | PART OF A ROW'S NAME ...]
# WORK: where pictures and peers are kept (default: ./work).  RUNS: runs of each (default 5).
set -euo pipefail
[ -z "${PLIMSOLL:-}" ] || PLIMSOLL=$(realpath "$PLIMSOLL")
cd "$(dirname "$0")"
here=$PWD
work=${WORK:-$here/work}
mkdir -p "$work"

. ../tools.sh
debian gdal-bin libvips-dev pkg-config gcc python3-venv || skip "Debian's packages cannot be installed here"
python "$work" "pyvips, numpy, tifffile" numpy tifffile imagecodecs "pyvips[binary]" || skip "Python's packages cannot be installed here"
library=$(find "$work"/venv/lib/python3*/site-packages/pyvips_binary.libs -name 'libvips-*.so*' | sort | head -1)
[ -n "$library" ] || { echo "the pyvips package holds no libvips: remove $work/venv and run this again" >&2; exit 1; }
gcc -O2 launch.c -o "$work/launch"
# The headers are Debian's, the library is the newer one from the package: the calls used are the same in both.
# shellcheck disable=SC2046 # lists of flags
gcc -O2 peer.c $(pkg-config vips --cflags) "$library" -Wl,-rpath,"$(dirname "$library")" -Wl,--allow-shlib-undefined \
  $(pkg-config glib-2.0 gobject-2.0 --libs) -o "$work/peer"
echo "libvips $("$work/peer" version), $(gdalinfo --version), $(nproc) processors"
"$work/venv/bin/python" pictures.py "$work"
plimsoll
if [ "${1:-}" = accuracy ]; then
  exec "$work/venv/bin/python" accuracy.py "$work" "$PLIMSOLL"
fi
exec python3 compare.py "$work" "$PLIMSOLL" "$@"
