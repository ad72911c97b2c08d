#!/usr/bin/env python3
"""Cpu and wall beside OpenJPEG's own program, in turn, on the same picture.  usage: speed.py ROOM PLIMSOLL [MEGAPIXELS]

RUNS: runs of each (default 3); BAR: the cpu ratio that must be reached (1.2 with the coder in Rust, 1.05 with that in C).
"""
import os
import statistics
import sys

import numpy

from common import ended, has, launch, room_for, write_tiff

room, plimsoll, megapixels = sys.argv[1], sys.argv[2], float((sys.argv[3:] or [25])[0])
runs, bar = int(os.environ.get("RUNS", "3")), float(os.environ.get("BAR", "1.2"))
if not has("opj_compress"):
    sys.exit(0)
cols = rows = int((megapixels * 1e6) ** 0.5)
if not room_for(room, 4 * rows * cols * 3):
    sys.exit(0)
tiff, out, theirs = f"{room}/in.tif", f"{room}/out.jp2", f"{room}/theirs.jp2"
write_tiff(tiff, rows, cols, 3, numpy.uint8)
missed = 0
for tile, within in ((1024, 28), (512, 16)):
    def ours(workers):
        budget = within if workers == 1 else 3 * within
        words = f"convert {tiff} -o {out} --tile {tile} --within {budget}MiB --workers {workers} --overwrite --no-sync --quiet"
        return launch(room, [plimsoll, *words.split()])

    opj = f"opj_compress -i {tiff} -o {theirs} -t {tile},{tile} -n 6 -p RPCL".split()
    one, two, other = [], [], []
    for _ in range(runs):
        one.append(ours(1))
        other.append(launch(room, opj, threads=1))
        two.append(ours(2))
    cpu = statistics.median(a[1] / b[1] for a, b in zip(one, other))
    wall = statistics.median(a[0] / b[0] for a, b in zip(two, one))
    median = lambda runs, k: statistics.median(run[k] for run in runs)
    over = (cpu > bar) + (wall > 0.6)
    missed += over
    print(f"{megapixels:.0f} MP, tiles of {tile}: cpu {median(one, 1):.2f} s, opj_compress {median(other, 1):.2f} s: {cpu:.3f} ({bar}); "
          f"wall of two workers / of one {wall:.3f} (0.6); {max(run[2] for run in one):.1f} MiB, two {max(run[2] for run in two):.1f}, "
          f"opj_compress {median(other, 2):.0f} MiB; bytes {os.path.getsize(out)} and {os.path.getsize(theirs)}"
          + (f"  {over} MISSED" if over else ""), flush=True)
ended(missed)
