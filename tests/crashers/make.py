#!/usr/bin/env python3
"""Builds the files of this folder, field by field. usage: make.py   (writes beside itself; the files are kept in git)"""
import os
import struct
import zlib

here = os.path.dirname(os.path.abspath(__file__))
WIDTH, HEIGHT, BITS, METHOD, PHOTO, OFFSETS, TURN, BANDS, ROWS, COUNTS = 256, 257, 258, 259, 262, 273, 274, 277, 278, 279
MANY = 2**32 - 1


def field(tag, value, kind=4, count=1):
    """An entry of a directory: type 3 is a short, 4 a long."""
    packed = struct.pack("<HH", value, 0) if kind == 3 and count == 1 else struct.pack("<I", value)
    return struct.pack("<HHI", tag, kind, count) + packed


def directory(*entries, then=0):
    entries = sorted(entries, key=lambda entry: struct.unpack("<H", entry[:2]))
    return struct.pack("<H", len(entries)) + b"".join(entries) + struct.pack("<I", then)


def page(cols=4, rows=1, at=8, bytes_=4, method=1, *more):
    """Entries of a grey page of 8 bits in one strip."""
    given = {struct.unpack("<H", entry[:2])[0] for entry in more}
    usual = [field(WIDTH, cols), field(HEIGHT, rows), field(BITS, 8, 3), field(METHOD, method, 3), field(PHOTO, 1, 3),
             field(OFFSETS, at), field(BANDS, 1, 3), field(ROWS, rows), field(COUNTS, bytes_)]
    return [entry for entry in usual if struct.unpack("<H", entry[:2])[0] not in given] + list(more)


def tiff(*entries, data=b"\1\2\3\4", then=0):
    """A file of one page whose samples lie behind the header."""
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory(*entries, then=then)


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(cols, rows, data, interlaced=0):
    head = struct.pack(">IIBBBBB", cols, rows, 8, 0, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


good = page()
packed = zlib.compress(b"\1\2\3\4")
size = 2 + 12 * len(good) + 4
files = {
    # Ended with exit code 5, as if the system had failed.
    "reject-empty.tif": b"",
    "reject-header-only.tif": b"II*\0",
    "reject-directory-outside.tif": b"II*\0\x08\0\0\0",
    # Were refused for their memory (exit code 3), or for the sides of what would be written (2): no file of this size holds them.
    "reject-wide.tif": tiff(*page(cols=MANY)),
    "reject-wide-and-high.tif": tiff(*page(cols=MANY, rows=MANY)),
    "reject-wide-deflate.tif": tiff(*page(MANY, 1, 8, len(packed), 8), data=packed),
    "reject-wide-packbits.tif": tiff(*page(MANY, 1, 8, 2, 32773), data=b"\x81\7"),
    # The list of pages must end.
    "list-chain-that-comes-back.tif": tiff(*good, then=12),
    "list-subifd-of-itself.tif": tiff(*good, field(330, 12)),
    # Kept the pages before it from being listed.
    "list-second-page-outside.tif": tiff(*good, then=1 << 20),
    "list-second-page-without-width.tif": tiff(*good, then=12 + size) + directory(*good[1:]),
    "list-second-of-three-unsupported.tif": tiff(*good, then=12 + size)
    + directory(*page(4, 1, 8, 4, 34712), then=12 + 2 * size) + directory(*good),
    # Made a picture of other colours, or none at all.
    "reject-photometric-outside.tif": tiff(*page(4, 1, 8, 4, 1, field(PHOTO, 1 << 20, 3, 9))),
    "read-orientation-of-a-senseless-type.tif": tiff(*good, field(TURN, 6, 2)),
    # Numbers that sums and products overflow with, or that divide by nothing.
    "reject-offset-at-the-end-of-32-bits.tif": tiff(*page(at=MANY)),
    "reject-no-rows.tif": tiff(*page(rows=0)),
    "reject-no-bits.tif": tiff(*page(4, 1, 8, 4, 1, field(BITS, 0, 3))),
    "reject-no-bands.tif": tiff(*page(4, 1, 8, 4, 1, field(BANDS, 0, 3))),
    "reject-tiles-of-no-side.tif": tiff(*good, field(322, 0), field(323, 16), field(324, 8), field(325, 4)),
    "reject-65535-bands.tif": tiff(*page(4, 1, 8, 4, 1, field(BANDS, 65535, 3))),
    "reject-table-of-a-billion.tif": tiff(*page(4, 1 << 30, 8, 4, 1, field(ROWS, 1), field(OFFSETS, 8, 4, 1 << 30))),
    "reject-bigtiff-offset-beyond-64-bits.tif": b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 1)
    + struct.pack("<HHQQ", WIDTH, 16, 1 << 63, 2**64 - 1) + struct.pack("<Q", 0),
    # Data that ends, or repeats beyond the rows.
    "reject-deflate-cut.tif": tiff(*page(4, 1, 8, 6, 8), data=packed[:6]),
    "reject-lzw-of-nothing.tif": tiff(*page(4, 1, 8, 2, 5), data=b"\x80\x40"),
    "read-packbits-beyond-the-row.tif": tiff(*page(4, 1, 8, 2, 32773), data=b"\x81\7"),
    # An output without rows has no workers; whatever follows a header is no reason to panic.
    "reject-no-rows.pgm": b"P5\n4 0\n255\n",
    "reject-no-range.pgm": b"P5\n4 1\n0\n\1\2\3\4",
    "reject-number-beyond-64-bits.pgm": b"P5\n99999999999999999999 1\n255\n",
    "reject-cut.pgm": b"P5\n4 4\n255\n\1\2\3",
    "reject-cut.png": png(4, 1, zlib.compress(b"\0\1\2\3\4"))[:40],
    # Were refused for their memory (exit code 3), as if there were a picture.
    "reject-wide.png": png(2**31 - 1, 1, zlib.compress(b"\0\1\2\3\4")),
    "reject-wide-and-high-interlaced.png": png(1 << 20, 1 << 20, zlib.compress(b"\0\1\2\3\4"), 1),
    "reject-wide-text.pgm": b"P2\n4294967295 1\n255\n1 2 3 4\n",
    "reject-box-of-no-length.jp2": b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0\0\0\0ftyp",
    "reject-codestream-cut.j2k": b"\xff\x4f\xff\x51\0\x29\0\0",
}
for name, content in files.items():
    with open(os.path.join(here, name), "wb") as file:
        file.write(content)
print(f"{len(files)} files")
