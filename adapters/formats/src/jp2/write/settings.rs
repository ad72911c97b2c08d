//! What may be asked of a JPEG 2000 file, and whether it can be had.

use super::target::Tiled;
use crate::jp2::codec::{CODES_RPCL, Coding, Loss, RPCL};
use crate::jp2::codestream::geometry::ceil_shift;
use crate::jp2::codestream::header::MOST_TILES;
use crate::jp2::{Jpeg2000, unsupported, usage};
use crate::{Compression, FormatError, TileGrid, Wanted};
use plimsoll_core::shape::{SampleKind, Shape, Span};
use std::sync::Arc;

/// Side of a tile that nobody named.
const USUAL_TILE: u32 = 1024;

/// Sides of tiles.
const TILES: std::ops::RangeInclusive<u32> = 32..=16384;

/// The most bytes of an ICC profile or of XMP.
const MOST_EXTRA_BYTES: usize = 16 << 20;

/// What is lost of the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Quality {
    /// Nothing: every sample comes back.
    #[default]
    Lossless,
    /// As much as makes the file about this many times smaller than its samples; 1 and more. Each tile by itself.
    Ratio(f32),
    /// As much as leaves about this peak signal-to-noise ratio in dB, 1 to 150. Each tile by itself.
    Psnr(f32),
}

/// In which order the packets of a tile follow each other (ISO/IEC 15444-1, B.12): by layer (L), resolution (R),
/// component (C) and place (P), the slowest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Progression {
    /// Quality first.
    Lrcp,
    /// Resolution first, then quality.
    Rlcp,
    /// Resolution first, then place: small views cost little.
    #[default]
    Rpcl,
    /// Place first.
    Pcrl,
    /// Component first.
    Cprl,
}

/// What JPEG 2000 can be told beside what every format can.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Jp2Wanted {
    /// What is lost.
    pub quality: Quality,
    /// Resolutions, each half of the one before: 1 to 33; 6 if absent, or as many as a tile has room for.
    pub resolutions: Option<u8>,
    /// Quality layers, 1 to 32; 1 if absent. Each but the last holds half of the next one's bytes, or 6 dB less.
    pub layers: Option<u8>,
    /// The order of packets.
    pub progression: Progression,
}

/// Points a metre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resolution {
    /// Along a column.
    pub down: f64,
    /// Along a row.
    pub across: f64,
}

/// What stands beside the pixels of a JP2 file.
#[derive(Clone, Debug, Default)]
pub struct Extras {
    /// An ICC profile, copied byte for byte.
    pub icc: Option<Arc<[u8]>>,
    /// The capture resolution.
    pub resolution: Option<Resolution>,
    /// An XMP packet, copied byte for byte.
    pub xmp: Option<Arc<[u8]>>,
}

impl Extras {
    pub(super) fn bytes(&self) -> u64 {
        [&self.icc, &self.xmp].into_iter().flatten().map(|bytes| bytes.len() as u64).sum()
    }
}

/// Whether and how a picture of this shape becomes a JPEG 2000 file.
///
/// # Errors
/// [`FormatError::Usage`] and [`FormatError::Unsupported`] that name what would do.
pub(in crate::jp2) fn target(
    format: Jpeg2000,
    shape: Shape,
    wanted: Wanted,
    extras: Extras,
) -> Result<Tiled, FormatError> {
    let bits = match shape.kind {
        SampleKind::U8 => 8,
        SampleKind::U16 => 16,
        other => {
            return Err(unsupported(format!(
                "samples of {other} (write u8 or u16: --do to:u8 or --do to:u16)"
            )));
        }
    };
    if !(1..=4).contains(&shape.bands) {
        return Err(unsupported(format!("a picture of {} bands (1 to 4 are written)", shape.bands)));
    }
    if shape.rows == 0 || shape.cols == 0 || shape.rows > i32::MAX as u32 || shape.cols > i32::MAX as u32 {
        return Err(usage(format!("an image of {} x {} pixels", shape.cols, shape.rows)));
    }
    if wanted.compression != Compression::Usual {
        return Err(usage("it has a compression of its own: leave --compression out"));
    }
    if wanted.file_strip_rows.is_some() {
        return Err(usage("it has tiles and no strips"));
    }
    if wanted.tile.is_some_and(|tile| !TILES.contains(&tile)) {
        let (least, most) = (TILES.start(), TILES.end());
        return Err(usage(format!(
            "tiles of {} pixels: {least} to {most} are possible",
            wanted.tile.unwrap_or(0)
        )));
    }
    // A tile that is larger than the picture would only cost memory.
    let longest = shape.rows.max(shape.cols).max(*TILES.start()).checked_next_power_of_two();
    let side = wanted.tile.unwrap_or(USUAL_TILE).min(longest.unwrap_or(u32::MAX));
    let grid = TileGrid { shape, side };
    if grid.tiles() > MOST_TILES {
        let problem = format!(
            "{} tiles of {side} x {side} pixels, of which a file holds {MOST_TILES}: --tile {} or more",
            grid.tiles(),
            smallest_side(shape)
        );
        return Err(usage(problem));
    }
    if wanted.tile_order && grid.order_shape().is_none() {
        return Err(usage("too many tiles to be written one after the other"));
    }
    let most = (1..=side.ilog2() as u8 + 1).rev().find(|count| !has_lone_sample(&grid, *count)).unwrap_or(1);
    let jp2 = wanted.jp2;
    let resolutions = jp2.resolutions.unwrap_or(6.min(most));
    if resolutions == 0 || resolutions > most {
        let problem =
            format!("{resolutions} resolutions: tiles of {side} pixels of this picture have 1 to {most}");
        return Err(usage(problem));
    }
    let layers = jp2.layers.unwrap_or(1);
    if !(1..=32).contains(&layers) {
        return Err(usage(format!("{layers} layers: 1 to 32 are possible")));
    }
    let loss = match jp2.quality {
        Quality::Lossless => Loss::None,
        Quality::Ratio(ratio) if (1.0..=10_000.0).contains(&ratio) => Loss::Ratio(ratio),
        Quality::Ratio(ratio) => return Err(usage(format!("a ratio of {ratio}: 1 to 10000 are possible"))),
        Quality::Psnr(psnr) if (1.0..=150.0).contains(&psnr) => Loss::Psnr(psnr),
        Quality::Psnr(psnr) => return Err(usage(format!("a PSNR of {psnr} dB: 1 to 150 are possible"))),
    };
    if format == Jpeg2000::J2k
        && (extras.icc.is_some() || extras.resolution.is_some() || extras.xmp.is_some())
    {
        return Err(unsupported("a profile, a resolution or XMP in a codestream without boxes (write .jp2)"));
    }
    if let Some(extra) =
        [&extras.icc, &extras.xmp].into_iter().flatten().find(|it| it.len() > MOST_EXTRA_BYTES)
    {
        return Err(unsupported(format!("a profile or XMP of {} bytes (16 MiB are the most)", extra.len())));
    }
    let coding = Coding {
        bands: shape.bands,
        bits,
        tile: side,
        resolutions,
        progression: jp2.progression as u8,
        layers,
        loss,
    };
    let tiled = Tiled::new(format, grid, coding, wanted, extras);
    if coding.progression == RPCL && !CODES_RPCL && shape.bands > 1 {
        let what = if layers > 1 {
            "several layers"
        } else if tiled.lane.count().most_precincts > 1 {
            "tiles across a multiple of 32768 pixels"
        } else {
            return Ok(tiled);
        };
        return Err(unsupported(format!("the order RPCL with {what} (write --progression rlcp)")));
    }
    Ok(tiled)
}

/// Whether some tile comes down to one sample at an odd place before the last of so many resolutions: the wavelet
/// doubles it there (ISO/IEC 15444-1, F.4.8), and openjp2 0.6.1 forgets to.
fn has_lone_sample(grid: &TileGrid, resolutions: u8) -> bool {
    let lone = |span: Span| {
        (0..u32::from(resolutions).saturating_sub(1)).any(|down| {
            let (start, end) = (ceil_shift(span.start(), down), ceil_shift(span.end(), down));
            end - start == 1 && start % 2 == 1
        })
    };
    (0..grid.across()).any(|index| lone(grid.cols(index)))
        || (0..grid.down()).any(|index| lone(grid.rows(index)))
}

/// The smallest side, as a power of two, with which a file holds all tiles.
fn smallest_side(shape: Shape) -> u32 {
    let fits = |side: &u32| TileGrid { shape, side: *side }.tiles() <= MOST_TILES;
    (5..=14).map(|bits| 1 << bits).find(fits).unwrap_or(*TILES.end())
}
