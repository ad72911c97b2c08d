/* libvips as a peer: one fused pipeline a task, the form in which it is fastest.
 * cc -O2 peer.c $(pkg-config vips --cflags) LIBVIPS -o peer */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vips/vips.h>

static void check(int failed) {
  if (failed) vips_error_exit(NULL);
}

int main(int argc, char **argv) {
  if (argc < 2 || VIPS_INIT(argv[0])) return 1;
  const char *task = argv[1];
  if (!strcmp(task, "version")) {
    printf("%s\n", vips_version_string());
    return 0;
  }
  if (argc < 4) return 2;
  const char *in = argv[2], *out = argv[3];
  VipsImage *source, *a = NULL, *b = NULL, *c = NULL;
  if (!strcmp(task, "thumbnail")) {
    check(vips_thumbnail(in, &a, 512, NULL));
    check(vips_image_write_to_file(a, out, NULL));
    return 0;
  }
  source = vips_image_new_from_file(in, "access", VIPS_ACCESS_SEQUENTIAL, NULL);
  if (!source) vips_error_exit(NULL);
  if (!strcmp(task, "bench")) {
    VipsImage *mask = vips_image_new_matrixv(3, 3, -1.0, -1.0, -1.0, -1.0, 16.0, -1.0, -1.0, -1.0, -1.0);
    vips_image_set_double(mask, "scale", 8);
    check(vips_crop(source, &a, 100, 100, source->Xsize - 200, source->Ysize - 200, NULL));
    check(vips_reduce(a, &b, 1.0 / 0.9, 1.0 / 0.9, "kernel", VIPS_KERNEL_LINEAR, NULL));
    check(vips_conv(b, &c, mask, "precision", VIPS_PRECISION_INTEGER, NULL));
    check(vips_image_write_to_file(c, out, NULL));
  } else if (!strcmp(task, "stats")) {
    check(vips_stats(source, &a, NULL));
    printf("%g %g %g %g\n", *VIPS_MATRIX(a, 0, 0), *VIPS_MATRIX(a, 1, 0), *VIPS_MATRIX(a, 4, 0),
           *VIPS_MATRIX(a, 5, 0));
  } else if (!strcmp(task, "invert")) {
    check(vips_invert(source, &a, NULL));
    check(vips_image_write_to_file(a, out, NULL));
  } else if (!strcmp(task, "copy")) {
    check(vips_image_write_to_file(source, out, NULL));
  } else if (!strcmp(task, "pyramid")) {
    check(vips_tiffsave(source, out, "tile", TRUE, "tile_width", 256, "tile_height", 256, "pyramid", TRUE,
                        "compression", VIPS_FOREIGN_TIFF_COMPRESSION_DEFLATE, "predictor",
                        VIPS_FOREIGN_TIFF_PREDICTOR_HORIZONTAL, NULL));
  } else if (!strcmp(task, "blur")) {
    check(vips_gaussblur(source, &a, 2.0, NULL));
    check(vips_image_write_to_file(a, out, NULL));
  } else if (!strcmp(task, "blur-float")) {
    check(vips_gaussblur(source, &a, 2.0, "precision", VIPS_PRECISION_FLOAT, NULL));
    check(vips_cast(a, &b, source->BandFmt, NULL));
    check(vips_image_write_to_file(b, out, NULL));
  } else {
    return 2;
  }
  return 0;
}
