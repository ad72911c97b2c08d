"""TIFF files as other programs write them: GDAL, libvips, Pillow and tifffile, each with all of its own choices, and the
pages below and behind the first one. What is not installed is left out, and said.

Each case is (name, path, what `judge` is to know: tolerance, page, must, truth): page is (n,) or (n, below), counted from 0.
"""
import itertools
import os
import shutil
import subprocess

import numpy as np
import tifffile


def picture(rows, cols, bands, dtype, seed=0):
    """Smooth parts, edges and noise over the range that the type usually has."""
    rng = np.random.default_rng(seed + rows * 1000 + cols + bands)
    y, x, b = np.mgrid[0:rows, 0:cols, 0:bands]
    values = np.where((x // 8 + y // 8) % 3 == 0, rng.integers(0, 256, x.shape), (x * 3 + y * 5 + b * 40) % 256)
    dtype = np.dtype(dtype)
    if dtype.kind == "c":
        return (values + 1j * values[::-1]).astype(dtype)
    if dtype.kind == "f":
        return (values / 7 - 3).astype(dtype)
    # Integers of 64 bits that doubles hold.
    scale = {1: 1, 2: 257, 4: 16843009, 8: 16843009 << 20}[dtype.itemsize]
    made = values.astype(np.uint64) * scale
    return made.astype(dtype) if dtype.kind == "u" else (made >> 1).astype(dtype)


def pages_of(path):
    """Every page, and every one directly below it."""
    try:
        with tifffile.TiffFile(path) as file:
            for number, page in enumerate(file.pages):
                yield (number,)
                for below in range(len(page.pages or [])):
                    yield number, below
    except Exception:
        yield (0,)


def gdal():
    if not shutil.which("gdal_translate"):
        print("odd: SKIPPED: no GDAL")
        return
    made = "gdal.tif"

    def base(bands, dtype):
        image = picture(53, 75, bands, dtype)
        tifffile.imwrite("gdal-base.tif", image if bands > 1 else image[..., 0], photometric="rgb" if bands in (3, 4) else "minisblack",
                         planarconfig="contig" if bands > 1 else None, metadata=None)

    def run(name, words, options, **know):
        words = list(words) + [word for option in options for word in ("-co", option)]
        for left in (made, made + ".aux.xml", made + ".ovr", made + ".msk"):
            if os.path.exists(left):
                os.remove(left)
        done = subprocess.run(["gdal_translate", "-q", *words, "gdal-base.tif", made], capture_output=True)
        if done.returncode == 0 and os.path.exists(made):
            yield f"gdal {name} {' '.join(words)}", made, know

    for bands, dtype in [(1, "uint8"), (3, "uint8"), (4, "uint8"), (1, "uint16"), (3, "int16"), (1, "uint32"), (2, "int32"), (3, "float32"), (1, "float64")]:
        base(bands, dtype)
        kind = f"{bands}x{dtype}"
        predictors = ["1", "2"] + (["3"] if dtype.startswith("float") else [])
        packings = ["NONE", "PACKBITS"] + [f"{method}|PREDICTOR={p}" for method in ("LZW", "DEFLATE", "ZSTD") for p in predictors]
        layouts = [[], ["TILED=YES", "BLOCKXSIZE=48", "BLOCKYSIZE=16"], ["BLOCKYSIZE=7"]]
        forms = [[], ["INTERLEAVE=BAND", "ENDIANNESS=BIG"], ["BIGTIFF=YES", "SPARSE_OK=TRUE"]]
        for packing, layout, form in itertools.product(packings, layouts, forms):
            yield from run(kind, [], ["COMPRESS=" + part if i == 0 else part for i, part in enumerate(packing.split("|"))] + layout + form)
    for bands, form, quality in itertools.product((1, 3), ([], ["PHOTOMETRIC=YCBCR"], ["INTERLEAVE=BAND"], ["TILED=YES", "BLOCKXSIZE=32", "BLOCKYSIZE=32", "PHOTOMETRIC=YCBCR"]), (40, 95)):
        base(bands, "uint8")
        yield from run(f"{bands} JPEG", [], ["COMPRESS=JPEG", f"JPEG_QUALITY={quality}", *form], tolerance=1)
    base(1, "uint8")
    for bits, packing in itertools.product((1, 2, 3, 4, 5, 7), ("NONE", "LZW", "DEFLATE", "PACKBITS", "ZSTD")):
        yield from run("bits", ["-scale", "0", "255", "0", str((1 << bits) - 1)], [f"NBITS={bits}", f"COMPRESS={packing}"])
    for packing in ("CCITTRLE", "CCITTFAX3", "CCITTFAX4"):
        for form in ([], ["PHOTOMETRIC=MINISWHITE"], ["TILED=YES", "BLOCKXSIZE=32", "BLOCKYSIZE=16"], ["BLOCKYSIZE=9"]):
            yield from run("fax", ["-scale", "0", "255", "0", "1"], ["NBITS=1", f"COMPRESS={packing}", *form])
    base(3, "uint16")
    for bits, packing, order in itertools.product((9, 10, 12, 13, 15), ("NONE", "LZW", "DEFLATE"), ("LITTLE", "BIG")):
        yield from run("bits", ["-scale", "0", "65535", "0", str((1 << bits) - 1)], [f"NBITS={bits}", f"COMPRESS={packing}", f"ENDIANNESS={order}"])
    base(1, "float32")
    for packing, order in itertools.product(("NONE", "DEFLATE", "ZSTD"), ("LITTLE", "BIG")):
        yield from run("half", [], ["NBITS=16", f"COMPRESS={packing}", f"ENDIANNESS={order}"])
    base(3, "uint8")
    for meaning in ("MINISBLACK", "MINISWHITE", "RGB", "CMYK", "CIELAB", "ICCLAB", "ITULAB"):
        yield from run(meaning, ["-b", "1", "-b", "2", "-b", "3"] + ["-b", "1"] * (meaning == "CMYK"), [f"PHOTOMETRIC={meaning}"])
    for words in (["-mask", "1", "--config", "GDAL_TIFF_INTERNAL_MASK", "YES"], ["-a_nodata", "7"], ["-expand", "rgba"], ["-outsize", "1", "1"], ["-outsize", "3000", "2"]):
        yield from run("more", words, ["COMPRESS=DEFLATE"])
    for packing in ("LZW", "DEFLATE", "ZSTD", "JPEG"):
        yield from run("cog", ["-of", "COG"], [f"COMPRESS={packing}", "BLOCKSIZE=128"], tolerance=packing == "JPEG")
    for words in (["-r", "average"], ["-r", "nearest", "--config", "COMPRESS_OVERVIEW", "LZW"]):
        base(3, "uint8")
        subprocess.run(["gdaladdo", "-q", *words, "gdal-base.tif", "2", "4", "8"], capture_output=True)
        yield f"gdal overviews {' '.join(words)}", "gdal-base.tif", {}
    for dtype in ("CInt16", "CFloat32"):
        base(1, "uint8")
        yield from run(dtype, ["-ot", dtype], [], must="complex")
    for packing in ("LZMA", "LERC", "WEBP"):
        base(3, "uint8")
        yield from run("refused", [], [f"COMPRESS={packing}"], must="compression")


def pillow():
    from PIL import Image
    grey, rgb, rgba = (picture(61, 83, bands, "uint8") for bands in (1, 3, 4))
    pictures = {
        "1": Image.fromarray(grey[..., 0]).convert("1"), "L": Image.fromarray(grey[..., 0]), "LA": Image.fromarray(grey[..., 0]).convert("LA"),
        "P": Image.fromarray(rgb).quantize(37), "RGB": Image.fromarray(rgb), "RGBA": Image.fromarray(rgba), "RGBX": Image.fromarray(rgb).convert("RGBX"),
        "CMYK": Image.fromarray(rgb).convert("CMYK"), "YCbCr": Image.fromarray(rgb).convert("YCbCr"), "LAB": Image.frombytes("LAB", (83, 61), rgb.tobytes()),
        "I;16": Image.fromarray(picture(61, 83, 1, "uint16")[..., 0]), "I": Image.fromarray(picture(61, 83, 1, "int32")[..., 0]),
        "F": Image.fromarray(picture(61, 83, 1, "float32")[..., 0]),
    }
    methods = ["raw", "tiff_ccitt", "group3", "group4", "tiff_jpeg", "jpeg", "tiff_adobe_deflate", "tiff_deflate", "tiff_lzw", "packbits", "tiff_raw_16",
               "tiff_thunderscan", "tiff_sgilog", "lzma", "zstd", "webp"]
    for (mode, image), method, big in itertools.product(pictures.items(), methods, (False, True)):
        # libtiff says on the standard error which methods do not go with which pictures.
        quiet, said = os.open(os.devnull, os.O_WRONLY), os.dup(2)
        os.dup2(quiet, 2)
        try:
            image.save("pillow.tif", compression=method, big_tiff=big, strip_size=[65536, 2000][big])
        except Exception:
            continue
        finally:
            os.dup2(said, 2)
            os.close(quiet)
            os.close(said)
        know = dict(tolerance=1) if "jpeg" in method else dict(must="compression") if method in ("lzma", "webp") else {}
        if method == "tiff_raw_16":
            # libtiff aligns to words of its memory, not of the strip, and does not read what it has written.
            know["truth"] = np.asarray(image).astype(np.uint8)
        yield f"pillow {mode} {method}{' big' if big else ''}", "pillow.tif", know
    pictures["RGB"].save("pillow.tif", save_all=True, append_images=[pictures["L"], pictures["1"], pictures["CMYK"]], compression="tiff_lzw")
    yield "pillow pages of four modes", "pillow.tif", {}


def vips():
    import pyvips
    for bands, dtype in [(1, "uint8"), (3, "uint8"), (4, "uint8"), (1, "int8"), (3, "uint16"), (1, "int16"), (1, "uint32"), (2, "int32"), (3, "float32"), (1, "float64")]:
        image = pyvips.Image.new_from_array(picture(61, 83, bands, dtype))
        for packing, predictor, layout, form in itertools.product(
                ("none", "packbits", "lzw", "deflate", "zstd"), ("none", "horizontal", "float"),
                ({}, dict(tile=True, tile_width=32, tile_height=16), dict(tile=True, pyramid=True, subifd=True, tile_width=16, tile_height=16),
                 dict(tile=True, pyramid=True, tile_width=16, tile_height=16)), ({}, dict(bigtiff=True))):
            if predictor == "float" and not dtype.startswith("float") or predictor != "none" and packing in ("none", "packbits"):
                continue
            try:
                image.tiffsave("vips.tif", compression=packing, predictor=predictor, **layout, **form)
            except pyvips.Error:
                continue
            yield f"vips {bands}x{dtype} {packing} {predictor} {layout} {form}", "vips.tif", {}
    grey, rgb = (pyvips.Image.new_from_array(picture(61, 83, bands, "uint8")) for bands in (1, 3))
    for quality, layout in itertools.product((50, 75, 95), ({}, dict(tile=True, tile_width=32, tile_height=32))):
        for name, image, form in [("grey", grey, {}), ("rgb", rgb, {}), ("rgbjpeg", rgb, dict(rgbjpeg=True)), ("cmyk", rgb.bandjoin(grey).copy(interpretation="cmyk"), {})]:
            image.tiffsave("vips.tif", compression="jpeg", Q=quality, **layout, **form)
            yield f"vips jpeg {name} Q{quality} {layout}", "vips.tif", dict(tolerance=1)
    for bits, white, packing in itertools.product((1, 2, 4), (False, True), ("none", "lzw", "deflate", "packbits", "zstd", "ccittfax4")):
        try:
            grey.tiffsave("vips.tif", bitdepth=bits, miniswhite=white, compression=packing)
        except pyvips.Error:
            continue
        yield f"vips {bits} bits {'white is 0 ' if white else ''}{packing}", "vips.tif", {}
    for space in ("lab", "labs", "xyz", "cmyk", "grey16", "rgb16", "scrgb"):
        image = rgb.colourspace(space) if space != "cmyk" else rgb.bandjoin(grey).copy(interpretation="cmyk")
        image.tiffsave("vips.tif", compression="deflate")
        yield f"vips {space}", "vips.tif", {}
    tall = rgb.join(rgb.invert(), "vertical").copy()
    tall.set_type(pyvips.GValue.gint_type, "page-height", 61)
    for subifd in (False, True):
        tall.tiffsave("vips.tif", compression="lzw", tile=True, tile_width=16, tile_height=16, pyramid=subifd, subifd=subifd)
        yield f"vips pages {'with SubIFDs' if subifd else ''}", "vips.tif", {}


def tifffiles():
    for bands, dtype, order, big in itertools.product((1, 3, 4), ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "float32", "float64"), "<>", (False, True)):
        image = picture(61, 83, bands, dtype)
        photometric = "rgb" if bands >= 3 else "minisblack"
        for packing, predictor, tile, planar in itertools.product((None, "lzw", "zlib", "zstd", "packbits"), (False, True), (None, (16, 32)), ("contig", "separate")):
            if predictor and packing in (None, "packbits") or planar == "separate" and bands == 1:
                continue
            # Each kind meets each choice, not each pair of kinds each pair of choices.
            if (hash_of(bands, dtype, order, big, packing, predictor, tile, planar)) % int(os.environ.get("EVERY", "7")):
                continue
            stored = image[..., 0] if bands == 1 else np.moveaxis(image, -1, 0) if planar == "separate" else image
            try:
                tifffile.imwrite("tf.tif", stored, photometric=photometric, planarconfig=planar if bands > 1 else None, byteorder=order, bigtiff=big, compression=packing,
                                 predictor=predictor, tile=tile, metadata=None, extrasamples=["unassalpha"] if bands == 4 else None, rowsperstrip=None if tile else 11)
            except Exception:
                continue
            yield f"tifffile {bands}x{dtype} {order} {'big ' if big else ''}{packing} {predictor} {tile} {planar}", "tf.tif", {}
    rgb = picture(61, 83, 3, "uint8")
    for sub, tile in itertools.product(((1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (4, 2)), (None, (32, 32))):
        try:
            tifffile.imwrite("tf.tif", rgb, photometric="ycbcr", subsampling=sub, compression="jpeg", tile=tile, rowsperstrip=None if tile else 16, metadata=None)
        except Exception:
            continue
        yield f"tifffile jpeg {sub} {tile}", "tf.tif", dict(tolerance=1)
    for bits in (1, 2, 4, 9, 10, 12, 14):
        try:
            tifffile.imwrite("tf.tif", picture(61, 83, 1, "uint16")[..., 0] >> (16 - bits) if bits > 8 else picture(61, 83, 1, "uint8")[..., 0] >> (8 - bits), bitspersample=bits, metadata=None)
        except Exception:
            continue
        yield f"tifffile {bits} bits", "tf.tif", {}
    with tifffile.TiffWriter("tf.tif", ome=True) as file:
        options = dict(photometric="minisblack", tile=(16, 16), compression="zlib")
        file.write(np.moveaxis(picture(64, 80, 3, "uint16"), -1, 0), subifds=2, metadata={"axes": "CYX"}, **options)
        for level in (2, 4):
            file.write(np.moveaxis(picture(64, 80, 3, "uint16"), -1, 0)[:, ::level, ::level], subfiletype=1, **options)
    yield "tifffile OME with SubIFDs", "tf.tif", {}
    tifffile.imwrite("tf.tif", np.moveaxis(picture(37, 45, 5, "uint16"), -1, 0), imagej=True, metadata={"axes": "ZYX"})
    yield "tifffile ImageJ stack", "tf.tif", {}
    tifffile.imwrite("tf.tif", np.moveaxis(picture(37, 45, 7, "float32"), -1, 0), photometric="minisblack", metadata={"axes": "ZYX"}, contiguous=True)
    yield "tifffile contiguous stack", "tf.tif", {}
    tifffile.imwrite("tf.tif", picture(37, 45, 1, "uint8")[..., 0], photometric="palette", colormap=np.arange(768, dtype=np.uint16).reshape(3, 256) * 80, metadata=None)
    yield "tifffile palette", "tf.tif", {}
    for photometric, bands in (("cielab", 3), ("separated", 4), ("separated", 5), ("icclab", 3), ("itulab", 3), ("linear_raw", 3), ("cfa", 1), ("depth_map", 1), ("logluv", 3)):
        try:
            tifffile.imwrite("tf.tif", picture(37, 45, bands, "uint16")[..., 0] if bands == 1 else picture(37, 45, bands, "uint16"), photometric=photometric,
                             planarconfig="contig" if bands > 1 else None, metadata=None)
        except Exception:
            continue
        yield f"tifffile {photometric} {bands}", "tf.tif", {}


def hash_of(*choices):
    """The same in every run."""
    import zlib
    return zlib.crc32(repr(choices).encode())


def cases(wanted):
    """Every page of every file of every writer that is here."""
    for writer in (gdal, pillow, vips, tifffiles):
        try:
            for name, path, know in writer():
                if wanted and not any(part in name for part in wanted):
                    continue
                for page in pages_of(path):
                    yield name + (f" page {'.'.join(map(str, page))}" if page != (0,) else ""), path, dict(know, page=page)
        except ImportError as error:
            print(f"odd: SKIPPED: {error}")
