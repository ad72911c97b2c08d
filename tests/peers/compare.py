#!/usr/bin/env python3
"""Runs Plimsoll and its peers in turn on the same pictures and prints ratios beside the bars.

usage: compare.py FOLDER PLIMSOLL [PART OF A ROW'S NAME ...]      RUNS=5 in the environment
Ours and theirs alternate, so that a machine that slows down slows both.
"""
import os
import statistics
import subprocess
import sys

folder, plimsoll, wanted = sys.argv[1], sys.argv[2], sys.argv[3:]
runs = int(os.environ.get("RUNS", "5"))
here = os.path.dirname(os.path.abspath(__file__))
launch, peer = f"{folder}/launch", f"{folder}/peer"
ours_out, theirs_out = f"{folder}/ours.tif", f"{folder}/theirs.tif"

STEPS = "--do crop:100,100,{w},{w} --do resize:0.9,linear --do sharpen"


def ours(command, picture, within, workers, rest=""):
    out = "" if command == "stats" else f"-o {ours_out} --no-sync --quiet"
    return f"{plimsoll} {command} {folder}/{picture}.tif {out} --within {within} --workers {workers} {rest}".split()


def vips(task, picture, threads=None):
    env = ["env", f"VIPS_CONCURRENCY={threads}"] if threads else []
    return env + [peer, task, f"{folder}/{picture}.tif", theirs_out]


def gdal(*words):
    return ["gdalinfo", "--config", "GDAL_PAM_ENABLED", "NO", *words]


# name, ours, theirs, bars: cpu ratio, wall ratio, our MiB (None: no bar)
ROWS = []


def row(name, mine, other, cpu=None, wall=None, mib=None):
    ROWS.append((name, mine, other, cpu, wall, mib))


for picture, width, kind, cpu, wall, mib in (
    ("a5-tile", 4800, "u8", 0.35, 0.35, 6), ("a5-strip", 4800, "u8", 0.35, 0.35, 6),
    ("a10-tile", 9800, "u8", 0.35, 0.30, 6), ("a10-strip", 9800, "u8", 0.35, 0.30, 6),
    ("g20-strip", 19800, "u16", 0.12, 0.12, 8),
):
    steps = STEPS.format(w=width)
    row(f"bench {picture} {kind} 2 workers", ours("convert", picture, f"{mib}MiB", 2, steps), vips("bench", picture), cpu, wall, mib)
    row(f"bench {picture} {kind} 1 worker", ours("convert", picture, f"{mib}MiB", 1, steps), vips("bench", picture), cpu, None, mib)
for picture, cpu, wall in (("a10-strip", 0.5, 0.35), ("b20-strip", 0.5, 0.35), ("g20-strip", 0.05, None)):
    for kernel in ("lanczos3", "area"):
        row(f"thumbnail {picture} {kernel} 2 workers", ours("thumbnail", picture, "6MiB", 2, f"--size 512 --kernel {kernel}"),
            vips("thumbnail", picture), cpu, wall, 6)
for picture in ("a10-deflate", "a10-lzw"):
    row(f"thumbnail {picture} 1 worker", ours("thumbnail", picture, "8MiB", 1, "--size 512"), vips("thumbnail", picture), 0.9, None, 8)
    row(f"thumbnail {picture} 2 workers", ours("thumbnail", picture, "8MiB", 2, "--size 512"), vips("thumbnail", picture), None, 0.55, 8)
for workers, wall in ((1, None), (2, 0.55)):
    row(f"pyramid a10 deflate {workers} worker(s)", ours("convert", "a10-strip", "24MiB", workers, "--pyramid pages --compression deflate"), vips("pyramid", "a10-strip"), 1.1, wall, 24)
row("one strip a10 deflate 1 worker", ours("convert", "a10-one", "8MiB", 1), vips("copy", "a10-one"), None, None, 8)
row("stats histogram g20 1 worker, vips stats", ours("stats", "g20-strip", "6MiB", 1, "--histogram"), vips("stats", "g20-strip"), 0.35, None, 6)
row("stats g20 1 worker, gdalinfo", ours("stats", "g20-strip", "6MiB", 1), gdal("-stats", f"{folder}/g20-strip.tif"), 0.9, None, 6)
row("stats histogram a10 1 worker, vips stats", ours("stats", "a10-strip", "6MiB", 1, "--histogram"), vips("stats", "a10-strip"), None, None, 6)
for picture in ("a10-strip", "b20-strip"):
    for workers in (1, 2):
        row(f"invert {picture} {workers} worker(s)", ours("convert", picture, "8MiB", workers, "--do invert"), vips("invert", picture), 0.6, None, 8)
    row(f"invert {picture} 1 worker, cp", ours("convert", picture, "8MiB", 1, "--do invert"), ["cp", f"{folder}/{picture}.tif", theirs_out], 1.6, None, 8)
row("blur a10 2 workers", ours("convert", "a10-strip", "6MiB", 2, "--do blur:2"), vips("blur", "a10-strip"), 0.8, 0.7, 6)
row("blur a10 1 worker", ours("convert", "a10-strip", "6MiB", 1, "--do blur:2"), vips("blur", "a10-strip"), 0.8, None, 6)
row("blur a10 2 workers, vips float", ours("convert", "a10-strip", "6MiB", 2, "--do blur:2"), vips("blur-float", "a10-strip"), None, None, 6)
for name, command, rest, task in (
    ("bench", "convert", "--do crop:100,100,199800,300 --do resize:0.9,linear --do sharpen", "bench"),
    ("invert", "convert", "--do invert", "invert"), ("blur", "convert", "--do blur:2", "blur"),
    ("thumbnail", "thumbnail", "--size 512", "thumbnail"), ("stats", "stats", "--histogram", "stats"),
):
    row(f"wide {name} w200 1 worker", ours(command, "w200-strip", "24MiB", 1, rest), vips(task, "w200-strip"), None, None, 24)


def measure(command):
    for path in (ours_out, theirs_out):
        if os.path.exists(path):
            os.unlink(path)
    line = subprocess.run([launch, *command], capture_output=True, text=True, check=True).stdout.split()
    wall, user, system, kib, status = map(float, line)
    return None if status else (wall, user + system, kib / 1024)


def verdict(value, bar):
    return f"{value:5.2f}" + ("      " if bar is None else f" ({'ok' if value <= bar else 'MISS'} {bar})".ljust(12))


missed = 0
if wanted and not any(part in name for name, *_ in ROWS for part in wanted):
    raise SystemExit(f"no row's name contains {' or '.join(wanted)}; the rows are:\n  " + "\n  ".join(name for name, *_ in ROWS))
print(f"{'':44} {'cpu s':>12} {'wall s':>12} {'peak MiB':>12}   ratios ours / theirs: cpu, wall, memory")
for name, mine, other, cpu_bar, wall_bar, mib_bar in ROWS:
    if wanted and not any(part in name for part in wanted):
        continue
    if measure(mine) is None:
        raise SystemExit(f"{' '.join(mine)} failed: run it alone to see why")
    if measure(other) is None:
        wall, cpu, mib = measure(mine)
        print(f"{name:44} {cpu:5.2f}        {wall:5.2f}        {mib:5.1f}          the peer refuses this picture", flush=True)
        continue
    a, b = [], []
    for _ in range(runs):
        a.append(measure(mine))
        b.append(measure(other))
    median = lambda samples, k: statistics.median(sample[k] for sample in samples)
    cpu, wall = (statistics.median(x[k] / y[k] for x, y in zip(a, b)) for k in (1, 0))
    mib = max(sample[2] for sample in a)
    figures = " ".join(f"{median(a, k):5.2f}/{median(b, k):6.2f}" for k in (1, 0)) + f" {mib:5.1f}/{median(b, 2):6.1f}"
    over = mib_bar is not None and mib > mib_bar
    missed += (cpu_bar is not None and cpu > cpu_bar) + (wall_bar is not None and wall > wall_bar) + over
    print(f"{name:44} {figures}   {verdict(cpu, cpu_bar)} {verdict(wall, wall_bar)} {mib / median(b, 2):5.3f}"
          + (f"  {'OVER' if over else 'within'} {mib_bar} MiB" if mib_bar else ""), flush=True)
for path in (ours_out, theirs_out):
    if os.path.exists(path):
        os.unlink(path)
print("all bars reached" if not missed else f"{missed} bar(s) missed")
