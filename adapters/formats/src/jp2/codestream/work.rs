//! How much work a tile may be for the bytes that it has and the samples that it gives: a codestream of some hundred
//! bytes can ask for hours of it.
//!
//! ```text
//! packets         1 a byte + 1024                  each has a byte at least, but for those of a tile that is cut short
//! places          256 a byte + 65536               looked at for precincts, where packets are ordered by position
//! visits          128 a byte + 1 a sample + 65536  of code-blocks by packets' headers, once for each layer
//! pass samples    8192 a byte + 8 a sample + 2^22  samples that coding passes go over
//! ```
//!
//! An ordinary picture has 24 to 54 pass samples for each sample, and a byte for 1 to 50 samples; an empty one has next
//! to none of both. A single point of 16 bits in a code-block of 4096 samples has 7000 a byte.

use super::passes::Packets;
use crate::FormatError;
use crate::jp2::codec::memory::TileCount;
use crate::jp2::malformed;

/// The most coding passes that the codec takes over a sample: it has no more than 30 bit-planes.
const MOST_PASSES: u64 = 88;

/// Refuses a tile whose numbers alone cost work out of proportion.
///
/// # Errors
/// [`FormatError::Malformed`].
pub(in crate::jp2) fn bounded(count: &TileCount, offset: u64) -> Result<(), FormatError> {
    let visits = count.blocks.saturating_mul(count.layers.min(count.bytes));
    let limits = [
        (count.packets, 1, 0, 1 << 10, "packets"),
        (count.walked, 256, 0, 1 << 16, "places where packets may begin"),
        (visits, 128, 1, 1 << 16, "visits of code-blocks"),
    ];
    for (work, a_byte, a_sample, free, what) in limits {
        let allowed = allowed(count, a_byte, a_sample, free);
        if work > allowed {
            let problem = format!("{work} {what} in a tile of {} compressed bytes", count.bytes);
            return Err(malformed(problem, offset));
        }
    }
    Ok(())
}

/// The most pass samples that such a tile may have; `None` where it cannot have more.
pub(in crate::jp2) fn most_pass_samples(count: &TileCount) -> Option<u64> {
    let allowed = allowed(count, 8192, 8, 1 << 22);
    (count.samples.saturating_mul(MOST_PASSES) > allowed).then_some(allowed)
}

/// Refuses a tile whose packets announce more pass samples than it may have: all of `body`, but for the headers that are
/// `packed` elsewhere.
///
/// # Errors
/// [`FormatError::Malformed`].
pub(in crate::jp2) fn bounded_passes(
    packets: &Packets<'_>,
    packed: Option<&[u8]>,
    body: &[u8],
    most: u64,
    offset: u64,
) -> Result<(), FormatError> {
    let samples = packets.pass_samples(packed, body, most);
    if samples > most {
        let problem = format!(
            "coding passes over {samples} samples and more in a tile of {} compressed bytes",
            body.len()
        );
        return Err(malformed(problem, offset));
    }
    Ok(())
}

fn allowed(count: &TileCount, a_byte: u64, a_sample: u64, free: u64) -> u64 {
    count
        .bytes
        .saturating_mul(a_byte)
        .saturating_add(count.samples.saturating_mul(a_sample))
        .saturating_add(free)
}
