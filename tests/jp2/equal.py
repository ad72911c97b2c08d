#!/usr/bin/env python3
"""Peaks and pixels of lossless outputs.  usage: equal.py ROOM PLIMSOLL [MEGAPIXELS ...]

One worker, an uncompressed source read by windows, each byte once. Whole-image decoders need 8 bytes a sample and more:
where the machine has no such memory, they are skipped by name.
"""
import json
import os
import sys

import numpy

from common import Failed, ended, free_memory, has, launch, planes_equal, room_for, write_tiff

room, plimsoll, sizes = sys.argv[1], sys.argv[2], [float(size) for size in sys.argv[3:]] or [1, 25, 100, 400]
u8, u16 = numpy.uint8, numpy.uint16
# Sides are odd: no tile, strip or wavelet comes out even. Bands and depths go along with the small sizes.
MORE = [(1, u8), (2, u8), (4, u8), (1, u16), (2, u16), (3, u16), (4, u16)]
BARS = {(3, u8, 1024): 28, (3, u8, 512): 16}
opj, grk = has("opj_decompress"), has("grk_decompress")
missed = 0
print(f"{'MP':>5} {'picture':24} {'tile':>5} {'plan MiB':>9} {'peak MiB':>9} {'bar':>4} {'reads':>6} {'cpu s':>7}   equal by", flush=True)
for megapixels in sizes:
    cols = int((megapixels * 1e6 * 4 / 3) ** 0.5) | 1
    rows = int(megapixels * 1e6 / cols) | 1
    for bands, kind in [(3, u8)] + (MORE if megapixels <= 1 else MORE[4:6] if megapixels <= 25 else []):
        tiff, out, raw, receipt = (f"{room}/{name}" for name in ("in.tif", "out.jp2", "out.rawl", "receipt.json"))
        samples = rows * cols * bands
        if not room_for(room, 4 * samples * numpy.dtype(kind).itemsize):
            continue
        data_at = write_tiff(tiff, rows, cols, bands, kind)
        for tile in (1024, 512) if (bands, kind) == (3, u8) else (512,):
            bar = BARS.get((bands, kind, tile))
            within = f"{bar or 24}MiB"
            run = [plimsoll, "convert", tiff, "-o", out, "--within", within, "--workers", 1, "--tile", tile, "--no-sync"]
            try:
                wall, cpu, peak = launch(room, [*run, "--quiet", "--overwrite", "--receipt", receipt])
            except Failed as why:
                print(f"FAILED: {why}")
                missed += 1
                continue
            told = json.load(open(receipt))
            plan, reads = told["plan"]["peak_bytes"] / 2**20, told["input"]["bytes_read"] / told["input"]["bytes"]
            equal = []
            for name, program in (("opj", opj and ["opj_decompress", "-i", out, "-o", raw]), ("grok", grk and ["grk_decompress", "-i", out, "-o", raw])):
                if not program:
                    continue
                if samples * 12 > free_memory():
                    equal.append(f"{name} SKIPPED (memory)")
                    continue
                try:
                    launch(room, program)
                    same = planes_equal(raw, tiff, data_at, rows, cols, bands, kind)
                except Failed as why:
                    print(why)
                    same = False
                equal.append(name if same else f"{name} NO")
                missed += not same
                if os.path.exists(raw):
                    os.unlink(raw)
            # Ours reads a row of tiles at a time.
            back = f"{room}/back.pam"
            launch(room, [plimsoll, "convert", out, "-o", back, "--within", "512MiB", "--no-sync", "--quiet", "--overwrite"])
            with open(back, "rb") as file:
                head = file.read(4096)
            start = head.index(b"ENDHDR\n") + 7
            ours = numpy.memmap(back, dtype=numpy.dtype(kind).newbyteorder(">"), mode="r", offset=start, shape=(rows, cols, bands))
            source = numpy.memmap(tiff, dtype=kind, mode="r", offset=data_at, shape=(rows, cols, bands))
            same = all(numpy.array_equal(ours[at : at + 1024], source[at : at + 1024]) for at in range(0, rows, 1024))
            equal.append("ours" if same else "ours NO")
            os.unlink(back)
            # Pixels once; what is not pixels by the plan, and by the run.
            pixels, file = samples * numpy.dtype(kind).itemsize, told["input"]["bytes"]
            again = told["input"]["bytes_read"] > pixels + 2 * (file - pixels)
            over = bar is not None and (peak > bar or plan > bar)
            missed += (not same) + over + (peak > plan) + again
            picture = f"{rows} x {cols} x {bands} {numpy.dtype(kind).name}"
            print(f"{megapixels:5.0f} {picture:24} {tile:5} {plan:9.1f} {peak:9.1f} {bar or '':>4} {reads:6.3f} {cpu:7.1f}   {', '.join(equal)}"
                  + ("  OVER" if over else "") + ("  READ TWICE" if again else "") + ("  ABOVE ITS PLAN" if peak > plan else ""), flush=True)
ended(missed)
