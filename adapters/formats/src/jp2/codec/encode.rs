//! A tile's samples into a codestream of that tile alone.
//!
//! The tile keeps its place on the reference grid, so that its packets are those it has in the whole image (sub-bands,
//! precincts and code-blocks are anchored at the grid's origin, ISO/IEC 15444-1, annex B): its tile-part fits the
//! image's codestream once its index is changed.
#![allow(unsafe_code)]

use super::heap::give_back;
use super::library::*;
use super::memory::STREAM_BYTES;
use std::ffi::c_void;
use std::ptr::NonNull;

/// Numbers of progression orders (ISO/IEC 15444-1, table A.16).
const RLCP: u8 = 1;
pub(in crate::jp2) const RPCL: u8 = 2;
pub(in crate::jp2) const PCRL: u8 = 3;
pub(in crate::jp2) const CPRL: u8 = 4;

/// How tiles are coded.
#[derive(Clone, Copy, Debug)]
pub(in crate::jp2) struct Coding {
    /// Components: 1 to 4.
    pub(in crate::jp2) bands: u16,
    /// Bits of a sample: 8 or 16.
    pub(in crate::jp2) bits: u8,
    /// Side of a tile that is not cut by the image's edge, in pixels.
    pub(in crate::jp2) tile: u32,
    /// Resolutions: 1 to 33.
    pub(in crate::jp2) resolutions: u8,
    /// The progression order's number.
    pub(in crate::jp2) progression: u8,
    /// Quality layers: 1 to 32.
    pub(in crate::jp2) layers: u8,
    /// What is lost.
    pub(in crate::jp2) loss: Loss,
}

/// What of the picture is lost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::jp2) enum Loss {
    /// Nothing: 5/3 wavelet, reversible colour transform.
    None,
    /// As much as makes it this many times smaller than its samples.
    Ratio(f32),
    /// As much as leaves this peak signal-to-noise ratio in dB.
    Psnr(f32),
}

impl Coding {
    /// The same for a component of its own.
    pub(in crate::jp2) fn one_component(self) -> Self {
        Self { bands: 1, ..self }
    }

    /// Ratio or PSNR of each layer: the last one is what was asked for; those before it halve the bytes, or lose 6 dB.
    fn layer(&self, layer: u8, last: f32) -> f32 {
        let before = i32::from(self.layers) - 1 - i32::from(layer);
        match self.loss {
            Loss::Psnr(_) => (last - 6.0 * before as f32).max(1.0),
            _ => last * (before as f32).exp2(),
        }
    }
}

/// A tile to be filled with samples and coded.
#[derive(Debug)]
pub(in crate::jp2) struct Tile {
    image: NonNull<opj_image_t>,
    coding: Coding,
    /// Left, top, right, bottom on the reference grid, which is that of the pixels.
    area: [u32; 4],
    /// Each packet is preceded by a marker.
    marked: bool,
}

// SAFETY: the image and its planes are owned by this value alone; the library keeps no state beside them.
unsafe impl Send for Tile {}

/// The library refused, or had no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::jp2) struct Refused;

impl Tile {
    /// A tile over `area` (left, top, right, bottom), its samples still to be set.
    pub(in crate::jp2) fn new(coding: Coding, area: [u32; 4]) -> Result<Self, Refused> {
        Self::with(coding, area, false)
    }

    /// One component of such a tile, coded as if there were no other; a start-of-packet marker (ISO/IEC 15444-1, A.8.1)
    /// before each packet tells them apart. `signed` samples are not shifted down by half of their range.
    pub(in crate::jp2) fn component(coding: Coding, area: [u32; 4], signed: bool) -> Result<Self, Refused> {
        let mut tile = Self::with(coding.one_component(), area, signed)?;
        tile.marked = true;
        Ok(tile)
    }

    fn with(coding: Coding, area: [u32; 4], signed: bool) -> Result<Self, Refused> {
        let [x0, y0, x1, y1] = area;
        let (width, height) = (x1.saturating_sub(x0), y1.saturating_sub(y0));
        if width == 0 || height == 0 || !(1..=4).contains(&coding.bands) {
            return Err(Refused);
        }
        // SAFETY: a record of numbers, for which zeros are valid.
        let mut one: opj_image_cmptparm_t = unsafe { std::mem::zeroed() };
        (one.dx, one.dy, one.w, one.h) = (1, 1, width, height);
        (one.x0, one.y0, one.prec, one.bpp) = (x0, y0, u32::from(coding.bits), u32::from(coding.bits));
        one.sgnd = u32::from(signed);
        let mut components = [one; 4];
        #[allow(unused_unsafe)]
        // SAFETY: as many records as are named.
        let image = unsafe { opj_image_create(u32::from(coding.bands), components.as_mut_ptr(), NO_COLOUR) };
        let image = NonNull::new(image).ok_or(Refused)?;
        let tile = Self { image, coding, area, marked: false };
        // SAFETY: a living image that only this value knows.
        let fields = unsafe { &mut *image.as_ptr() };
        (fields.x0, fields.y0, fields.x1, fields.y1) = (x0, y0, x1, y1);
        Ok(tile)
    }

    /// Pixels in a row.
    pub(in crate::jp2) fn width(&self) -> usize {
        (self.area[2] - self.area[0]) as usize
    }

    /// Rows.
    pub(in crate::jp2) fn height(&self) -> usize {
        (self.area[3] - self.area[1]) as usize
    }

    /// The samples of row `row` of component `band`; none where there is no such row.
    pub(in crate::jp2) fn row_mut(&mut self, row: usize, band: usize) -> &mut [i32] {
        if row >= self.height() || band >= usize::from(self.coding.bands) {
            return &mut [];
        }
        let width = self.width();
        // SAFETY: the image has `bands` components, each a plane of width x height samples that nobody else uses, and
        // `row` is one of its rows.
        unsafe {
            let component = &*(*self.image.as_ptr()).comps.add(band);
            if component.data.is_null() {
                return &mut [];
            }
            std::slice::from_raw_parts_mut(component.data.add(row * width), width)
        }
    }

    /// Sets the samples of row `row`: interleaved, native, as many as fit the row.
    pub(in crate::jp2) fn set_row(&mut self, row: usize, pixels: &[u8]) {
        let (bits, bands) = (self.coding.bits, usize::from(self.coding.bands));
        for band in 0..bands {
            let plane = self.row_mut(row, band);
            if bits == 8 {
                take::<1>(plane, pixels, bands, band, |[sample]| i32::from(sample));
            } else {
                take::<2>(plane, pixels, bands, band, |sample| i32::from(u16::from_ne_bytes(sample)));
            }
        }
    }

    /// Codes it behind what `out` has, whose capacity is the most it may have.
    pub(in crate::jp2) fn encode(self, out: &mut Vec<u8>) -> Result<(), Refused> {
        let start = out.len();
        let mut sink = Out { bytes: out, start, at: start };
        // The Rust library reports what it thinks cannot be by a panic.
        let work = std::panic::AssertUnwindSafe(|| self.run(&mut sink));
        let done = std::panic::catch_unwind(work);
        let samples = self.width() * self.height() * usize::from(self.coding.bands);
        drop(self);
        give_back(samples);
        match done {
            Ok(true) => Ok(()),
            _ => Err(Refused),
        }
    }

    fn run(&self, sink: &mut Out<'_>) -> bool {
        let coding = &self.coding;
        let [x0, y0, ..] = self.area;
        // SAFETY: a record of numbers and pointers that may be null, for which zeros are valid; it is on the heap
        // because it has some 20 KiB.
        let mut settings = unsafe { Box::<opj_cparameters_t>::new_zeroed().assume_init() };
        // SAFETY: it is ours.
        unsafe { opj_set_default_encoder_parameters(&mut *settings) };
        settings.tile_size_on = 1;
        (settings.cp_tx0, settings.cp_ty0) = (x0 as i32, y0 as i32);
        (settings.cp_tdx, settings.cp_tdy) = (coding.tile as i32, coding.tile as i32);
        settings.numresolution = i32::from(coding.resolutions);
        settings.prog_order = match coding.progression {
            RPCL if !CODES_RPCL => progression(RLCP),
            order => progression(order),
        };
        settings.csty = if self.marked { 2 } else { 0 };
        settings.tcp_mct = i8::from(coding.bands >= 3) as _;
        settings.tcp_numlayers = i32::from(coding.layers);
        settings.irreversible = i32::from(coding.loss != Loss::None);
        match coding.loss {
            Loss::Psnr(_) => settings.cp_fixed_quality = 1,
            _ => settings.cp_disto_alloc = 1,
        }
        for layer in 0..coding.layers {
            let value = match coding.loss {
                // Each layer half of the bytes of the next one, and the last one everything.
                Loss::None if layer + 1 == coding.layers => 0.0,
                Loss::None => coding.layer(layer, 2.0),
                Loss::Ratio(last) | Loss::Psnr(last) => coding.layer(layer, last),
            };
            let rates = match coding.loss {
                Loss::Psnr(_) => &mut settings.tcp_distoratio,
                _ => &mut settings.tcp_rates,
            };
            if let Some(rate) = rates.get_mut(usize::from(layer)) {
                *rate = value;
            }
        }
        // SAFETY: codec, stream and image live until the end of the block and are used by this thread alone; the
        // stream's functions are given the sink, which outlives it; each is given back once.
        unsafe {
            let codec = opj_create_compress(OPJ_CODEC_FORMAT::OPJ_CODEC_J2K);
            let stream = opj_stream_create(STREAM_BYTES, 0);
            let mut done = false;
            if !codec.is_null() && !stream.is_null() {
                opj_stream_set_write_function(stream, Some(write));
                opj_stream_set_skip_function(stream, Some(skip));
                opj_stream_set_seek_function(stream, Some(seek));
                opj_stream_set_user_data(stream, (&raw mut *sink).cast(), None);
                let image = self.image.as_ptr();
                done = opj_setup_encoder(codec, &mut *settings, image) != 0
                    && opj_start_compress(codec, image, stream) != 0
                    && opj_encode(codec, stream) != 0
                    && opj_end_compress(codec, stream) != 0;
            }
            if !stream.is_null() {
                opj_stream_destroy(stream);
            }
            if !codec.is_null() {
                opj_destroy_codec(codec);
            }
            done
        }
    }
}

impl Drop for Tile {
    fn drop(&mut self) {
        #[allow(unused_unsafe)]
        // SAFETY: made by the library, given back once; planes that the codec took over are null here.
        unsafe {
            opj_image_destroy(self.image.as_ptr());
        }
    }
}

/// Every `bands`th sample of `pixels` from `band` on.
fn take<const BYTES: usize>(
    plane: &mut [i32],
    pixels: &[u8],
    bands: usize,
    band: usize,
    sample: impl Fn([u8; BYTES]) -> i32,
) {
    let (samples, _) = pixels.as_chunks::<BYTES>();
    for (out, pixel) in plane.iter_mut().zip(samples.chunks_exact(bands.max(1))) {
        *out = pixel.get(band).map_or(0, |bytes| sample(*bytes));
    }
}

/// Where the library's bytes go: a vector that must not grow.
struct Out<'a> {
    bytes: &'a mut Vec<u8>,
    /// Where the codestream begins.
    start: usize,
    at: usize,
}

/// Takes `len` bytes; all, or none where they do not fit.
unsafe extern "C" fn write(from: *mut c_void, len: usize, out: *mut c_void) -> usize {
    // SAFETY: the library gives back what `run` gave it, and `len` bytes of its own.
    let (out, from) =
        unsafe { (&mut *out.cast::<Out<'_>>(), std::slice::from_raw_parts(from.cast::<u8>(), len)) };
    let Some(end) = out.at.checked_add(len).filter(|end| *end <= out.bytes.capacity()) else {
        return usize::MAX;
    };
    if out.bytes.len() < end {
        out.bytes.resize(end, 0);
    }
    if let Some(place) = out.bytes.get_mut(out.at..end) {
        place.copy_from_slice(from);
    }
    out.at = end;
    len
}

unsafe extern "C" fn skip(bytes: i64, out: *mut c_void) -> i64 {
    // SAFETY: as in `write`.
    let out = unsafe { &mut *out.cast::<Out<'_>>() };
    match usize::try_from(bytes).ok().and_then(|bytes| out.at.checked_add(bytes)) {
        Some(at) if at <= out.bytes.capacity() => {
            out.at = at;
            bytes
        }
        _ => -1,
    }
}

unsafe extern "C" fn seek(to: i64, out: *mut c_void) -> i32 {
    // SAFETY: as in `write`.
    let out = unsafe { &mut *out.cast::<Out<'_>>() };
    match usize::try_from(to).ok().and_then(|to| out.start.checked_add(to)) {
        Some(at) if at <= out.bytes.capacity() => {
            out.at = at;
            1
        }
        _ => 0,
    }
}
