#!/usr/bin/env python3
"""How far Plimsoll's results, and libvips', are from floating-point references, in units of the last place.

usage: accuracy.py FOLDER PLIMSOLL
The references are computed in double precision with no rounding between the steps, on a crop of the real pictures.
"""
import os
import subprocess
import sys

import numpy as np
import pyvips
import tifffile

folder, plimsoll = sys.argv[1], sys.argv[2]
missed = 0


def crop(picture, left, top, cols, rows):
    """A crop of a picture as a file of its own and as doubles."""
    # A name of its own: libvips remembers files by their names.
    path = f"{folder}/crop-{picture}.tif"
    pyvips.Image.new_from_file(f"{folder}/{picture}.tif").crop(left, top, cols, rows).write_to_file(path)
    array = tifffile.imread(path).astype(np.float64)
    return path, array if array.ndim == 3 else array[:, :, None]


def ours(path, *steps):
    out = f"{folder}/accuracy.tif"
    words = [word for step in steps for word in ("--do", step)]
    command = [plimsoll, "convert", path, "-o", out, "--overwrite", "--quiet", "--within", "16MiB", *words]
    subprocess.run(command, check=True)
    array = tifffile.imread(out).astype(np.float64)
    os.unlink(out)
    return array if array.ndim == 3 else array[:, :, None]


def theirs(image):
    array = image.numpy().astype(np.float64)
    return array if array.ndim == 3 else array[:, :, None]


def triangle_weights(size, out, factor):
    """One row for each output sample: the triangle, stretched where it shrinks; edge samples stand for those outside."""
    centre = (np.arange(out) + 0.5) / factor - 0.5
    width = max(1.0, 1.0 / factor)
    halo = int(np.ceil(width)) + 1
    distance = np.abs(np.arange(-halo, size + halo)[None, :] - centre[:, None]) / width
    weights = np.maximum(0.0, 1.0 - distance)
    weights /= weights.sum(axis=1, keepdims=True)
    weights[:, halo] += weights[:, :halo].sum(axis=1)
    weights[:, halo + size - 1] += weights[:, halo + size:].sum(axis=1)
    return weights[:, halo:halo + size]


def resize(array, factor):
    rows, cols = (int(np.floor(n * factor + 0.5)) for n in array.shape[:2])
    down = np.tensordot(triangle_weights(array.shape[0], rows, factor), array, axes=(1, 0))
    across = np.tensordot(triangle_weights(array.shape[1], cols, factor), down, axes=(1, 1))
    return across.transpose(1, 0, 2)


def sharpen(array):
    p = np.pad(array, ((1, 1), (1, 1), (0, 0)), "edge")
    rows, cols = array.shape[:2]
    around = sum(p[y:y + rows, x:x + cols] for y in range(3) for x in range(3)) - array
    return (16 * array - around) / 8


def gaussian(array, sigma):
    radius = int(np.ceil(8 * sigma))
    x = np.arange(-radius, radius + 1)
    mask = np.exp(-x * x / (2 * sigma * sigma))
    mask /= mask.sum()
    for axis in (0, 1):
        pad = [(0, 0)] * 3
        pad[axis] = (radius, radius)
        p = np.pad(array, pad, "edge")
        n = array.shape[axis]
        array = sum(m * np.take(p, np.arange(k, k + n), axis=axis) for k, m in enumerate(mask))
    return array


def report(name, result, reference, white, bar, edge=0):
    global missed
    reference = np.clip(reference, 0, white)
    if edge:
        result, reference = result[edge:-edge, edge:-edge], reference[edge:-edge, edge:-edge]
    if result.shape != reference.shape:
        missed += bar is not None
        print(f"{name:34} shape {result.shape} is not {reference.shape}")
        return
    error = np.abs(result - reference)
    verdict = "" if bar is None else ("within" if error.max() <= bar else "MISSES") + f" {bar}"
    missed += bar is not None and error.max() > bar
    print(f"{name:34} max {error.max():8.3f}  mean {error.mean():7.4f}  {verdict}")


for picture, white in (("a5-strip", 255), ("g20-strip", 65535)):
    path, array = crop(picture, 1000, 700, 1000, 600)
    image = pyvips.Image.new_from_file(path)
    reference = sharpen(resize(array, 0.9))
    report(f"bench {picture}", ours(path, "resize:0.9,linear", "sharpen"), reference, white, 3)
    mask = pyvips.Image.new_from_array([[-1, -1, -1], [-1, 16, -1], [-1, -1, -1]], scale=8)
    peer = image.reduce(1 / 0.9, 1 / 0.9, kernel="linear").conv(mask, precision="integer")
    report(f"bench {picture}, vips", theirs(peer), reference, white, None, edge=4)
    reference = gaussian(array, 2.0)
    report(f"blur 2 {picture}", ours(path, "blur:2"), reference, white, 1)
    report(f"blur 2 {picture}, vips integer", theirs(image.gaussblur(2.0)), reference, white, None)
    report(f"blur 2 {picture}, vips float", theirs(image.gaussblur(2.0, precision="float")), reference, white, None)
    report(f"invert {picture}", ours(path, "invert"), white - array, white, 0)
    os.unlink(path)
print("all within" if not missed else f"{missed} outside")
sys.exit(missed > 0)
