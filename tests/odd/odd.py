"""TIFF files that are sound but odd, as old and broken writers made them, and files of every method that libtiff writes:
each is read by libtiff (tiffcp) and by tifffile. Where both give the same pixels plimsoll must give them, too; where it
gives a picture it must be one of theirs (or the one that was stored); else it must end with exit code 4, in one line,
soon. Files that were damaged or are hostile: the same, without anybody to compare with.

usage: odd.py PLIMSOLL LAUNCHER [PART OF A NAME ...]      Exit code 1 if one file is read otherwise.
"""
import itertools
import logging
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
import zlib

import imagecodecs
import numpy as np
import tifffile

import writers

logging.disable(logging.CRITICAL)
plimsoll, launch, wanted = os.path.realpath(sys.argv[1]), os.path.realpath(sys.argv[2]), sys.argv[3:]
folder = tempfile.TemporaryDirectory(prefix="odd-")
os.chdir(folder.name)
counts = dict(exact=0, refused=0, either=0, alone=0, peak_kib=0)
failures = []
BYTE, ASCII, SHORT, LONG, RATIONAL, SBYTE, UNDEFINED, SSHORT, SLONG, FLOAT, DOUBLE, IFD, LONG8 = *range(1, 10), 11, 12, 13, 16
WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
FORMS = {1: "B", 2: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q", 17: "q", 18: "Q"}


class File:
    """A file put together part by part; tags are overridden by name of the case."""

    def __init__(self, order="<", big=False):
        self.order, self.big = order, big
        self.bytes = bytearray(b"II" if order == "<" else b"MM")
        self.bytes += struct.pack(order + "HHHQ", 43, 8, 0, 0) if big else struct.pack(order + "HI", 42, 0)
        self.link = 8 if big else 4

    def data(self, data, align=1):
        while len(self.bytes) % align:
            self.bytes.append(0)
        at = len(self.bytes)
        self.bytes += data
        return at

    def directory(self, entries, sort=True, next=0):
        """`entries`: (tag, type, values), or (tag, type, count, inline bytes) for what nobody would write."""
        word = "Q" if self.big else "I"
        size = 8 if self.big else 4
        rows = []
        for tag, kind, *rest in sorted(entries) if sort else entries:
            if len(rest) == 2:
                count, inline = rest
            else:
                values = rest[0]
                if isinstance(values, bytes):
                    count, data = len(values) // WIDTHS[kind], values
                else:
                    count = len(values) // (2 if kind in (5, 10) else 1)
                    data = struct.pack(self.order + str(len(values)) + ("I" if kind in (5, 10) else FORMS[kind]), *values)
                inline = data if len(data) <= size else struct.pack(self.order + word, self.data(data, 2))
            rows.append(struct.pack(self.order + "HH" + word, tag, kind, count) + inline.ljust(size, b"\0")[:size])
        at = self.data(b"", 2)
        self.bytes[self.link:self.link + size] = struct.pack(self.order + word, at)
        self.bytes += struct.pack(self.order + ("Q" if self.big else "H"), len(rows)) + b"".join(rows)
        self.link = len(self.bytes)
        self.bytes += struct.pack(self.order + word, next)
        return at


def picture(rows=37, cols=53, bands=1, dtype="uint8"):
    rng = np.random.default_rng(rows * 1000 + cols + bands)
    y, x, b = np.mgrid[0:rows, 0:cols, 0:bands]
    smooth = x * 3 + y * 5 + b * 40
    rough = rng.integers(0, 256, smooth.shape)
    values = np.where((x // 8 + y // 8) % 3 == 0, rough, smooth)
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return (values / 7 - 3).astype(dtype)
    return (values * (0x01030107 if dtype.itemsize > 2 else 0x0103 if dtype.itemsize == 2 else 1)).astype(dtype)


def simple(image, order="<", big=False, rows_per_strip=10, encode=bytes, compression=1, more=(), without=(), **how):
    """A chunky file in strips, with tags added, replaced and left out."""
    file = File(order, big)
    rows, cols, bands = image.shape
    offsets, sizes = [], []
    for top in range(0, rows, rows_per_strip):
        data = encode(np.ascontiguousarray(image[top:top + rows_per_strip]).astype(image.dtype.newbyteorder(order)).tobytes())
        offsets.append(file.data(data, 2))
        sizes.append(len(data))
    entries = {
        256: (LONG, [cols]), 257: (LONG, [rows]), 258: (SHORT, [image.dtype.itemsize * 8] * bands),
        259: (SHORT, [compression]), 262: (SHORT, [2 if bands >= 3 else 1]), 273: (LONG, offsets),
        277: (SHORT, [bands]), 278: (LONG, [rows_per_strip]), 279: (LONG, sizes),
    }
    if image.dtype.kind != "u":
        entries[339] = (SHORT, [{"i": 2, "f": 3}[image.dtype.kind]] * bands)
    if bands in (2, 4):
        entries[338] = (SHORT, [2])
    for tag in without:
        entries.pop(tag, None)
    listed = [(tag, *rest) for tag, rest in entries.items()]
    for tag, *rest in more:
        listed = [entry for entry in listed if entry[0] != tag] + [(tag, *rest)]
    file.offsets, file.sizes, file.truth = offsets, sizes, image
    file.at = file.directory(listed, **how)
    return file


def libtiff(path, page=(0,)):
    """What tiffcp makes of a page; None if it refuses or complains of the data, or is not asked (SubIFDs)."""
    if len(page) > 1:
        return None
    done = subprocess.run(["tiffcp", "-c", "none", f"{path},{page[0]}", "libtiff.tif"], capture_output=True, text=True)
    try:
        if done.returncode != 0 or "rror" in done.stderr or "orrupt" in done.stderr or "Bad code" in done.stderr:
            return None
        return tifffile.imread("libtiff.tif", key=0)
    except Exception:
        return None
    finally:
        if os.path.exists("libtiff.tif"):
            os.remove("libtiff.tif")


def tifffiles(path, page=(0,)):
    try:
        with tifffile.TiffFile(path) as file:
            found = file.pages[page[0]]
            for below in page[1:]:
                found = found.pages[below]
            image = found.asarray()
            return image if image.size else None
    except Exception:
        return None


def ours(path, page=(0,)):
    """Pixels, exit code, message, seconds and peak MiB."""
    if os.path.exists("ours.tif"):
        os.remove("ours.tif")
    words = [plimsoll, "convert", path, "-o", "ours.tif", "--overwrite", "--quiet", "--within", "64MiB", "--no-sync"]
    if page != (0,):
        words += ["--pages", "/".join(str(number + 1) for number in page)]
    began = time.monotonic()
    # The launcher is small: a process's peak begins with that of the one that forked it.
    done = subprocess.run([launch, *words], capture_output=True, text=True, env={**os.environ, "SHOW": "1"})
    seconds = time.monotonic() - began
    message, (*_, kib, code) = done.stderr, done.stdout.split()
    code, kib = int(code), int(kib)
    counts["peak_kib"] = max(counts["peak_kib"], kib)
    if kib > 64 << 10:
        failures.append(f"{path}: {kib} KiB resident")
    image = tifffile.imread("ours.tif", key=0) if code == 0 else None
    if code != 0 and os.path.exists("ours.tif"):
        failures.append(f"{path}: an output was left behind")
    return image, code, message.strip(), seconds


def flat(image, like):
    """Planar and squeezed shapes as rows, columns, bands."""
    image = np.asarray(image)
    if image.ndim == 3 and like.ndim == 3 and image.shape != like.shape and np.moveaxis(image, 0, -1).shape == like.shape:
        image = np.moveaxis(image, 0, -1)
    return image


def same(a, b, tolerance):
    a, b = flat(a, b), flat(b, a)
    if a.size != b.size:
        return False
    a, b = a.reshape(-1), b.reshape(-1)
    if a.dtype.kind == "f" or b.dtype.kind == "f":
        return np.array_equal(a.astype(np.float64), b.astype(np.float64), equal_nan=True)
    if a.dtype == bool or b.dtype == bool:
        a, b = a.astype(np.uint8), b.astype(np.uint8)
    return np.abs(a.astype(np.int64) - b.astype(np.int64)).max(initial=0) <= tolerance


def held(image):
    """Whether doubles hold all samples as they are."""
    return image.dtype.kind not in "iu" or all(int(float(sample)) == int(sample) for sample in np.unique(image))


def judge(name, content, tolerance=0, must=None, page=(0,), truth=None):
    """`must`: a word of the message with which it must be refused, whatever others do. Files of `simple` know their
    pixels: where these come out, others may differ."""
    truth = getattr(content, "truth", truth)
    content = getattr(content, "bytes", content)
    if wanted and not any(part in name for part in wanted):
        return
    path = "".join(c if c.isalnum() or c in "-+." else "_" for c in name)[:200] + ".tif"
    with open(path, "wb") as file:
        file.write(bytes(content))
    image, code, message, seconds = ours(path, page)
    one, other = libtiff(path, page), tifffiles(path, page)
    said = []
    # A header may lie about a size such that nobody has the memory for a row.
    if code not in ((0, 3, 4) if name.startswith("hostile") else (0, 4)) or seconds > 1.5:
        said.append(f"exit code {code} after {seconds:.2f} s: {message}")
    # What went along no longer, and that there are more pages, are lines of their own.
    if len(message.splitlines()) > 1 and code != 0:
        said.append(f"several lines: {message!r}")
    known = [image for image in (one, other) if image is not None]
    agree = len(known) == 1 or len(known) == 2 and same(known[0], known[1], tolerance)
    if must is not None:
        if code != 4 or must not in message:
            said.append(f"not refused by name: {code} {message}")
        counts["refused"] += 1
    elif code == 4 and "does not hold exactly" in message and not any(held(image) for image in known):
        # Integers of 64 bits become doubles, or are refused by the value that none is.
        counts["refused"] += 1
    elif not known:
        counts["either"] += 1
    elif not agree:
        if code == 0 and not any(same(image, k, tolerance) for k in known + [truth] * (truth is not None)):
            said.append("the readers disagree, and this is a third picture")
        counts["either"] += 1
    elif code == 0:
        counts["exact"] += 1
        if not same(image, known[0], tolerance) and (truth is None or not same(image, truth, 0)):
            a, b = flat(image, known[0]), known[0]
            what = f"{a.shape} {a.dtype} for {b.shape} {b.dtype}"
            if a.size == b.size:
                far = np.abs(a.reshape(-1).astype(np.float64) - b.reshape(-1).astype(np.float64))
                what += f", {np.count_nonzero(far > tolerance)} samples differ, by {far.max()} at most"
            said.append("other pixels: " + what)
    elif len(known) == 1:
        # One witness is none: the other refuses, too.
        counts["alone"] += 1
        if os.environ.get("ALONE"):
            print(f"{name}: only {'libtiff' if one is not None else 'tifffile'} reads {known[0].shape}: {message}")
    else:
        said.append(f"both read {known[0].shape} {known[0].dtype}: {message}")
    if said:
        failures.append(f"{name}: {'; '.join(said)}")
        print(failures[-1], flush=True)
    if not os.environ.get("KEEP"):
        os.remove(path)


def pack_bits(data, noop=False):
    out = bytearray()
    for at in range(0, len(data), 100):
        if noop:
            out.append(128)
        part = data[at:at + 100]
        out.append(len(part) - 1)
        out += part
    return bytes(out)


def methods():
    """Everything that libtiff itself writes."""
    layouts = [["-r", "1"], ["-r", "7"], ["-r", "1000"], ["-t", "-w", "16", "-l", "32"], ["-t", "-w", "64", "-l", "16"]]
    forms = [[], ["-p", "separate"], ["-f", "lsb2msb"], ["-B"], ["-8"], ["-f", "lsb2msb", "-L"]]
    packings = ["none", "lzw", "lzw:2", "zip", "zip:2", "packbits", "zstd", "zstd:2"]
    for bands, dtype in [(1, "uint8"), (3, "uint8"), (4, "uint8"), (2, "uint16"), (3, "uint16"), (1, "int16"), (1, "uint32"),
                         (3, "int32"), (1, "float32"), (3, "float64")]:
        image = picture(bands=bands, dtype=dtype)
        tifffile.imwrite("base.tif", image if bands > 1 else image[..., 0], photometric="rgb" if bands >= 3 else "minisblack",
                         planarconfig="contig" if bands > 1 else None, metadata=None)
        for layout, form, packing in itertools.product(layouts, forms, packings):
            yield f"libtiff {bands}x{dtype} {packing} {' '.join(form + layout)}", ["-c", packing, *form, *layout]
        for packing in ("zip:3", "lzw:3") if dtype.startswith("float") else ():
            for layout, form in itertools.product(layouts, forms):
                yield f"libtiff {bands}x{dtype} {packing} {' '.join(form + layout)}", ["-c", packing, *form, *layout]
    bilevel = np.zeros((61, 131), np.uint8)
    y, x = np.mgrid[0:61, 0:131]
    bilevel[((x - 60) ** 2 + (y - 30) ** 2 < 500) | ((x * y) % 17 == 0)] = 1
    tifffile.imwrite("base.tif", bilevel.astype(bool), photometric="miniswhite", metadata=None)
    for packing in ("none", "packbits", "lzw", "zip", "g3", "g3:2d", "g3:1d", "g3:fill", "g3:2d:fill", "g4"):
        for layout, form in itertools.product(layouts, [[], ["-f", "lsb2msb"], ["-B"], ["-8"]]):
            yield f"libtiff bilevel {packing} {' '.join(form + layout)}", ["-c", packing, *form, *layout]


def run_methods():
    # A sample of them unless all are asked for: they are some thousands.
    every = int(os.environ.get("EVERY", "7"))
    for index, (name, words) in enumerate(methods()):
        if index % every and not wanted:
            continue
        if wanted and not any(part in name for part in wanted):
            continue
        done = subprocess.run(["tiffcp", *words, "base.tif", "made.tif"], capture_output=True)
        if done.returncode == 0 and os.path.exists("made.tif"):
            with open("made.tif", "rb") as file:
                content = file.read()
            judge(name, content)
            os.remove("made.tif")
    for bands, quality in itertools.product((1, 3), (30, 90)):
        image = picture(61, 83, bands)
        tifffile.imwrite("base.tif", image if bands > 1 else image[..., 0], photometric="rgb" if bands == 3 else "minisblack", metadata=None)
        for layout, raw in itertools.product((["-r", "8"], ["-r", "16"], ["-r", "1000"], ["-t", "-w", "16", "-l", "16"], ["-t", "-w", "48", "-l", "32"]),
                                             ("", ":r")):
            words = ["-c", f"jpeg:{quality}{raw}", *layout]
            done = subprocess.run(["tiffcp", *words, "base.tif", "made.tif"], capture_output=True)
            if done.returncode == 0:
                with open("made.tif", "rb") as file:
                    judge(f"libtiff jpeg {bands} {' '.join(words)}", file.read(), tolerance=1)


def run_fields():
    """Fields that are missing, doubled, of other types, or not true."""
    grey, rgb = picture(), picture(bands=3)
    pack = lambda data: zlib.compress(data)
    for label, image, kwargs in [("grey", grey, {}), ("rgb", rgb, {}), ("deflate", rgb, dict(encode=pack, compression=8)),
                                 ("packbits", grey, dict(encode=pack_bits, compression=32773)), ("MM", rgb, dict(order=">")),
                                 ("big", grey, dict(big=True))]:
        one = dict(kwargs, rows_per_strip=37)
        several = simple(image, **kwargs)
        judge(f"{label}: RowsPerStrip is missing, one strip", simple(image, without=[278], **one))
        judge(f"{label}: RowsPerStrip is 0, one strip", simple(image, more=[(278, LONG, [0])], **one))
        judge(f"{label}: RowsPerStrip is 2^32-1, one strip", simple(image, more=[(278, LONG, [0xffffffff])], **one))
        judge(f"{label}: RowsPerStrip is 1000, one strip", simple(image, more=[(278, SHORT, [1000])], **one))
        judge(f"{label}: StripByteCounts is missing, one strip", simple(image, without=[279], **one))
        judge(f"{label}: StripByteCounts is missing", simple(image, without=[279], **kwargs))
        judge(f"{label}: StripByteCounts is 0, one strip", simple(image, more=[(279, LONG, [0])], **one))
        judge(f"{label}: StripByteCounts is too large, one strip", simple(image, more=[(279, LONG, [1 << 30])], **one))
        judge(f"{label}: StripByteCounts is one byte too large", simple(image, more=[(279, LONG, [n + 1 for n in several.sizes])], **kwargs))
        judge(f"{label}: a byte count is too small", simple(image, more=[(279, LONG, [several.sizes[0] // 2] + several.sizes[1:])], **kwargs))
        judge(f"{label}: StripOffsets has an entry too many", simple(image, more=[(273, LONG, several.offsets + [8]), (279, LONG, several.sizes + [1])], **kwargs))
        judge(f"{label}: StripOffsets has an entry too few", simple(image, more=[(273, LONG, several.offsets[:-1])], **kwargs))
        judge(f"{label}: StripByteCounts has an entry too few", simple(image, more=[(279, LONG, several.sizes[:-1])], **kwargs))
        judge(f"{label}: offsets as SHORT", simple(image, more=[(273, SHORT, several.offsets), (279, SHORT, several.sizes)], **kwargs))
        judge(f"{label}: offsets as LONG8", simple(image, more=[(273, LONG8, several.offsets), (279, LONG8, several.sizes)], **kwargs))
        judge(f"{label}: offsets as SLONG", simple(image, more=[(273, SLONG, several.offsets)], **kwargs))
        judge(f"{label}: offsets as FLOAT", simple(image, more=[(273, FLOAT, several.offsets)], **kwargs))
        judge(f"{label}: sizes as BYTE", simple(image, more=[(256, BYTE, [53]), (257, BYTE, [37])], **kwargs))
        judge(f"{label}: sizes as SHORT", simple(image, more=[(256, SHORT, [53]), (257, SHORT, [37])], **kwargs))
        judge(f"{label}: sizes as SLONG", simple(image, more=[(256, SLONG, [53]), (257, SLONG, [37])], **kwargs))
        judge(f"{label}: sizes as ASCII", simple(image, more=[(256, ASCII, b"53\0")], **kwargs))
        judge(f"{label}: sizes with two values", simple(image, more=[(256, LONG, [53, 99]), (257, LONG, [37, 99])], **kwargs))
        judge(f"{label}: BitsPerSample is missing", simple(image, without=[258], **kwargs))
        judge(f"{label}: BitsPerSample has one value", simple(image, more=[(258, SHORT, [8])], **kwargs))
        judge(f"{label}: BitsPerSample has five values", simple(image, more=[(258, SHORT, [8] * 5)], **kwargs))
        judge(f"{label}: BitsPerSample as LONG", simple(image, more=[(258, LONG, [8] * image.shape[2])], **kwargs))
        judge(f"{label}: SampleFormat has one value", simple(image, more=[(339, SHORT, [1])], **kwargs))
        judge(f"{label}: SampleFormat is void", simple(image, more=[(339, SHORT, [4] * image.shape[2])], **kwargs))
        judge(f"{label}: SampleFormat is 0", simple(image, more=[(339, SHORT, [0] * image.shape[2])], **kwargs))
        judge(f"{label}: SampleFormat is 77", simple(image, more=[(339, SHORT, [77] * image.shape[2])], **kwargs))
        judge(f"{label}: PhotometricInterpretation is missing", simple(image, without=[262], **kwargs))
        judge(f"{label}: PhotometricInterpretation is 99", simple(image, more=[(262, SHORT, [99])], **kwargs))
        file = simple(image, without=[277], **kwargs)
        # Of each strip what one band needs; libtiff gets the end of rows wrong that it inflates in part.
        file.truth = np.concatenate([image[top:top + 10].reshape(-1)[:53 * len(image[top:top + 10])] for top in range(0, 37, 10)])
        judge(f"{label}: SamplesPerPixel is missing", file)
        judge(f"{label}: Compression is missing", simple(image, without=[259], **kwargs))
        judge(f"{label}: Compression is 0", simple(image, more=[(259, SHORT, [0])], **kwargs))
        judge(f"{label}: PlanarConfiguration is 0", simple(image, more=[(284, SHORT, [0])], **kwargs))
        judge(f"{label}: PlanarConfiguration is 3", simple(image, more=[(284, SHORT, [3])], **kwargs))
        judge(f"{label}: FillOrder is 0", simple(image, more=[(266, SHORT, [0])], **kwargs))
        judge(f"{label}: FillOrder is 3", simple(image, more=[(266, SHORT, [3])], **kwargs))
        judge(f"{label}: Orientation is 9", simple(image, more=[(274, SHORT, [9])], **kwargs))
        judge(f"{label}: Predictor is 0", simple(image, more=[(317, SHORT, [0])], **kwargs))
        judge(f"{label}: Predictor is 5", simple(image, more=[(317, SHORT, [5])], **kwargs))
        judge(f"{label}: entries out of order", simple(image, sort=False, more=[(256, LONG, [53]), (254, LONG, [0])], **kwargs))
        judge(f"{label}: the next directory lies outside", simple(image, next=0x7fffffff, **kwargs))
        judge(f"{label}: the next directory is this one", simple(image, next=several.at, **kwargs))
        judge(f"{label}: private fields of unknown types", simple(image, more=[(65000, 99, 3, b"abc"), (65001, 0, 1, b"")], **kwargs))
        judge(f"{label}: a description outside the file", simple(image, more=[(270, ASCII, 1 << 30, b"\xff\xff\xff\x7f")], **kwargs))
        judge(f"{label}: a profile outside the file", simple(image, more=[(34675, UNDEFINED, 1 << 31, b"\xff\xff\xff\x7f")], **kwargs))
        judge(f"{label}: a resolution without denominator", simple(image, more=[(282, RATIONAL, [72, 0]), (283, RATIONAL, [0, 0])], **kwargs))
        judge(f"{label}: ExtraSamples of 2 for no extra band", simple(image, more=[(338, SHORT, [2])], **kwargs))
        judge(f"{label}: bytes behind the file's end", simple(image, **kwargs).bytes + b"garbage" * 99)
        judge(f"{label}: the last byte is missing of the data", truncated(image, 1, **kwargs))
        judge(f"{label}: half of the last strip is missing", truncated(image, 200, **kwargs))
        doubled = simple(image, **kwargs)
        judge(f"{label}: fields twice", twice(image, **kwargs))
    for bands, extra, meaning in [(2, [0], 1), (2, [1], 1), (5, [0, 0], 2), (4, [], 5), (4, [], 2), (5, [0], 5), (6, [0] * 5, 1), (6, [0] * 3, 2)]:
        image = picture(bands=bands)
        more = [(262, SHORT, [meaning])] + ([(338, SHORT, extra)] if extra else [])
        judge(f"{bands} bands, photometric {meaning}, {len(extra)} extra", simple(image, without=[338], more=more))
    for bits in (1, 2, 4, 8):
        values = picture(20, 33)[..., 0] & ((1 << bits) - 1)
        rows = [np.packbits(np.unpackbits(row[:, None], axis=1)[:, 8 - bits:].reshape(-1)).tobytes() for row in values]
        file = File()
        at = file.data(b"".join(rows))
        colours = [i * 257 % 65536 for i in range(3 << bits)]
        base = [(256, LONG, [33]), (257, LONG, [20]), (258, SHORT, [bits]), (259, SHORT, [1]), (273, LONG, [at]), (277, SHORT, [1]),
                (278, LONG, [20]), (279, LONG, [sum(map(len, rows))])]
        for name, more in [("palette", [(262, SHORT, [3]), (320, SHORT, colours)]), ("palette without colours", [(262, SHORT, [3])]),
                           ("min is white", [(262, SHORT, [0])]), ("mask", [(262, SHORT, [4])])]:
            copy = File()
            copy.bytes, copy.link = bytearray(file.bytes), file.link
            copy.directory(base + more)
            judge(f"{bits} bits, {name}", copy.bytes)


def truncated(image, missing, order="<", big=False, rows_per_strip=10, encode=bytes, compression=1):
    """The directory first, the data behind, without its last bytes."""
    parts = [encode(np.ascontiguousarray(image[top:top + rows_per_strip]).tobytes()) for top in range(0, len(image), rows_per_strip)]
    at, offsets = 4096, []
    for part in parts:
        offsets.append(at)
        at += len(part)
    file = File(order, big)
    file.directory([(256, LONG, [image.shape[1]]), (257, LONG, [image.shape[0]]), (258, SHORT, [8] * image.shape[2]), (259, SHORT, [compression]),
                    (262, SHORT, [2 if image.shape[2] == 3 else 1]), (273, LONG, offsets), (277, SHORT, [image.shape[2]]), (278, LONG, [rows_per_strip]),
                    (279, LONG, [len(part) for part in parts])])
    return bytes(file.bytes).ljust(4096, b"\0") + b"".join(parts)[:-missing]


def twice(image, **kwargs):
    file = simple(image, **kwargs)
    other = File(kwargs.get("order", "<"), kwargs.get("big", False))
    other.bytes, other.offsets = bytearray(file.bytes), file.offsets
    other.directory([(256, LONG, [53]), (256, LONG, [7]), (257, LONG, [37]), (257, LONG, [9]), (258, SHORT, [8] * image.shape[2]),
                     (259, SHORT, [kwargs.get("compression", 1)]), (262, SHORT, [2 if image.shape[2] == 3 else 1]), (273, LONG, file.offsets),
                     (277, SHORT, [image.shape[2]]), (278, LONG, [10]), (279, LONG, file.sizes)], sort=False)
    return other.bytes


def run_streams():
    """Streams as other encoders make them."""
    image = picture()
    raw = image.tobytes()
    cases = {
        "deflate without checksum": (8, lambda d: zlib.compress(d)[:-4]),
        "deflate with a wrong checksum": (8, lambda d: zlib.compress(d)[:-4] + b"abcd"),
        "deflate with bytes behind": (8, lambda d: zlib.compress(d) + b"garbage"),
        "deflate stored": (8, lambda d: zlib.compress(d, 0)),
        "deflate with a longer stream": (8, lambda d: zlib.compress(d + b"more than fits" * 9)),
        "deflate with a shorter stream": (8, lambda d: zlib.compress(d[:-20])),
        "deflate without its header": (8, lambda d: zlib.compress(d)[2:-4]),
        "deflate with flushes": (8, flushed),
        "adobe deflate 32946": (32946, zlib.compress),
        "deflate as gzip": (8, lambda d: __import__("gzip").compress(d)),
        "packbits with no-operations": (32773, lambda d: pack_bits(d, True)),
        "packbits over the rows": (32773, lambda d: pack_bits(d)),
        "packbits with bytes behind": (32773, lambda d: pack_bits(d) + b"\x01\x02\x03"),
        "packbits cut": (32773, lambda d: pack_bits(d)[:-3]),
        "packbits with a longer stream": (32773, lambda d: pack_bits(d + b"moremore")),
        "lzw": (5, lambda d: imagecodecs.lzw_encode(d)),
        "lzw with bytes behind": (5, lambda d: imagecodecs.lzw_encode(d) + b"garbage"),
        "lzw without its end": (5, lambda d: imagecodecs.lzw_encode(d)[:-2]),
        "lzw with a longer stream": (5, lambda d: imagecodecs.lzw_encode(d + b"more")),
        "lzw with a shorter stream": (5, lambda d: imagecodecs.lzw_encode(d[:-9])),
        "zstd": (50000, lambda d: imagecodecs.zstd_encode(d)),
        "zstd in two frames": (50000, lambda d: imagecodecs.zstd_encode(d[:100]) + imagecodecs.zstd_encode(d[100:])),
        "zstd with bytes behind": (50000, lambda d: imagecodecs.zstd_encode(d) + b"garbage"),
        "zstd cut": (50000, lambda d: imagecodecs.zstd_encode(d)[:-9]),
    }
    for name, (number, encode) in cases.items():
        for rows in (10, 37):
            judge(f"{name}, strips of {rows}", simple(image, encode=encode, compression=number, rows_per_strip=rows))
        judge(f"{name}, from the low end", simple(image, encode=lambda d: reverse_bits(encode(d)), compression=number, more=[(266, SHORT, [2])]))
    for name, number in [("lzma", 34925), ("webp", 50001), ("lerc", 34887), ("old jpeg", 6), ("next", 32766), ("thunderscan", 32809), ("sgilog", 34676),
                         ("jbig", 34661), ("jpeg 2000", 34712), ("pixarlog", 32909), ("unknown", 12345), ("dcs", 32947), ("jpeg xl", 52546)]:
        judge(f"{name} is refused by name", simple(image, compression=number).bytes, must="compression")


def flushed(data):
    packer = zlib.compressobj()
    return b"".join(packer.compress(data[at:at + 50]) + packer.flush(zlib.Z_FULL_FLUSH) for at in range(0, len(data), 50)) + packer.flush()


def reverse_bits(data):
    return bytes(int(f"{byte:08b}"[::-1], 2) for byte in data)


def run_jpeg():
    """JPEG as other encoders make it."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[0:64, 0:80]
    rgb = np.stack([x * 3 % 256, y * 4 % 256, (x + y) % 256], -1).astype(np.uint8)
    grey = rgb[..., 0].copy()

    def file(units, photometric, bands, strip_rows=64, tile=None, more=(), rows=64, cols=80):
        made = File()
        offsets = [made.data(unit) for unit in units]
        sizes = [len(unit) for unit in units]
        fields = [(256, LONG, [cols]), (257, LONG, [rows]), (258, SHORT, [8] * bands), (259, SHORT, [7]), (262, SHORT, [photometric]), (277, SHORT, [bands])]
        if tile:
            fields += [(322, SHORT, [tile[0]]), (323, SHORT, [tile[1]]), (324, LONG, offsets), (325, LONG, sizes)]
        else:
            fields += [(273, LONG, offsets), (278, LONG, [strip_rows]), (279, LONG, sizes)]
        made.directory([f for f in fields if f[0] not in {m[0] for m in more}] + list(more))
        return made.bytes

    def encode(image, **how):
        return imagecodecs.jpeg8_encode(np.ascontiguousarray(image), **how)

    for sub in ("444", "422", "420", "440", "411"):
        code = {"444": [1, 1], "422": [2, 1], "420": [2, 2], "440": [1, 2], "411": [4, 1]}[sub]
        for optimize in (False, True):
            stream = encode(rgb, level=85, subsampling=sub, optimize=optimize)
            judge(f"jpeg {sub}, one strip, optimize {optimize}", file([stream], 6, 3, more=[(530, SHORT, code)]), tolerance=1)
        judge(f"jpeg {sub} without YCbCrSubsampling", file([encode(rgb, level=85, subsampling=sub)], 6, 3), tolerance=1)
        strips = [encode(rgb[top:top + 16], level=85, subsampling=sub) for top in range(0, 64, 16)]
        judge(f"jpeg {sub}, strips of 16", file(strips, 6, 3, 16, more=[(530, SHORT, code)]), tolerance=1)
        odd = [encode(rgb[top:min(top + 16, 55)], level=85, subsampling=sub) for top in range(0, 55, 16)]
        judge(f"jpeg {sub}, last strip of 7 rows", file(odd, 6, 3, 16, more=[(530, SHORT, code)], rows=55), tolerance=1)
        full = [encode(rgb[top:top + 16], level=85, subsampling=sub) for top in range(0, 64, 16)]
        judge(f"jpeg {sub}, last strip higher than its rows", file(full, 6, 3, 16, more=[(530, SHORT, code)], rows=55), tolerance=1)
        tiles = [encode(rgb[t:t + 32, l:l + 32], level=85, subsampling=sub) for t in range(0, 64, 32) for l in range(0, 64, 32)]
        judge(f"jpeg {sub}, tiles", file(tiles, 6, 3, tile=(32, 32), more=[(530, SHORT, code)], cols=64), tolerance=1)
        edge = [encode(np.pad(rgb, ((0, 0), (0, 16), (0, 0)))[t:t + 32, l:l + 32], level=85, subsampling=sub) for t in range(0, 64, 32) for l in range(0, 96, 32)]
        judge(f"jpeg {sub}, tiles beyond the edge", file(edge, 6, 3, tile=(32, 32), more=[(530, SHORT, code)]), tolerance=1)
    judge("jpeg grey", file([encode(grey, level=85)], 1, 1), tolerance=1)
    judge("jpeg grey, min is white", file([encode(grey, level=85)], 0, 1), tolerance=1)
    judge("jpeg of RGB as it is", file([encode(rgb, level=85, colorspace="RGB", outcolorspace="RGB")], 2, 3), tolerance=1)
    cmyk = np.concatenate([rgb, 255 - rgb[..., :1]], -1)
    judge("jpeg of CMYK", file([encode(cmyk, level=85, colorspace="CMYK", outcolorspace="CMYK")], 5, 4), tolerance=1)
    stream = encode(rgb, level=85, subsampling="420")
    judge("jpeg with an end too many", file([stream + b"\xff\xd9"], 6, 3, more=[(530, SHORT, [2, 2])]), tolerance=1)
    judge("jpeg without its end", file([stream[:-2]], 6, 3, more=[(530, SHORT, [2, 2])]), tolerance=1)
    judge("jpeg with bytes behind", file([stream + b"garbage"], 6, 3, more=[(530, SHORT, [2, 2])]), tolerance=1)
    judge("jpeg cut", file([stream[:len(stream) // 2]], 6, 3, more=[(530, SHORT, [2, 2])]), tolerance=1)
    judge("jpeg wider than the strip", file([encode(np.pad(rgb, ((0, 0), (0, 16), (0, 0))), level=85)], 6, 3), tolerance=1)
    judge("jpeg narrower than the strip", file([encode(rgb[:, :64], level=85)], 6, 3), tolerance=1)
    judge("jpeg lower than the strip", file([encode(rgb[:48], level=85)], 6, 3), tolerance=1)
    judge("jpeg higher than the strip", file([encode(np.pad(rgb, ((0, 16), (0, 0), (0, 0))), level=85)], 6, 3), tolerance=1)
    judge("jpeg grey where three bands are said", file([encode(grey, level=85)], 6, 3), tolerance=1)
    judge("jpeg rgb where one band is said", file([stream], 1, 1), tolerance=1)
    judge("jpeg without pictures", file([b"\xff\xd8\xff\xd9"], 6, 3), tolerance=1)
    judge("jpeg of nothing", file([b"\0" * 64], 6, 3), tolerance=1)
    # The tables in the field, and none in the strips.
    tables, rest = split_tables(encode(rgb, level=85, subsampling="420"))
    judge("jpeg with tables in the field", file([rest], 6, 3, more=[(347, UNDEFINED, tables), (530, SHORT, [2, 2])]), tolerance=1)
    judge("jpeg without tables", file([rest], 6, 3, more=[(530, SHORT, [2, 2])]), tolerance=1)
    judge("jpeg with tables cut", file([rest], 6, 3, more=[(347, UNDEFINED, tables[:40]), (530, SHORT, [2, 2])]), tolerance=1)
    judge("jpeg with tables of garbage", file([rest], 6, 3, more=[(347, UNDEFINED, b"\x5a" * 90), (530, SHORT, [2, 2])]), tolerance=1)
    judge("jpeg with tables twice", file([stream], 6, 3, more=[(347, UNDEFINED, tables), (530, SHORT, [2, 2])]), tolerance=1)


def split_tables(stream):
    """A stream's tables as a stream of their own, and the stream without them."""
    tables, rest, at = b"\xff\xd8", b"\xff\xd8", 2
    while stream[at + 1] != 0xda:
        size = 2 + int.from_bytes(stream[at + 2:at + 4], "big")
        if stream[at + 1] in (0xdb, 0xc4):
            tables += stream[at:at + size]
        else:
            rest += stream[at:at + size]
        at += size
    return tables + b"\xff\xd9", rest + stream[at:]


def run_tiles():
    """Tiles of odd sizes, tables under the other tags, planes, and samples of odd widths."""
    def tiled(image, tile, planar=False, encode=bytes, compression=1, more=(), without=(), order="<"):
        rows, cols, bands = image.shape
        height, width = tile
        padded = np.zeros((-(-rows // height) * height, -(-cols // width) * width, bands), image.dtype)
        padded[:rows, :cols] = image
        file, offsets, sizes = File(order), [], []
        planes = [padded[..., b:b + 1] for b in range(bands)] if planar else [padded]
        for plane in planes:
            for top in range(0, rows, height):
                for left in range(0, cols, width):
                    part = np.ascontiguousarray(plane[top:top + height, left:left + width])
                    data = encode(part.astype(image.dtype.newbyteorder(order)).tobytes())
                    offsets.append(file.data(data, 2))
                    sizes.append(len(data))
        entries = {256: (LONG, [cols]), 257: (LONG, [rows]), 258: (SHORT, [image.dtype.itemsize * 8] * bands), 259: (SHORT, [compression]),
                   262: (SHORT, [2 if bands >= 3 else 1]), 277: (SHORT, [bands]), 284: (SHORT, [2 if planar else 1]), 322: (SHORT, [width]),
                   323: (SHORT, [height]), 324: (LONG, offsets), 325: (LONG, sizes)}
        if image.dtype.kind != "u":
            entries[339] = (SHORT, [{"i": 2, "f": 3}[image.dtype.kind]] * bands)
        if bands in (2, 4):
            entries[338] = (SHORT, [2])
        for tag in without:
            entries.pop(tag)
        listed = [(tag, *rest) for tag, rest in entries.items() if tag not in {m[0] for m in more}] + [m for m in more]
        file.directory(listed)
        file.offsets, file.sizes, file.truth = offsets, sizes, image
        return file

    for bands, dtype, order in itertools.product((1, 3, 4), ("uint8", "uint16", "float32"), "<>"):
        image = picture(bands=bands, dtype=dtype)
        for tile, planar in itertools.product(((16, 16), (32, 16), (7, 13), (64, 64), (1, 53), (37, 1)), (False, True)):
            name = f"tiles {tile} {bands}x{dtype} {order} {'planar' if planar else ''}"
            judge(name, tiled(image, tile, planar, order=order))
            judge(name + " deflate", tiled(image, tile, planar, zlib.compress, 8, order=order))
    image = picture(bands=3)
    made = tiled(image, (16, 16))
    judge("tiles under the tags of strips", tiled(image, (16, 16), more=[(273, LONG, made.offsets), (279, LONG, made.sizes)], without=[324, 325]))
    judge("tiles without sizes", tiled(image, (16, 16), without=[325]))
    judge("tiles without sizes, deflate", tiled(image, (16, 16), encode=zlib.compress, compression=8, without=[325]))
    judge("tiles with sizes of 0", tiled(image, (16, 16), more=[(325, LONG, [0] * len(made.sizes))]))
    judge("tiles with RowsPerStrip", tiled(image, (16, 16), more=[(278, LONG, [5])]))
    judge("tiles, all the same one", tiled(image, (16, 16), more=[(324, LONG, [made.offsets[0]] * len(made.offsets))]).bytes)
    judge("tiles, width missing", tiled(image, (16, 16), without=[322]))
    judge("tiles that are not stored", tiled(image, (16, 16), more=[(324, LONG, [0] * len(made.offsets)), (325, LONG, [0] * len(made.sizes))]).bytes)
    for order, dtype, predictor in itertools.product("<>", ("uint8", "uint16", "uint32", "uint64", "int16", "float32", "float64"), (2, 3)):
        if (predictor == 3) != dtype.startswith("float"):
            continue
        for bands in (1, 3):
            image = picture(bands=bands, dtype=dtype) if dtype != "uint64" else picture(bands=bands, dtype="uint32").astype("uint64")
            def encode(data, image=image, bands=bands):
                rows = np.frombuffer(data, image.dtype.newbyteorder(order)).astype(image.dtype).reshape(-1, image.shape[1], bands)
                if predictor == 2:
                    rows = np.concatenate([rows[:, :1], np.diff(rows, axis=1)], 1)
                    return zlib.compress(rows.astype(image.dtype.newbyteorder(order)).tobytes())
                split = rows.astype(image.dtype.newbyteorder(">")).view(np.uint8).reshape(len(rows), -1, image.dtype.itemsize)
                split = np.moveaxis(split, -1, 1).reshape(len(rows), -1, bands)
                return zlib.compress(np.concatenate([split[:, :1], np.diff(split, axis=1)], 1).tobytes())
            judge(f"predictor {predictor} of {bands}x{dtype} {order}", simple(image, order=order, encode=encode, compression=8, more=[(317, SHORT, [predictor])]))
    for bits, bands, signed in itertools.product((1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 20, 24, 31), (1, 3), (False, True)):
        rng = np.random.default_rng(bits)
        values = rng.integers(0, 1 << bits, (11, 23 * bands), dtype=np.int64)
        rows = ["".join(f"{v:0{bits}b}" for v in row) for row in values]
        data = b"".join(int(row.ljust(-(-len(row) // 8) * 8, "0"), 2).to_bytes(-(-len(row) // 8), "big") for row in rows)
        for packing in (1, 8):
            file = File()
            stored = zlib.compress(data) if packing == 8 else data
            at = file.data(stored)
            file.directory([(256, LONG, [23]), (257, LONG, [11]), (258, SHORT, [bits] * bands), (259, SHORT, [packing]), (262, SHORT, [2 if bands == 3 else 1]),
                            (273, LONG, [at]), (277, SHORT, [bands]), (278, LONG, [11]), (279, LONG, [len(stored)]), (339, SHORT, [2 if signed else 1] * bands)])
            file.truth = None if signed else values
            judge(f"{bits} bits, {bands} bands, {'signed' if signed else 'unsigned'}, compression {packing}", file)


def run_hostile():
    """Headers that lie: nothing may be believed, and everything is answered soon."""
    image = picture(bands=3)
    base = simple(image)
    lies = {
        "ImageWidth is 0": [(256, LONG, [0])], "ImageLength is 0": [(257, LONG, [0])], "ImageWidth is 2^32-1": [(256, LONG, [0xffffffff])],
        "ImageLength is 2^32-1": [(257, LONG, [0xffffffff])], "both sizes are 2^32-1": [(256, LONG, [0xffffffff]), (257, LONG, [0xffffffff])],
        "ImageLength is 2^32-1 of one-row strips": [(257, LONG, [0xffffffff]), (278, LONG, [1])],
        "SamplesPerPixel is 0": [(277, SHORT, [0])], "SamplesPerPixel is 65535": [(277, SHORT, [65535])],
        "65535 planes": [(277, SHORT, [65535]), (284, SHORT, [2])], "BitsPerSample is 0": [(258, SHORT, [0] * 3)],
        "BitsPerSample is 65535": [(258, SHORT, [65535] * 3)], "BitsPerSample differs": [(258, SHORT, [8, 16, 8])],
        "2^32-1 strips": [(273, LONG, 0xffffffff, b"\x08\0\0\0")], "2^30 strips": [(273, LONG, 1 << 30, b"\x08\0\0\0"), (279, LONG, 1 << 30, b"\x08\0\0\0")],
        "strips outside": [(273, LONG, [0xfffffff0] * 4)], "strips at the header": [(273, LONG, [0] * 4)], "strips over each other": [(273, LONG, [8] * 4)],
        "strips over the directory": [(273, LONG, [base.at] * 4)], "no strips": [(273, LONG, 0, b"")], "strips as text": [(273, ASCII, b"abcd")],
        "tiles of 0": [(322, SHORT, [0]), (323, SHORT, [0])], "tiles of 2^32-1": [(322, LONG, [0xffffffff]), (323, LONG, [0xffffffff])],
        "tiles of 2^31 by 16": [(322, LONG, [1 << 31]), (323, LONG, [16])], "tiles of one pixel": [(322, LONG, [1]), (323, LONG, [1])],
        "RowsPerStrip of a text": [(278, ASCII, b"10\0")], "a tile's width of two": [(322, LONG, [16, 16]), (323, LONG, [16, 16])],
        "jpeg of nothing": [(259, SHORT, [7])], "jpeg with tables outside": [(259, SHORT, [7]), (347, UNDEFINED, 1 << 30, b"\x08\0\0\0")],
        "fax of colour": [(259, SHORT, [4])], "fax of noise": [(259, SHORT, [4]), (258, SHORT, [1]), (277, SHORT, [1]), (262, SHORT, [0])],
        "fax 3 of noise": [(259, SHORT, [3]), (258, SHORT, [1]), (277, SHORT, [1]), (262, SHORT, [0]), (292, LONG, [1])],
        "huffman of noise": [(259, SHORT, [2]), (258, SHORT, [1]), (277, SHORT, [1]), (262, SHORT, [0])],
        "lzw of noise": [(259, SHORT, [5])], "deflate of noise": [(259, SHORT, [8])], "zstd of noise": [(259, SHORT, [50000])], "packbits of noise": [(259, SHORT, [32773])],
        "YCbCr of 7 by 9": [(262, SHORT, [6]), (530, SHORT, [7, 9])], "YCbCr of 0 by 0": [(262, SHORT, [6]), (530, SHORT, [0, 0])], "YCbCr of 4 by 4": [(262, SHORT, [6]), (530, SHORT, [4, 4])],
        "a palette of RGB": [(262, SHORT, [3]), (320, SHORT, [0] * 768)], "SubIFDs at itself": [(330, LONG, [8])], "SubIFDs at the directory": [(330, LONG, [base.at])],
        "2^31 SubIFDs": [(330, LONG, 1 << 31, b"\x08\0\0\0")], "NewSubfileType as text": [(254, ASCII, b"x\0")], "Orientation as text": [(274, ASCII, b"6\0")],
        "no data as garbage": [(42113, ASCII, b"nan-nan\0")], "Predictor of 40000": [(317, SHORT, [40000]), (259, SHORT, [8])],
    }
    for name, more in lies.items():
        for order, big in itertools.product("<>", (False, True)):
            if big and any(len(entry) == 4 for entry in more):
                continue
            judge(f"hostile: {name} {order}{' big' if big else ''}", simple(image, order=order, big=big, more=more).bytes)
    pair = simple(image)
    back = pair.at
    pair.directory([(256, LONG, [5]), (257, LONG, [5]), (258, SHORT, [8]), (262, SHORT, [1]), (273, LONG, [8]), (277, SHORT, [1]), (279, LONG, [25])], next=back)
    judge("hostile: two directories in a circle", pair)
    for size in range(1, 40):
        judge(f"hostile: the first {size} bytes", bytes(base.bytes[:size]))
    for at in (0, 1, 4, 8, base.at - 1, base.at + 1, len(base.bytes) - 2, len(base.bytes), 0x7fffffff, 0xffffffff):
        judge(f"hostile: the directory at {at}", bytes(base.bytes[:4]) + struct.pack("<I", at) + bytes(base.bytes[8:]))
    judge("hostile: 65535 entries", b"II*\0\x08\0\0\0\xff\xff" + bytes(12) * 65535 + bytes(4))
    judge("hostile: 65535 entries of one tag", b"II*\0\x08\0\0\0\xff\xff" + struct.pack("<HHII", 256, 4, 1, 5) * 65535 + bytes(4))
    judge("hostile: a BigTIFF of 2^63 entries", b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0" + struct.pack("<Q", 1 << 63) + bytes(99))
    judge("hostile: a BigTIFF with offsets of 4", b"II+\0\x04\0\0\0\x10\0\0\0\0\0\0\0" + bytes(99))
    chain = bytearray(b"II*\0\x08\0\0\0")
    for index in range(20000):
        chain += struct.pack("<HHHIII", 1, 256, 4, 1, 1, 8 + (index + 1) * 18)
    judge("hostile: 20000 directories without pictures", bytes(chain))


def run_damage(rounds=int(os.environ.get("ROUNDS", "300"))):
    """Bytes changed at random in files of every layout, seeded: an answer within the second, in one line, in 64 MiB."""
    rng = random.Random(20)
    image = picture(bands=3)
    seeds = [bytes(simple(image, **kwargs).bytes) for kwargs in (
        {}, dict(encode=zlib.compress, compression=8), dict(encode=pack_bits, compression=32773), dict(big=True), dict(order=">"),
        dict(encode=lambda d: imagecodecs.lzw_encode(d), compression=5), dict(encode=lambda d: imagecodecs.zstd_encode(d), compression=50000))]
    for words in (["-c", "g3:2d"], ["-c", "g4"], ["-c", "g3"]):
        tifffile.imwrite("base.tif", (picture(61, 131)[..., 0] > 128), photometric="miniswhite", metadata=None)
        subprocess.run(["tiffcp", *words, "base.tif", "made.tif"], check=True)
        seeds.append(open("made.tif", "rb").read())
    tifffile.imwrite("base.tif", image, photometric="rgb", metadata=None)
    for words in (["-c", "jpeg"], ["-c", "jpeg", "-t", "-w", "16", "-l", "16"], ["-c", "zip", "-t", "-w", "16", "-l", "16", "-p", "separate"]):
        subprocess.run(["tiffcp", *words, "base.tif", "made.tif"], check=True)
        seeds.append(open("made.tif", "rb").read())
    extremes = (0, 1, 2, 0x7f, 0x80, 0xfe, 0xff)
    for number in range(rounds):
        content = bytearray(rng.choice(seeds))
        for _ in range(rng.randrange(1, 6)):
            # Half of the changes hit the directory, which is behind the data.
            at = rng.randrange(len(content)) if rng.random() < 0.5 else rng.randrange(max(0, len(content) - 220), len(content))
            width = rng.choice((1, 1, 2, 4))
            for place in range(at, min(at + width, len(content))):
                content[place] = rng.choice(extremes) if rng.random() < 0.7 else rng.randrange(256)
        if rng.random() < 0.2:
            del content[rng.randrange(len(content)):]
        name = f"damage {number}"
        if wanted and not any(part in name for part in wanted):
            continue
        with open("damaged.tif", "wb") as file:
            file.write(content)
        image_, code, message, seconds = ours("damaged.tif")
        counts["either"] += 1
        if code not in (0, 2, 3, 4) or seconds > 1.5 or len(message.splitlines()) > 1:
            failures.append(f"{name}: exit code {code} after {seconds:.2f} s: {message[:300]}")
            print(failures[-1], flush=True)
            with open(f"damage-{number}.tif", "wb") as file:
                file.write(content)


def run_writers():
    """Files of other programs, page by page."""
    for name, path, know in writers.cases(wanted):
        with open(path, "rb") as file:
            judge(name, file.read(), **know)


run_writers()
run_fields()
run_streams()
run_jpeg()
run_tiles()
run_hostile()
run_methods()
run_damage()
print(f"odd: {counts['exact']} read as others read them, {counts['refused']} refused by name, {counts['either']} where others refuse, differ or "
      f"are not asked, {counts['alone']} refused that one of them reads, {len(failures)} otherwise; at most {counts['peak_kib']} KiB resident")
sys.exit(1 if failures else 0)
