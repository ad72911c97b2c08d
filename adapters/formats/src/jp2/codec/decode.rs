//! A codestream of one tile into samples.
#![allow(unsafe_code)]

use super::heap::give_back;
use super::library::*;
use super::memory::STREAM_BYTES;
use std::ffi::c_void;
use std::io;

/// The bytes of a codestream, given from any position on.
pub(in crate::jp2) trait Input {
    /// Bytes in all.
    fn len(&self) -> u64;

    /// Fills a part of `into`, at least one byte, from `offset` on, and says how much.
    ///
    /// # Errors
    /// The device's.
    fn read(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize>;
}

/// Why there are no samples.
#[derive(Debug)]
pub(in crate::jp2) enum DecodeError {
    /// The bytes could not be read.
    Io(io::Error),
    /// The library refuses the codestream.
    Damaged,
}

/// Decodes the only tile of `input`, leaving out the `reduce` largest resolutions, into `samples`: plane after plane,
/// each sample in 1, 2 or 4 native bytes as its precision needs, all of them exactly.
///
/// Where some components have no samples there, `with_samples` names the others (otherwise it is empty), and colours must
/// not be transformed: what the library gives of all at once it cannot give then.
///
/// # Errors
/// [`DecodeError`]; `samples` are undefined then.
pub(in crate::jp2) fn decode(
    input: &mut dyn Input,
    reduce: u8,
    with_samples: &[u32],
    samples: &mut [u8],
) -> Result<(), DecodeError> {
    let mut source = In { input, at: 0, error: None };
    // The Rust library reports what it thinks cannot be by a panic.
    let work = std::panic::AssertUnwindSafe(|| run(&mut source, reduce, with_samples, samples));
    let done = std::panic::catch_unwind(work).unwrap_or(false);
    give_back(samples.len());
    match source.error {
        Some(error) => Err(DecodeError::Io(error)),
        None if done => Ok(()),
        None => Err(DecodeError::Damaged),
    }
}

fn run(source: &mut In<'_>, reduce: u8, with_samples: &[u32], samples: &mut [u8]) -> bool {
    // SAFETY: a record of numbers, for which zeros are valid; on the heap because it has some 8 KiB.
    let mut settings = unsafe { Box::<opj_dparameters_t>::new_zeroed().assume_init() };
    // SAFETY: it is ours.
    unsafe { opj_set_default_decoder_parameters(&mut *settings) };
    settings.cp_reduce = u32::from(reduce);
    let bytes = source.input.len();
    // SAFETY: codec, stream and image live until the end of the block and are used by this thread alone; the stream's
    // functions are given the source, which outlives it; the library writes no more samples than it is told there is
    // room for; each is given back once.
    unsafe {
        let codec = opj_create_decompress(OPJ_CODEC_FORMAT::OPJ_CODEC_J2K);
        let stream = opj_stream_create(STREAM_BYTES, 1);
        let mut image: *mut opj_image_t = std::ptr::null_mut();
        let mut done = false;
        if !codec.is_null() && !stream.is_null() {
            opj_stream_set_read_function(stream, Some(read));
            opj_stream_set_skip_function(stream, Some(skip));
            opj_stream_set_seek_function(stream, Some(seek));
            opj_stream_set_user_data(stream, (&raw mut *source).cast(), None);
            opj_stream_set_user_data_length(stream, bytes);
            done = opj_setup_decoder(codec, &mut *settings) != 0
                && opj_read_header(stream, codec, &mut image) != 0
                && match with_samples {
                    [] => tile(codec, stream, samples),
                    some => components(codec, stream, image, some, samples),
                };
        }
        if !image.is_null() {
            opj_image_destroy(image);
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

/// Decodes the next tile.
///
/// # Safety
/// A living decoder that has read its header from this stream.
unsafe fn tile(codec: *mut opj_codec_t, stream: *mut opj_stream_t, samples: &mut [u8]) -> bool {
    let (mut index, mut bytes, mut components, mut more) = (0u32, 0u32, 0u32, 0i32);
    let (mut x0, mut y0, mut x1, mut y1) = (0i32, 0i32, 0i32, 0i32);
    // SAFETY: as the caller says; all places are ours.
    let known = unsafe {
        opj_read_tile_header(
            codec,
            stream,
            &mut index,
            &mut bytes,
            &mut x0,
            &mut y0,
            &mut x1,
            &mut y1,
            &mut components,
            &mut more,
        )
    };
    if known == 0 || more == 0 || bytes as usize != samples.len() {
        return false;
    }
    // SAFETY: `samples` has the bytes that it is said to have.
    unsafe { opj_decode_tile_data(codec, index, samples.as_mut_ptr(), bytes, stream) != 0 }
}

/// Decodes these components of the tile.
///
/// # Safety
/// A living decoder that has read its header, and this image, from this stream.
unsafe fn components(
    codec: *mut opj_codec_t,
    stream: *mut opj_stream_t,
    image: *mut opj_image_t,
    some: &[u32],
    samples: &mut [u8],
) -> bool {
    // SAFETY: as the caller says; the numbers are read before the call ends.
    let done = unsafe {
        opj_set_decoded_components(codec, some.len() as u32, some.as_ptr(), 0) != 0
            && opj_set_decode_area(codec, image, 0, 0, 0, 0) != 0
            && opj_decode(codec, stream, image) != 0
    };
    if !done {
        return false;
    }
    // SAFETY: a living image, which is not changed below, of as many components as it says.
    let planes = unsafe { std::slice::from_raw_parts((*image).comps, (*image).numcomps as usize) };
    let mut rest = samples;
    for plane in planes {
        let (len, bytes) = (plane.w as usize * plane.h as usize, plane.prec.div_ceil(8).next_power_of_two());
        let Some((into, after)) = std::mem::take(&mut rest).split_at_mut_checked(len * bytes as usize) else {
            return false;
        };
        if plane.data.is_null() {
            return false;
        }
        // SAFETY: the plane of a decoded component has the size that it is said to have.
        let values = unsafe { std::slice::from_raw_parts(plane.data, len) };
        match bytes {
            1 => put::<1>(values, into, |value| [value as u8]),
            2 => put::<2>(values, into, |value| (value as u16).to_ne_bytes()),
            _ => put::<4>(values, into, i32::to_ne_bytes),
        }
        rest = after;
    }
    rest.is_empty()
}

fn put<const BYTES: usize>(values: &[i32], into: &mut [u8], narrow: impl Fn(i32) -> [u8; BYTES]) {
    for (value, into) in values.iter().zip(into.as_chunks_mut::<BYTES>().0) {
        *into = narrow(*value);
    }
}

/// Where the library's bytes come from.
struct In<'a> {
    input: &'a mut dyn Input,
    at: u64,
    error: Option<io::Error>,
}

/// Gives up to `len` bytes; the largest number is the end.
unsafe extern "C" fn read(into: *mut c_void, len: usize, source: *mut c_void) -> usize {
    // SAFETY: the library gives back what `run` gave it, and room for `len` bytes, which are set before they are lent.
    let (source, into) = unsafe {
        into.cast::<u8>().write_bytes(0, len);
        (&mut *source.cast::<In<'_>>(), std::slice::from_raw_parts_mut(into.cast::<u8>(), len))
    };
    if source.at >= source.input.len() || source.error.is_some() {
        return usize::MAX;
    }
    match source.input.read(source.at, into) {
        Ok(read) if read > 0 => {
            source.at += read as u64;
            read
        }
        Ok(_) => usize::MAX,
        Err(error) => {
            source.error = Some(error);
            usize::MAX
        }
    }
}

unsafe extern "C" fn skip(bytes: i64, source: *mut c_void) -> i64 {
    // SAFETY: as in `read`.
    let source = unsafe { &mut *source.cast::<In<'_>>() };
    match source.at.checked_add_signed(bytes) {
        Some(at) if at <= source.input.len() => {
            source.at = at;
            bytes
        }
        _ => -1,
    }
}

unsafe extern "C" fn seek(to: i64, source: *mut c_void) -> i32 {
    // SAFETY: as in `read`.
    let source = unsafe { &mut *source.cast::<In<'_>>() };
    match u64::try_from(to) {
        Ok(at) if at <= source.input.len() => {
            source.at = at;
            1
        }
        _ => 0,
    }
}
