//! One column of 32-bit integers through one back end, both ways: blocks go out, and come back before the next one.

use embedded_io::{Read, ReadExactError, Write};
use plimsoll_core::series::{
    Column, Damage, Decoder, Encoder, Kind, Misuse, Profile, Settings, TimeUnit, Word,
};

/// Bytes of one point in the input: its time (i64) and its value (i32), little-endian.
pub const POINT_BYTES: usize = 12;
/// The most bytes of a block.
pub const BLOCK_BYTES: usize = 1024;
/// Points taken at once: as many as are a group.
const BATCH: usize = 64;

/// Told what begins, so that somebody can count the work: the work only, not the streams.
pub trait Marks {
    /// Encoding.
    fn encode(&self) {}
    /// Decoding.
    fn decode(&self) {}
    /// Anything else.
    fn other(&self) {}
}

/// Nobody counts.
impl Marks for () {}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Points encoded.
    pub points: u32,
    /// Points decoded, equal to those.
    pub decoded: u32,
    /// Bytes of all blocks.
    pub bytes: u32,
}

/// Why it ended early.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Error<R, W> {
    /// Where points come from.
    Input(ReadExactError<R>),
    /// Where blocks go.
    Output(W),
    /// The encoder was asked for what it cannot do.
    Misuse(Misuse),
    /// A block did not come back as it went.
    Damage(Damage),
}

/// Encodes `points` points of `input`, decodes each block and writes it to `output`.
///
/// # Errors
/// By owner.
pub fn run<P: Profile, R: Read, W: Write>(
    points: u32,
    mut input: R,
    mut output: W,
    marks: &impl Marks,
) -> Result<Report, Error<R::Error, W::Error>> {
    let mut report = Report::default();
    let mut buffer = [0; BLOCK_BYTES];
    let settings = Settings::new(TimeUnit::Ticks, [Column::new(Kind::I32)]);
    let mut encoder = Encoder::<P, 1>::try_new(settings, &mut buffer).map_err(Error::Misuse)?;
    let (mut times, mut words) = ([0; BATCH], [Word::default(); BATCH]);
    while report.points < points {
        let now = BATCH.min((points - report.points) as usize);
        for (time, word) in times.iter_mut().zip(&mut words).take(now) {
            (*time, *word) = point(&mut input).map_err(Error::Input)?;
        }
        let (mut times, mut words) =
            (times.get(..now).unwrap_or_default(), words.get(..now).unwrap_or_default());
        while !times.is_empty() {
            marks.encode();
            let taken = encoder.push_slice(times, words);
            marks.other();
            let taken = taken.map_err(Error::Misuse)?;
            (times, words) = (times.get(taken..).unwrap_or_default(), words.get(taken..).unwrap_or_default());
            report.points += taken as u32;
            if !times.is_empty() {
                seal(&mut report, &mut encoder, &mut output, marks)?;
            }
        }
    }
    seal(&mut report, &mut encoder, &mut output, marks)?;
    output.flush().map_err(Error::Output)?;
    Ok(report)
}

fn seal<P: Profile, R, W: Write>(
    report: &mut Report,
    encoder: &mut Encoder<'_, P, 1>,
    output: &mut W,
    marks: &impl Marks,
) -> Result<(), Error<R, W::Error>> {
    marks.encode();
    let block = encoder.seal();
    marks.other();
    let Ok(block) = block else { return Ok(()) };
    report.bytes += block.len() as u32;
    marks.decode();
    let decoded = decode::<P>(block);
    marks.other();
    report.decoded += decoded.map_err(Error::Damage)?;
    output.write_all(block).map_err(Error::Output)
}

/// Decodes all points of a block and counts them.
#[inline(never)]
fn decode<P: Profile>(block: &[u8]) -> Result<u32, Damage> {
    let mut decoder = Decoder::<P, 1>::try_new(block)?;
    let (mut times, mut words) = ([0; BATCH], [Word::default(); BATCH]);
    let mut points = 0;
    while decoder.left() > 0 {
        points += decoder.decode_into(&mut times, &mut words)? as u32;
    }
    Ok(points)
}

fn point<R: Read>(input: &mut R) -> Result<(i64, Word), ReadExactError<R::Error>> {
    let (mut time, mut value) = ([0; 8], [0; 4]);
    input.read_exact(&mut time)?;
    input.read_exact(&mut value)?;
    Ok((i64::from_le_bytes(time), Word::from(i32::from_le_bytes(value))))
}
