//! The numbers of TIFF in words, for facts and messages.

use super::layout::{Layout, Predictor};
use crate::tiff::tags::{compression as method, photometric as meaning, sample_format as format};

/// A compression by its usual name.
pub(super) fn compression(number: u16) -> &'static str {
    match number {
        method::NONE => "none",
        2 => "CCITT modified Huffman",
        3 => "CCITT Group 3",
        4 => "CCITT Group 4",
        method::LZW => "lzw",
        6 => "old-style JPEG",
        7 => "JPEG",
        method::DEFLATE | method::OLD_DEFLATE => "deflate",
        9 => "JBIG black and white",
        10 => "JBIG colour",
        32766 => "NeXT",
        32771 => "CCITT word-aligned",
        method::PACK_BITS => "packbits",
        32809 => "ThunderScan",
        32909 => "Pixar film",
        32908 => "Pixar log",
        34661 => "JBIG",
        34676 => "SGI log",
        34677 => "SGI log 24",
        33003 | 33004 | 33005 | 34712 => "JPEG 2000",
        34887 => "LERC",
        34892 => "lossy DNG JPEG",
        34925 => "LZMA",
        50000 => "Zstandard",
        50001 => "WebP",
        50002 => "JPEG XL",
        _ => "an unknown",
    }
}

/// A sample format in words.
pub(super) fn sample_format(number: u16) -> String {
    match number {
        format::UNSIGNED => "unsigned integer".to_string(),
        format::SIGNED => "signed integer".to_string(),
        format::FLOAT => "float".to_string(),
        5 => "complex integer".to_string(),
        6 => "complex float".to_string(),
        other => format!("sample format {other}"),
    }
}

/// A photometric interpretation in words.
pub(super) fn photometric(number: u16) -> &'static str {
    match number {
        meaning::MIN_IS_WHITE => "min-is-white",
        meaning::MIN_IS_BLACK => "grey",
        meaning::RGB => "rgb",
        meaning::PALETTE => "palette",
        meaning::MASK => "mask",
        meaning::SEPARATED => "cmyk",
        meaning::YCBCR => "ycbcr",
        meaning::CIELAB | meaning::ICCLAB | meaning::ITULAB => "lab",
        meaning::CFA => "cfa",
        meaning::LINEAR_RAW => "linear raw",
        _ => "unknown",
    }
}

/// What the bands of a page mean.
pub(super) fn colour(layout: &Layout) -> &'static str {
    match (layout.photometric, layout.shape.bands) {
        (meaning::RGB, 4) if layout.has_alpha() => "rgba",
        (number, _) => photometric(number),
    }
}

/// A predictor by its usual name.
pub(super) fn predictor(predictor: Predictor) -> &'static str {
    match predictor {
        Predictor::None => "none",
        Predictor::Horizontal => "horizontal",
        Predictor::Float => "floating point",
    }
}

/// Where an image's first row and column are shown, and what sets it upright: samples come as they are stored.
pub(super) fn orientation(number: u16) -> String {
    let places = [
        "top left",
        "top right",
        "bottom right",
        "bottom left",
        "left top",
        "right top",
        "right bottom",
        "left bottom",
    ];
    let upright = match number {
        1 => "",
        _ => " (`--upright` undoes it)",
    };
    match number.checked_sub(1).and_then(|index| places.get(usize::from(index))) {
        Some(place) => format!("first row and column at the {place}{upright}"),
        None => format!("unknown ({number})"),
    }
}
