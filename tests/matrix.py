"""Writes every combination of kind, bands, layout, compression, pyramid and size of offsets, and reads each with libtiff's
tools, GDAL, libvips and tifffile. The pixels are numpy's; so are the smaller copies they are compared with.

usage: matrix.py PLIMSOLL [PART OF A NAME ...]      Exit code 1 if one combination fails.
"""
import itertools
import os
import subprocess
import sys
import tempfile

import numpy as np
import pyvips
import tifffile

sys.path.append("/usr/lib/python3/dist-packages")  # where Debian's GDAL is, behind the newer numpy
from osgeo import gdal

pyvips.cache_set_max(0)  # names of files are used again
gdal.UseExceptions()
gdal.SetConfigOption("GDAL_PAM_ENABLED", "NO")
plimsoll, wanted = sys.argv[1], sys.argv[2:]
folder = tempfile.TemporaryDirectory(prefix="matrix-")
os.chdir(folder.name)

ROWS, COLS = 150, 209
KINDS = ("uint8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64")
BANDS = (1, 3, 4)
LAYOUTS = {"strips": [], "tiles": ["--tile", "64"]}
COMPRESSIONS = ("none", "lzw", "deflate", "zstd", "zstd:19")
PYRAMIDS = ("none", "subifd", "pages")
failures = []


def picture(kind, bands):
    """Smooth and rough parts, every exponent for floats, both ends of the range for integers."""
    rng = np.random.default_rng(7)
    y, x, b = np.mgrid[0:ROWS, 0:COLS, 0:bands]
    smooth = x * 3 + y * 5 + b * 40
    noise = rng.integers(0, 1 << 32, smooth.shape, dtype=np.int64)
    rough = (x // 16 + y // 16) % 3 == 0
    if kind.startswith("float"):
        return np.where(rough, noise * 1e-3 - 7e5, smooth * 0.25).astype(kind)
    info = np.iinfo(kind)
    span = int(info.max) - int(info.min)
    if info.bits == 64:
        # All 64 bits: modulo 2^64 as the samples are.
        noise = rng.integers(0, 1 << 64, smooth.shape, dtype=np.uint64)
        return np.where(rough, noise, (smooth % 251).astype(np.uint64)).view(kind)
    values = np.where(rough, noise % (span + 1), smooth % 251) + (info.min if info.min < 0 else 0)
    return values.astype(kind)


def half(image):
    """The mean of blocks of 2 x 2 pixels, cut at the edges; integers round halves up."""
    rows, cols = image.shape[:2]
    if image.dtype.itemsize == 8 and image.dtype.kind != "f":
        return half_of_long(image)
    total = np.zeros(((rows + 1) // 2, (cols + 1) // 2, image.shape[2]), np.float64)
    count = np.zeros(total.shape[:2] + (1,), np.float64)
    for dy, dx in itertools.product((0, 1), (0, 1)):
        part = image[dy::2, dx::2].astype(np.float64)
        total[: part.shape[0], : part.shape[1]] += part
        count[: part.shape[0], : part.shape[1]] += 1
    mean = total / count
    return mean.astype(image.dtype) if image.dtype.kind == "f" else np.floor(mean + 0.5).astype(image.dtype)


def half_of_long(image):
    """The same of 64-bit integers, whose sums no kind of numpy's holds: in whole numbers of any size."""
    blocks = [[[(image[y : y + 2, x : x + 2, b].ravel().tolist()) for b in range(image.shape[2])] for x in range(0, image.shape[1], 2)] for y in range(0, image.shape[0], 2)]
    mean = lambda block: (2 * sum(block) + len(block)) // (2 * len(block))
    return np.array([[[mean(block) for block in pixel] for pixel in row] for row in blocks], image.dtype)


def same(name, image, expected):
    image = np.asarray(image)
    if image.ndim == 2:
        image = image[..., None]
    if image.shape != expected.shape or image.dtype != expected.dtype:
        raise AssertionError(f"{name}: {image.shape} {image.dtype} for {expected.shape} {expected.dtype}")
    if expected.dtype.kind == "f":
        # The order of sums is ours to choose: a few units in the last place of the largest.
        close = np.allclose(image, expected, rtol=0, atol=4 * np.finfo(expected.dtype).eps * np.abs(expected).max())
        if not close:
            raise AssertionError(f"{name}: pixels differ")
    elif not np.array_equal(image, expected):
        raise AssertionError(f"{name}: {np.count_nonzero(image != expected)} samples differ")


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    # libtiff prints what it finds strange and goes on. The fields of GeoTIFF it just does not know.
    said = [line for line in done.stderr.splitlines() if line.strip() and "Unknown field with tag" not in line]
    if done.returncode or said:
        raise AssertionError(f"{' '.join(words)}: {said or done.returncode}")
    return done.stdout


def vips_image(image):
    return np.ndarray(buffer=image.write_to_memory(), dtype=image_kinds[image.format], shape=[image.height, image.width, image.bands])


def vips_reads(path):
    """Whether libvips reads such samples at all, in a plain file of tifffile's."""
    try:
        vips_image(pyvips.Image.tiffload(path))
        return True
    except pyvips.Error as error:
        refused.add(str(error).strip().splitlines()[-1].strip())
        return False


refused = set()
image_kinds = {"uchar": "uint8", "ushort": "uint16", "short": "int16", "uint": "uint32", "int": "int32", "float": "float32", "double": "float64"}


def by_gdal(dataset):
    bands = [dataset.GetRasterBand(index + 1) for index in range(dataset.RasterCount)]
    name = gdal.GetDataTypeName(bands[0].DataType)
    kind = {"Byte": "uint8", "UInt16": "uint16", "Int16": "int16", "UInt32": "uint32", "Int32": "int32", "UInt64": "uint64", "Int64": "int64", "Float32": "float32", "Float64": "float64"}[name]
    read = lambda band: np.frombuffer(bytes(band.ReadRaster()), kind).reshape(band.YSize, band.XSize)
    levels = [np.stack([read(band) for band in bands], -1)]
    for level in range(bands[0].GetOverviewCount()):
        levels.append(np.stack([read(band.GetOverview(level)) for band in bands], -1))
    return levels


def check(path, levels, pyramid, big):
    first = open(path, "rb").read(4)
    if first != (b"II+\0" if big else b"II*\0"):
        raise AssertionError(f"begins with {first}")
    run("tiffinfo", "-D", path)
    run("tiffcp", "-c", "none", f"{path},0", "copy.tif")
    same("libtiff", tifffile.imread("copy.tif"), levels[0])
    for level, image in enumerate(by_gdal(gdal.Open(path))):
        same(f"GDAL level {level}", image, levels[level])
    with tifffile.TiffFile(path) as file:
        pages = [file.pages[0], *(file.pages[0].pages or [])] if pyramid == "subifd" else list(file.pages)
        if len(pages) != len(levels):
            raise AssertionError(f"tifffile: {len(pages)} levels for {len(levels)}")
        for level, page in enumerate(pages):
            same(f"tifffile level {level}", page.asarray(), levels[level])
            if pyramid != "none" and (page.tags[254].value != (level > 0)):
                raise AssertionError(f"tifffile: NewSubfileType of level {level} is {page.tags[254].value}")
        if pyramid != "none" and len(levels) > 1:
            found = len(file.series[0].levels)
            if pyramid == "subifd" and found != len(levels):
                raise AssertionError(f"tifffile: a series of {found} levels for {len(levels)}")
    for level, image in enumerate(levels if vips_reads("in.tif") else []):
        place = {"subifd": level - 1} if pyramid == "subifd" and level else {"page": level}
        same(f"libvips level {level}", vips_image(pyvips.Image.tiffload(path, **place)), image)


def attempt(name, work):
    if wanted and not any(part in name for part in wanted):
        return 0
    try:
        work()
    except Exception as error:  # whatever a reader raises is a finding
        failures.append(name)
        print(f"FAILED {name}: {error}")
    return 1


def convert(*words):
    run(plimsoll, "convert", *words, "--overwrite", "--quiet", "--no-sync")


def combination(levels, layout, compression, pyramid, big):
    words = [*LAYOUTS[layout], "--compression", compression]
    words += [] if pyramid == "none" else ["--pyramid", pyramid]
    words += ["--bigtiff"] if big else []
    files = []
    # One file, whatever the workers.
    for workers in ("1", "3"):
        convert("in.tif", "-o", f"out{workers}.tif", *words, "--workers", workers)
        files.append(open(f"out{workers}.tif", "rb").read())
    if files[0] != files[1]:
        raise AssertionError("1 and 3 workers write other bytes")
    check("out1.tif", levels if pyramid != "none" else levels[:1], pyramid, big)


def several_pages(compression, big):
    kinds = [picture(kind, bands) for kind, bands in (("uint8", 3), ("uint16", 1), ("float32", 1), ("int16", 4))]
    with tifffile.TiffWriter("book.tif", byteorder=">") as book:
        for image in kinds:
            book.write(image.squeeze(), photometric="rgb" if image.shape[2] == 3 else "minisblack", planarconfig="contig" if image.shape[2] > 1 else None, metadata=None)
    convert("book.tif", "-o", "pages.tif", "--pages", "4,1-3", "--compression", compression, *(["--bigtiff"] if big else []))
    run("tiffinfo", "-D", "pages.tif")
    with tifffile.TiffFile("pages.tif") as file:
        if len(file.pages) != 4:
            raise AssertionError(f"{len(file.pages)} pages")
    for index, image in enumerate([kinds[3], *kinds[:3]]):
        same(f"tifffile page {index}", tifffile.imread("pages.tif", key=index), image)
        same(f"libvips page {index}", vips_image(pyvips.Image.tiffload("pages.tif", page=index)), image)
        same(f"GDAL page {index}", by_gdal(gdal.Open(f"GTIFF_DIR:{index + 1}:pages.tif"))[0], image)


CARRIED = {269: "a document", 270: "what it shows: µ", 271: "maker", 272: "model", 285: "page one", 305: "some software", 306: "2026:01:02 03:04:05", 315: "somebody", 316: "a host", 33432: "theirs"}


def with_metadata(order, big):
    profile = bytes(range(256)) * 37 + b"end"
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>" * 300
    geo = [
        (33550, 12, 3, (0.5, 0.25, 0.0)), (33922, 12, 6, (0.0, 0.0, 0.0, 400000.0, 5600000.0, 0.0)),
        (34735, 3, 16, (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32632)),
        (42113, 2, 4, "99"),
    ]
    fields = [(tag, 2, 0, text) for tag, text in CARRIED.items() if tag not in (270, 305, 306)]
    fields += [(34675, 7, len(profile), profile), (700, 1, len(xmp), xmp), *geo]
    image = picture("uint8", 3)
    tifffile.imwrite("meta.tif", image, byteorder=order, bigtiff=big, photometric="rgb", description=CARRIED[270].encode(), software=CARRIED[305], datetime=CARRIED[306],
                     resolution=(118.11, 59.0), resolutionunit="CENTIMETER", metadata=None, extratags=[(*field, True) for field in fields])
    return profile, xmp


def tag_values(path, page=0):
    with tifffile.TiffFile(path) as file:
        return {tag.code: (tag.dtype, tag.count, tag.value) for tag in file.pages[page].tags.values()}


def metadata(order, big, words, kept=True):
    with_metadata(order, big)
    convert("meta.tif", "-o", "copy2.tif", *words, *([] if kept else ["--metadata", "drop"]))
    run("tiffinfo", "-D", "copy2.tif")
    before, after = tag_values("meta.tif"), tag_values("copy2.tif")
    for tag in [*CARRIED, 282, 283, 296, 700, 34675, 33550, 33922, 34735, 42113]:
        if kept and before[tag] != after.get(tag):
            raise AssertionError(f"tag {tag}: {before[tag]} became {after.get(tag)}")
        if not kept and tag not in (305,) and tag in after:
            raise AssertionError(f"tag {tag} was to be left out")


def places(step, left, top, scale):
    """A place in the world stays where it is, by GDAL's arithmetic."""
    for key, of_points in ((1, False), (2, True)):
        with_metadata("<", False)
        if of_points:
            data = bytearray(open("meta.tif", "rb").read())
            at = data.index(np.array([1025, 0, 1, 1], "<u2").tobytes())
            data[at + 6] = key
            open("meta.tif", "wb").write(data)
        convert("meta.tif", "-o", "moved.tif", "--do", step)
        old, new = (gdal.Open(path).GetGeoTransform() for path in ("meta.tif", "moved.tif"))
        corner = lambda geo, x, y: (geo[0] + x * geo[1], geo[3] + y * geo[5])
        for x, y in ((0, 0), (10, 7)):
            there, here = corner(old, left + x * scale, top + y * scale), corner(new, x, y)
            if not np.allclose(there, here, rtol=0, atol=1e-6):
                raise AssertionError(f"{step} (of points: {of_points}): {here} for {there}")


count = 0
for kind, bands in itertools.product(KINDS, BANDS):
    image = picture(kind, bands)
    levels = [image]
    while max(levels[-1].shape[:2]) > 64:
        levels.append(half(levels[-1]))
    tifffile.imwrite("in.tif", image.squeeze(), photometric="rgb" if bands >= 3 else "minisblack", planarconfig="contig" if bands > 1 else None, extrasamples=["unassalpha"] if bands == 4 else None, metadata=None)
    for layout, compression, pyramid, big in itertools.product(LAYOUTS, COMPRESSIONS, PYRAMIDS, (False, True)):
        if pyramid != "none" and layout == "strips":
            continue  # copies are always tiled
        name = f"{kind} x{bands} {layout} {compression} pyramid-{pyramid} {'big' if big else 'classic'}"
        count += attempt(name, lambda: combination(levels, layout, compression, pyramid, big))
for compression, big in itertools.product(COMPRESSIONS, (False, True)):
    count += attempt(f"pages {compression} {'big' if big else 'classic'}", lambda: several_pages(compression, big))
for order, big in itertools.product("<>", (False, True)):
    for words in ([], ["--compression", "deflate"], ["--pyramid", "subifd", "--tile", "64"], ["--bigtiff", "--compression", "lzw"]):
        for kept in (True, False):
            count += attempt(f"metadata {order} {big} {' '.join(words)} {kept}", lambda: metadata(order, big, words, kept))
for step, left, top, scale in (("crop:20,30,100,90", 20, 30, 1), ("shrink:4", 0, 0, 4)):
    count += attempt(f"places {step}", lambda: places(step, left, top, scale))
for line in refused:
    print(f"libvips refuses some kinds in tifffile's own files, too: {line}")
print(f"{count - len(failures)} of {count} combinations are read by all, pixel-equal; libtiff, GDAL {gdal.__version__}, libvips {'.'.join(str(pyvips.version(n)) for n in range(3))}, tifffile {tifffile.__version__}")
sys.exit(bool(failures))
