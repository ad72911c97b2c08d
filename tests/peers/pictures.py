#!/usr/bin/env python3
"""Writes the test pictures into a folder: the same bytes every time, in memory of a few strips.

usage: pictures.py FOLDER [NAME ...]      all of them if none is named; one that is there already is kept
"""
import os
import sys

import numpy as np
import pyvips

PICTURES = {  # name: cols, rows, kind
    "a5": (5000, 5000, "rgb8"),
    "a10": (10000, 10000, "rgb8"),
    "b20": (20000, 20000, "rgb8"),
    "g20": (20000, 20000, "grey16"),
    "w200": (200000, 500, "rgb8"),
}
LAYOUTS = {
    "strip": dict(compression="none"),
    "tile": dict(compression="none", tile=True, tile_width=128, tile_height=128),
    "deflate": dict(compression="deflate", predictor="horizontal", tile=True, tile_width=256, tile_height=256),
    "one": dict(compression="deflate", predictor="horizontal", tile_width=1 << 20, tile_height=10000),
    "lzw": dict(compression="lzw", predictor="horizontal"),
}
WANTED = [
    ("a5", "strip"), ("a5", "tile"), ("a10", "strip"), ("a10", "tile"), ("a10", "deflate"), ("a10", "lzw"), ("a10", "one"),
    ("b20", "strip"), ("b20", "deflate"), ("g20", "strip"), ("w200", "strip"),
]
STRIP = 250


def discs(cols, rows):
    rng = np.random.default_rng(7)
    n = int(cols * rows / 60000)
    return sorted(zip(rng.uniform(0, rows, n), rng.uniform(0, cols, n), rng.uniform(20, 400, n), rng.uniform(-60, 60, n)))


def strips(cols, rows, kind):
    """Gradients and waves, fine texture, hard-edged discs, sensor noise."""
    x = np.arange(cols, dtype=np.float32)[None, :]
    shapes = discs(cols, rows)
    for top in range(0, rows, STRIP):
        n = min(STRIP, rows - top)
        y = np.arange(top, top + n, dtype=np.float32)[:, None]
        light = 115 + 45 * np.sin(x / 577) * np.cos(y / 691) + 20 * np.sin((2 * x + y) / 103) + 25 * (x / cols - y / rows)
        light += 6 * np.sin(x / 3.3) * np.sin(y / 4.3)
        for cy, cx, radius, bright in shapes:
            if cy + radius < top or cy - radius > top + n:
                continue
            left, right = int(max(0, cx - radius)), int(min(cols, cx + radius + 1))
            if left < right:
                light[:, left:right] += bright * ((x[:, left:right] - cx) ** 2 + (y - cy) ** 2 < radius * radius)
        noise = np.random.default_rng([11, top]).standard_normal((n, cols), dtype=np.float32)
        if kind == "rgb8":
            strip = np.empty((n, cols, 3), np.uint8)
            for band, (gain, shift) in enumerate(((1.0, 0), (0.93, 19), (0.82, 41))):
                value = gain * light + 8 * np.sin((x + 9 * shift) / 197) + 3 * np.roll(noise, shift, 1)
                strip[:, :, band] = np.clip(value, 0, 255)
        else:
            strip = np.clip(light * 200 + 500 * noise, 0, 65535).astype("<u2")
        yield strip


def main():
    folder, names = sys.argv[1], sys.argv[2:]
    os.makedirs(folder, exist_ok=True)
    for name, (cols, rows, kind) in PICTURES.items():
        layouts = [l for n, l in WANTED if n == name and (not names or f"{n}-{l}" in names)]
        layouts = [l for l in layouts if not os.path.exists(f"{folder}/{name}-{l}.tif")]
        if not layouts:
            continue
        raw = f"{folder}/{name}.raw"
        with open(raw, "wb") as file:
            for strip in strips(cols, rows, kind):
                file.write(strip.tobytes())
        for layout in layouts:
            if kind == "rgb8":
                image = pyvips.Image.rawload(raw, cols, rows, 3, interpretation="srgb")
            else:
                image = pyvips.Image.rawload(raw, cols, rows, 1, format="ushort", interpretation="grey16")
            image.tiffsave(f"{folder}/{name}-{layout}.part.tif", **LAYOUTS[layout])
            os.rename(f"{folder}/{name}-{layout}.part.tif", f"{folder}/{name}-{layout}.tif")
            print(f"{folder}/{name}-{layout}.tif", flush=True)
        os.unlink(raw)


main()
