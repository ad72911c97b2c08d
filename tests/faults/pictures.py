"""Small pictures in the formats that the jobs read, each written here by its format's rules."""

import struct
import zlib


def pixels(rows, cols, turn=0):
    return bytes((x * 7 + y * 13 + c * 50 + turn + x * y % 5) % 256
                 for y in range(rows) for x in range(cols) for c in range(3))


def ppm(rows, cols, content):
    return b"P6\n%d %d\n255\n" % (cols, rows) + content


def tiff(rows, cols, pages, deflate=False, white_is_zero=False):
    """Strips of 16 rows of 8 bits, RGB (or grey, the other way round), each page's directory behind its strips."""
    bands = 1 if white_is_zero else 3
    content = bytearray(b"II*\0\0\0\0\0")
    link = 4
    for page in pages:
        strips = [page[bands * cols * top:bands * cols * (top + 16)] for top in range(0, rows, 16)]
        strips = [zlib.compress(strip) if deflate else strip for strip in strips]
        places = []
        for strip in strips:
            places.append(len(content))
            content += strip
        bits, offsets = len(content), len(content) + 6
        content += struct.pack("<3H", 8, 8, 8) + struct.pack(f"<{len(strips)}I", *places)
        counts = len(content)
        content += struct.pack(f"<{len(strips)}I", *map(len, strips))
        content += b"\0" * (len(content) % 2)
        struct.pack_into("<I", content, link, len(content))
        entries = [(256, 3, 1, cols), (257, 3, 1, rows), (258, 3, *((1, 8) if white_is_zero else (3, bits))), (259, 3, 1, 8 if deflate else 1),
                   (262, 3, 1, 0 if white_is_zero else 2), (273, 4, len(strips), offsets), (277, 3, 1, bands), (278, 3, 1, 16),
                   (279, 4, len(strips), counts)]
        content += struct.pack("<H", len(entries))
        for entry in entries:
            content += struct.pack("<HHII", *entry)
        link = len(content)
        content += b"\0\0\0\0"
    return bytes(content)


def png(rows, cols, content):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    lines = b"".join(b"\0" + content[3 * cols * y:3 * cols * (y + 1)] for y in range(rows))
    header = struct.pack(">IIBBBBB", cols, rows, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
