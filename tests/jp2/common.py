"""Pictures in TIFF written by hand, programs run and measured, and raw planes compared."""
import os
import shutil
import struct
import subprocess
import sys

import numpy

ROWS_AT_ONCE = 1024


def rows_of(start, count, cols, bands, kind):
    """Rows of a picture with smooth parts, edges, texture and noise, the same for any cut into rows."""
    y = numpy.arange(start, start + count, dtype=numpy.uint32)[:, None]
    x = numpy.arange(cols, dtype=numpy.uint32)[None, :]
    out = numpy.empty((count, cols, bands), dtype=kind)
    noise = (x * numpy.uint32(2654435761) ^ y * numpy.uint32(2246822519)) * numpy.uint32(3266489917)
    noise = (noise ^ noise >> 15) >> 28
    for band in range(bands):
        wave = 90 * numpy.sin(x / numpy.float32(37 + 5 * band)) * numpy.cos(y / numpy.float32(53))
        disc = ((x // 400 + y // 300) % 2 == band % 2) * 60
        value = numpy.clip(80 + wave + disc + (noise & 7) * (1 + band % 2), 0, 255)
        if kind == numpy.uint16:
            value = value * 257 + noise * 16
            value = numpy.clip(value, 0, 65535)
        out[:, :, band] = value.astype(kind)
    return out


def write_tiff(path, rows, cols, bands, kind, strip_rows=16):
    """An uncompressed TIFF (BigTIFF from 4 GB on) in strips; returns its pixels' offset."""
    size = numpy.dtype(kind).itemsize
    strips = -(-rows // strip_rows)
    row_bytes = cols * bands * size
    big = rows * row_bytes > 3_900_000_000
    word, head = ("Q", 16) if big else ("I", 8)
    data_at = 65536
    offsets = [data_at + index * strip_rows * row_bytes for index in range(strips)]
    counts = [min(strip_rows, rows - index * strip_rows) * row_bytes for index in range(strips)]
    end = data_at + rows * row_bytes
    with open(path, "wb") as file:
        file.seek(data_at)
        for start in range(0, rows, ROWS_AT_ONCE):
            file.write(rows_of(start, min(ROWS_AT_ONCE, rows - start), cols, bands, kind).tobytes())
        tables = end
        file.write(struct.pack(f"<{strips}{word}", *offsets) + struct.pack(f"<{strips}{word}", *counts))
        bits_at = file.tell()
        file.write(struct.pack(f"<{bands}H", *[8 * size] * bands))
        extra = {1: 0, 2: 1, 3: 0, 4: 1}[bands]
        tags = [
            (256, 4, 1, cols), (257, 4, 1, rows),
            (258, 3, bands, bits_at if bands * 2 > struct.calcsize(word) else int.from_bytes(struct.pack(f"<{bands}H", *[8 * size] * bands), "little")),
            (259, 3, 1, 1), (262, 3, 1, 2 if bands >= 3 else 1),
            (273, 16 if big else 4, strips, tables if strips > 1 else offsets[0]), (277, 3, 1, bands), (278, 4, 1, strip_rows),
            (279, 16 if big else 4, strips, tables + strips * struct.calcsize(word) if strips > 1 else counts[0]), (284, 3, 1, 1),
        ] + ([(338, 3, 1, 2)] if extra else [])
        ifd_at = file.tell()
        file.write(struct.pack("<Q" if big else "<H", len(tags)))
        for tag, kind_of, count, value in tags:
            file.write(struct.pack(f"<HH{word}{word}", tag, kind_of, count, value))
        file.write(struct.pack(f"<{word}", 0))
        file.seek(0)
        file.write(struct.pack("<2sHHHQ", b"II", 43, 8, 0, ifd_at) if big else struct.pack("<2sHI", b"II", 42, ifd_at))
    assert head <= data_at
    return data_at


class Failed(Exception):
    pass


def launch(room, command, cwd=None, threads=None):
    """Wall and cpu seconds, and peak resident MiB."""
    env = dict(os.environ, **({"OPJ_NUM_THREADS": str(threads)} if threads else {}))
    line = subprocess.run([f"{room}/launch", *map(str, command)], capture_output=True, text=True, check=True, cwd=cwd, env=env)
    wall, user, system, kib, status = map(float, line.stdout.split())
    if status:
        raise Failed(f"{' '.join(map(str, command))}: exit code {int(status)}")
    return wall, user + system, kib / 1024


def planes_equal(raw, tiff, data_at, rows, cols, bands, kind):
    """Whether the decoder's planes, one after the other, little-endian, are the interleaved pixels of the TIFF."""
    size = numpy.dtype(kind).itemsize
    if os.path.getsize(raw) != rows * cols * bands * size:
        return False
    source = numpy.memmap(tiff, dtype=kind, mode="r", offset=data_at, shape=(rows, cols, bands))
    planes = numpy.memmap(raw, dtype=kind, mode="r", shape=(bands, rows, cols))
    return all(
        numpy.array_equal(planes[band, start : start + ROWS_AT_ONCE], source[start : start + ROWS_AT_ONCE, :, band])
        for band in range(bands)
        for start in range(0, rows, ROWS_AT_ONCE)
    )


def has(program):
    found = shutil.which(program) is not None
    if not found:
        print(f"jp2: SKIPPED: no {program} here: nothing is said by it", flush=True)
    return found


def room_for(room, wanted):
    free = shutil.disk_usage(room).free
    if free < wanted:
        print(f"jp2: SKIPPED: {free >> 20} MiB of disk are free, {wanted >> 20} MiB are needed", flush=True)
    return free >= wanted


def free_memory():
    """Bytes that programs may have; what is cached of files makes room for them."""
    with open("/proc/meminfo") as lines:
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))


def ended(missed):
    print("all as it should be" if not missed else f"{missed} MISSED", flush=True)
    sys.exit(1 if missed else 0)
