#!/usr/bin/env python3
"""MSE, PSNR and SSIM against scikit-image's over the whole image, to 1e-9 of them, for several cuts and workers.

usage: quality.py ROOM PLIMSOLL

The convention is scikit-image's structural_similarity with gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
data_range the largest integer, over each band, averaged: windows of 11 x 11 that lie inside, as in the paper.
"""
import json
import subprocess
import sys

import numpy

from common import ended, rows_of, write_tiff

try:
    from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity
except ImportError:
    print("jp2: SKIPPED: no scikit-image here: install it for the python that numpy is in")
    sys.exit(0)

room, plimsoll = sys.argv[1:3]
missed = 0
for rows, cols, bands, kind in ((311, 257, 3, numpy.uint8), (205, 330, 1, numpy.uint16), (96, 1100, 4, numpy.uint8)):
    tiff, out = f"{room}/in.tif", f"{room}/out.jp2"
    write_tiff(tiff, rows, cols, bands, kind)
    first = rows_of(0, rows, cols, bands, kind)
    base = f"convert {tiff} -o {out} --ratio 15 --tile 128 --overwrite --quiet --no-sync"
    subprocess.run([plimsoll, *base.split(), "--within", "64MiB"], check=True)
    back = f"{room}/back.pam"
    subprocess.run([plimsoll, "convert", out, "-o", back, "--overwrite", "--quiet", "--within", "64MiB"], check=True)
    content = open(back, "rb").read()
    second = numpy.frombuffer(content[content.index(b"ENDHDR\n") + 7 :], dtype=numpy.dtype(kind).newbyteorder(">")).reshape(first.shape).astype(kind)
    white = numpy.iinfo(kind).max
    expected = {
        "mse": mean_squared_error(first, second),
        "psnr": peak_signal_noise_ratio(first, second, data_range=white),
        "ssim": structural_similarity(first, second, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=white, channel_axis=2),
    }
    told = []
    for strip, workers in ((1, 1), (7, 2), (64, 1), (1000, 2)):
        words = f"compare {tiff} {out} --ssim 11 --within 64MiB --strip-rows {strip} --workers {workers} --receipt {room}/r.json"
        subprocess.run([plimsoll, *words.split()], check=True, stdout=subprocess.DEVNULL)
        output = json.load(open(f"{room}/r.json"))["output"]
        told.append((f"compare, strips of {strip}, {workers} worker(s)", {**output["overall"], "ssim": output["ssim"]}))
    for within in ("64MiB", "24MiB"):
        words = f"{base} --verify --min-ssim 0.01 --within {within} --receipt {room}/r.json"
        subprocess.run([plimsoll, *words.split()], check=True)
        told.append((f"verify within {within}", json.load(open(f"{room}/r.json"))["output"]["quality"]))
    for what, figures in told:
        for name, value in expected.items():
            off = abs(figures[name] - value) / value
            missed += off > 1e-9
            if off > 1e-9:
                print(f"{rows} x {cols} x {bands} {numpy.dtype(kind).name}, {what}: {name} {figures[name]!r}, {value!r} by scikit-image: {off:.2e}")
    print(f"{rows} x {cols} x {bands} {numpy.dtype(kind).name}: mse {expected['mse']:.4f}, psnr {expected['psnr']:.4f}, ssim {expected['ssim']:.6f}; {len(told)} ways compared")
ended(missed)
