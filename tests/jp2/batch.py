#!/usr/bin/env python3
"""200 mixed files to JPEG 2000 within 64 MiB, by the kernel's own figure; and again after kills.  usage: batch.py ROOM PLIMSOLL

Three can never fit (a compressed row of 40 MB, two single tiles of 25 megapixels) and one is corrupt: 4 is the exit code, and they are
named. Every output is decoded by OpenJPEG's program and must have the pixels that were written into its source. KILLS: how
often a run is killed, at moments that are spread over it (default 5), and run again with --skip-existing: no file may differ
from those of the run that nobody killed.
"""
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

import numpy
import tifffile
from PIL import Image

from common import Failed, ended, has, launch, rows_of

room, plimsoll = pathlib.Path(sys.argv[1]), sys.argv[2]
kills = int(os.environ.get("KILLS", "5"))
if not (has("opj_compress") and has("opj_decompress")):
    sys.exit(0)
u8, u16 = numpy.uint8, numpy.uint16
sources = room / "in"
wanted = {}  # output's name -> the digest of its planes
chance = random.Random(6)


def planes(pixels):
    """The digest of what opj_decompress writes as .rawl."""
    pixels = pixels if pixels.ndim == 3 else pixels[:, :, None]
    return hashlib.sha256(numpy.moveaxis(pixels, 2, 0).astype(pixels.dtype.newbyteorder("<")).tobytes()).hexdigest()


def picture(rows, cols, bands, kind):
    """A part of the picture of that size that no other file has."""
    pixels = rows_of(chance.randrange(1 << 20), rows, cols, bands, kind)
    return pixels[:, :, 0] if bands == 1 else pixels


def place(number, ending):
    name = f"{['', 'a/', 'a/b/', 'c/'][number % 4]}{number:03}"
    path = sources / f"{name}.{ending}"
    path.parent.mkdir(parents=True, exist_ok=True)
    return name, path


def tiff(number, side, bands, kind, pages=1, **how):
    name, path = place(number, "tif")
    with tifffile.TiffWriter(path) as file:
        for page in range(1, pages + 1):
            pixels = picture(side + page, side * 4 // 3 + number % 7, bands, kind)
            file.write(pixels, photometric="rgb" if bands == 3 else "minisblack", metadata=None, **how)
            wanted[f"{name}_p{page:04}.jp2" if pages > 1 else f"{name}.jp2"] = planes(pixels)
    return path


def small(number):
    """One of 193 files; some are of several megapixels."""
    side, kind = chance.choice([60, 130, 257, 400, 700]), u8 if number % 3 else u16
    what = number % 8
    if number % 48 == 0:
        tiff(number, 2400, 3, u8, rowsperstrip=16)
    elif number % 48 == 1:
        tiff(number, 2000, 3, u8, compression="zlib", predictor=2, rowsperstrip=64)
    elif what == 0:
        tiff(number, side, 3, kind, rowsperstrip=32)
    elif what == 1:
        tiff(number, side, 1, kind, compression="lzw", rowsperstrip=20)
    elif what == 2:
        tiff(number, side, 3, u8, compression="zlib", tile=(128, 128))
    elif what == 3:
        tiff(number, side // 2, 1 + 2 * (number % 2), kind, pages=4, compression="packbits")
    elif what in (4, 5):
        name, path = place(number, "png")
        pixels = picture(side, side + number % 9, 3 if what == 4 else 1, u8)
        Image.fromarray(pixels).save(path)
        wanted[f"{name}.jp2"] = planes(pixels)
    else:
        name, path = place(number, "ppm" if what == 6 else "jp2")
        pixels = picture(side, side + number % 9, 3, u8)
        ppm = room / "one.ppm"
        ppm.write_bytes(b"P6\n%d %d\n255\n" % (pixels.shape[1], pixels.shape[0]) + pixels.tobytes())
        if what == 6:
            shutil.move(ppm, path)
        else:
            subprocess.run(["opj_compress", "-i", ppm, "-o", path, "-t", "256,256"], check=True, capture_output=True)
        wanted[f"{name}.jp2"] = planes(pixels)


for number in range(196):
    small(number)
# What can never fit, and what is corrupt.
never = ["a/wide.png", "c/whole-1.jp2", "c/whole-2.j2k"]
Image.MAX_IMAGE_PIXELS = None
Image.fromarray(numpy.zeros((1, 40_000_000), dtype=u8)).save(sources / never[0])
pgm = room / "whole.pgm"
pgm.write_bytes(b"P5\n5000 5000\n255\n" + picture(5000, 5000, 1, u8).tobytes())
for name in never[1:]:
    subprocess.run(["opj_compress", "-i", pgm, "-o", sources / name], check=True, capture_output=True)
pgm.unlink()
broken = tiff(199, 300, 3, u8, compression="zlib", rowsperstrip=50)
del wanted["c/199.jp2"]
content = bytearray(broken.read_bytes())
content[len(content) // 2 : len(content) // 2 + 400] = bytes(400)
broken.write_bytes(content)
count = sum(path.is_file() for path in sources.rglob("*"))
assert count == 200, count

missed = 0


def miss(what):
    global missed
    missed += 1
    print(f"MISSED: {what}", flush=True)


def files(folder):
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def command(out, workers):
    words = f"convert {sources} -o {out}/ --to jp2 --recursive --keep-going --within 64MiB --workers {workers} --no-sync --quiet --report {out}.json"
    return [plimsoll, *words.split()]


def run(out, workers, *more):
    """Runs it to its end; wall seconds and peak resident MiB."""
    line = subprocess.run([f"{room}/launch", *command(out, workers), *more], capture_output=True, text=True, env=dict(os.environ, SHOW="1"))
    figures = line.stdout.split()
    wall, peak, code = float(figures[0]), float(figures[3]) / 1024, int(float(figures[4]))
    if code != 4:
        miss(f"exit code {code}, not 4: {line.stderr[-500:]}")
    for name in never:
        if f"{name}: does not fit" not in line.stderr:
            miss(f"{name} was not refused: {line.stderr[-500:]}")
    if f"1 of {len(wanted) + 4} failed: {broken};" not in line.stderr:
        miss(f"the corrupt one was not named: {line.stderr[-500:]}")
    if peak > 64:
        miss(f"{peak:.1f} MiB resident")
    return wall, peak


whole = {}
for workers in (1, 2, 4):
    out = room / f"out{workers}"
    wall, peak = run(out, workers)
    totals, plan = (json.loads(pathlib.Path(f"{out}.json").read_text())[key] for key in ("totals", "plan"))
    for name, number in {"refused": 3, "failed": 1, "skipped": 0}.items():
        if totals[name] != number:
            miss(f"{workers} worker(s): {totals[name]} {name}, not {number}")
    now = whole[workers] = files(out)
    if set(now) != set(wanted):
        miss(f"{workers} worker(s): other names: {sorted(set(now) ^ set(wanted))[:5]}")
    for name, digest in wanted.items():
        # The plan chooses the tiles' size by what each worker may have: bytes may differ, pixels may not.
        if workers > 1 and now.get(name) == whole[1].get(name):
            continue
        raw = room / "out.rawl"
        try:
            launch(room, ["opj_decompress", "-i", out / name, "-o", raw])
            if hashlib.sha256(raw.read_bytes()).hexdigest() != digest:
                miss(f"{workers} worker(s): {name}: other pixels")
        except (Failed, OSError) as why:
            miss(f"{workers} worker(s): {name}: {why}")
    print(f"200 files, {workers} worker(s): {len(now)} outputs, {plan['in_flight']} at once, {wall:.1f} s, plan {plan['peak_bytes'] / 2**20:.1f} MiB, peak {peak:.1f} MiB (64)", flush=True)
    shutil.rmtree(out)

for kill in range(kills):
    out, workers = room / "killed", 1 + kill % 2
    whole_run = whole[workers]
    # By what is there, not by the clock: the machine may be busy.
    enough = len(wanted) * (kill + 1) // (kills + 1)
    child = subprocess.Popen(command(out, workers), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while child.poll() is None and sum(1 for _ in out.rglob("*.jp2")) < enough:
        time.sleep(0.003)
    time.sleep(chance.random() * 0.2)
    child.send_signal(signal.SIGKILL)
    if child.wait() >= 0:
        miss("it ended before it was killed")
    left = files(out)
    complete = {name for name in left if not name.endswith(".tmp")}
    wrong = [name for name in complete if left[name] != whole_run.get(name)]
    _, peak = run(out, workers, "--skip-existing")
    after = files(out)
    if wrong or after != whole_run:
        miss(f"killed: {wrong[:3]} incomplete, {sorted(set(after) ^ set(whole_run))[:3]} more or less")
    print(f"killed after {len(complete)} outputs, {len(left) - len(complete)} half-made; run again: {'the same' if after == whole_run else 'NOT THE SAME'}, peak {peak:.1f} MiB (64)", flush=True)
    shutil.rmtree(out)
ended(missed)
