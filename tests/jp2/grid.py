#!/usr/bin/env python3
"""The founding document's benchmark: pages of 100 and 500 megapixels at 1,000,000, 500,000 and 250,000 pixels a chunk, beside
its figures.  usage: grid.py ROOM PLIMSOLL [MEGAPIXELS ...]

Each chunk size is the setting of that name, within 28 MiB and with one worker; unbounded is the same without one, within
4 GiB. The document's time impact is relative to a program that holds the whole image; ours is relative to unbounded.
RUNS: runs of each (default 1), of which the median counts.  CHUNKS: the chunk sizes, all three if absent (500 megapixels take
minutes each).
"""
import os
import statistics
import sys

import numpy

from common import ended, launch, room_for, write_tiff

room, plimsoll = sys.argv[1:3]
sizes = [int(size) for size in sys.argv[3:]] or [100, 500]
runs = int(os.environ.get("RUNS", "1"))
chunks = [int(chunk) for chunk in os.environ.get("CHUNKS", "1000000 500000 250000").split()]
THEIRS = {
    (100, 1_000_000): ("1.2 GB", "+5-10 %"), (100, 500_000): ("650 MB", "+10-15 %"), (100, 250_000): ("350 MB", "+15-25 %"),
    (500, 1_000_000): ("5.5 GB", "+3-8 %"), (500, 500_000): ("3 GB", "+8-12 %"), (500, 250_000): ("1.5 GB", "+12-20 %"),
}
missed = 0
print(f"{'MP':>5} {'chunk size':>11} {'theirs':>8} {'time':>10} | {'ours MiB':>9} {'seconds':>8} {'cpu':>7} {'time':>8}", flush=True)
for megapixels in sizes:
    rows = cols = int((megapixels * 1e6) ** 0.5)
    tiff, out = f"{room}/in.tif", f"{room}/out.jp2"
    if not room_for(room, 2 * rows * cols * 3):
        continue
    write_tiff(tiff, rows, cols, 3, numpy.uint8)
    figures = {chunk: [] for chunk in [None, *chunks]}
    for _ in range(runs):
        for chunk, found in figures.items():
            limits = ["--within", "28MiB", "--chunk-size", chunk] if chunk else ["--within", "4GiB"]
            words = ["convert", tiff, "-o", out, "--workers", 1, "--overwrite", "--no-sync", "--quiet"]
            found.append(launch(room, [plimsoll, *words, *limits]))
    median = lambda chunk, k: statistics.median(run[k] for run in figures[chunk])
    for chunk in figures:
        peak = max(run[2] for run in figures[chunk])
        # Other programs of the machine take wall time: the processor's counts.
        impact = median(chunk, 1) / median(None, 1) - 1
        over = (chunk is not None and peak > 28) + (chunk == 250_000 and impact > 0.10)
        missed += over
        memory, time = THEIRS.get((megapixels, chunk), ("", ""))
        print(f"{megapixels:5} {chunk or 'unbounded':>11} {memory:>8} {time:>10} | {peak:9.1f} {median(chunk, 0):8.1f} {median(chunk, 1):7.1f} {impact:+8.1%}"
              + (f"  {over} MISSED" if over else ""), flush=True)
    os.unlink(tiff)
ended(missed)
