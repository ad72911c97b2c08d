//! How much work a tile is before any of it is done: the coding passes that its packets announce, counted from the
//! packets' headers alone (ISO/IEC 15444-1, annex B), times the samples that each of them goes over.
//!
//! A header of three bytes may announce passes over 4096 samples that have no bytes at all; a legal picture of so few
//! bytes is an empty one and announces next to none. Only tiles of few bytes for their samples need to be looked at.
//!
//! Memory: less than decoding the same tile takes, and given back before that begins.

mod bits;
mod precinct;
mod tree;

use super::geometry::{ceil_shift, touched};
use super::header::Component;
use super::style::{Change, Styles};
use bits::Bits;
use plimsoll_core::shape::Span;
use precinct::Precinct;
use std::borrow::Cow;

/// A tile of which packets are read.
pub(in crate::jp2) struct Packets<'a> {
    pub(in crate::jp2) styles: &'a Styles,
    /// Columns and rows of the tile on the reference grid.
    pub(in crate::jp2) tile: [Span; 2],
    /// Components.
    pub(in crate::jp2) components: &'a [Component],
    /// Largest resolutions that are left out.
    pub(in crate::jp2) reduce: u8,
}

/// A precinct and its place in the order of packets.
struct Seat {
    component: u16,
    resolution: u8,
    /// Row and column of its first sample on the reference grid.
    place: [u32; 2],
    /// Its number within the resolution.
    number: u32,
    precinct: Precinct,
}

impl Packets<'_> {
    /// Samples that the coding passes in `body`, the tile's packets, go over; counting ends above `most`. Where packets'
    /// headers are `packed` elsewhere, the bodies alone stand in `body`.
    ///
    /// Counts what is announced up to where the packets end, or where the codec would refuse them.
    pub(in crate::jp2) fn pass_samples(&self, packed: Option<&[u8]>, body: &[u8], most: u64) -> u64 {
        let mut seats = self.seats();
        let mut reader = Reader::new(packed, body, most);
        for change in self.changes().iter() {
            if self.volume(change, &mut seats, &mut reader).is_none() {
                break;
            }
        }
        reader.sum
    }

    /// The progressions: those that were told, or the one of all packets.
    fn changes(&self) -> Cow<'_, [Change]> {
        if !self.styles.changes.is_empty() {
            return Cow::Borrowed(&self.styles.changes);
        }
        Cow::Owned(vec![Change {
            resolutions: (0, u8::MAX),
            components: (0, u16::MAX),
            layers: self.styles.layers,
            progression: self.styles.progression,
        }])
    }

    /// All precincts.
    fn seats(&self) -> Vec<Seat> {
        let mut seats = Vec::new();
        for ((component, style), described) in (0u16..).zip(&self.styles.components).zip(self.components) {
            let tile = [0, 1].map(|axis| described.samples(axis, self.tile[axis]));
            for resolution in 0..=style.levels {
                let down = u32::from(style.levels - resolution);
                let bits = style.precinct(resolution);
                let spans = tile.map(|span| [ceil_shift(span.start(), down), ceil_shift(span.end(), down)]);
                let first = [0, 1].map(|axis| spans[axis][0] >> bits[axis]);
                let count = [0, 1].map(|axis| touched(spans[axis][0], spans[axis][1], bits[axis]) as u32);
                let begins = |axis: usize, index: u32| {
                    let sample = u64::from(first[axis] + index) << bits[axis];
                    let within = sample >= u64::from(spans[axis][0]);
                    let step = u64::from(described.step[axis]);
                    let at =
                        if within { (sample << down) * step } else { u64::from(self.tile[axis].start()) };
                    at.min(u64::from(u32::MAX)) as u32
                };
                for (number, (row, col)) in
                    (0u32..).zip((0..count[1]).flat_map(|row| (0..count[0]).map(move |col| (row, col))))
                {
                    seats.push(Seat {
                        component,
                        resolution,
                        place: [begins(1, row), begins(0, col)],
                        number,
                        precinct: Precinct::new(style, resolution, tile, [first[0] + col, first[1] + row]),
                    });
                }
            }
        }
        seats
    }

    /// The packets of one progression; `None` at their end.
    fn volume(&self, change: &Change, seats: &mut [Seat], reader: &mut Reader<'_>) -> Option<()> {
        let layers = u32::from(change.layers.min(self.styles.layers));
        let order = change.progression;
        seats.sort_by_key(|seat| {
            let (component, resolution) = (u32::from(seat.component), u32::from(seat.resolution));
            let [y, x] = seat.place;
            match order {
                0 | 1 => [resolution, component, seat.number, 0, 0],
                2 => [resolution, y, x, component, seat.number],
                3 => [y, x, component, resolution, seat.number],
                _ => [component, y, x, resolution, seat.number],
            }
        });
        // Layers go round within all precincts, those of a resolution, or one.
        let together = |a: &Seat, b: &Seat| match order {
            0 => true,
            1 => a.resolution == b.resolution,
            _ => false,
        };
        for group in seats.chunk_by_mut(together) {
            for layer in 0..layers {
                for seat in &mut *group {
                    let within = (change.components.0..change.components.1).contains(&seat.component)
                        && (change.resolutions.0..change.resolutions.1).contains(&seat.resolution)
                        && seat.precinct.layers == layer;
                    if within {
                        self.packet(seat, reader)?;
                    }
                }
            }
        }
        Some(())
    }

    /// One packet; `None` where they end.
    fn packet(&self, seat: &mut Seat, reader: &mut Reader<'_>) -> Option<()> {
        let style = self.styles.components.get(usize::from(seat.component))?;
        if self.styles.marks && reader.bodies().starts_with(&[0xFF, 0x91]) {
            *reader.bodies() = reader.bodies().get(6..)?;
        }
        if reader.headers.is_empty() {
            return None;
        }
        let mut bits = Bits::new(reader.headers);
        let [body, samples] = seat.precinct.packet(style.bits, &mut bits).ok()?;
        // Passes over resolutions that are left out are not taken.
        if seat.resolution + self.reduce <= style.levels {
            reader.sum = reader.sum.saturating_add(samples);
        }
        reader.headers = bits.finish();
        if self.styles.ends && reader.headers.starts_with(&[0xFF, 0x92]) {
            reader.headers = reader.headers.get(2..)?;
        }
        *reader.bodies() = reader.bodies().get(usize::try_from(body).ok()?..)?;
        (reader.sum <= reader.most).then_some(())
    }
}

/// What is left of the packets, and what was counted.
struct Reader<'a> {
    /// Headers, with the bodies between them if those are not apart.
    headers: &'a [u8],
    apart: Option<&'a [u8]>,
    sum: u64,
    most: u64,
}

impl<'a> Reader<'a> {
    fn new(packed: Option<&'a [u8]>, body: &'a [u8], most: u64) -> Self {
        Self { headers: packed.unwrap_or(body), apart: packed.map(|_| body), sum: 0, most }
    }

    /// Where the bodies go on.
    fn bodies(&mut self) -> &mut &'a [u8] {
        self.apart.as_mut().unwrap_or(&mut self.headers)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Header;
    use super::super::header::segment;
    use super::super::marker;
    use super::super::parts::{Part, SOT_BYTES, walk};
    use super::*;
    use crate::Bytes;
    use plimsoll_core::bytes::ReadAt;
    use std::io;
    use std::process::Command;
    use std::sync::Arc;

    struct File(Vec<u8>);

    impl ReadAt for File {
        type Error = io::Error;
        fn len(&self) -> u64 {
            self.0.len() as u64
        }
        fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
            self.0.as_slice().read_at(offset, into).map_err(|_| io::ErrorKind::UnexpectedEof.into())
        }
    }

    /// Where a part's packets are in the file; what its head says of styles goes into `styles`.
    fn body(bytes: &Bytes, part: Part, styles: &mut Styles) -> std::ops::Range<usize> {
        let mut at = part.offset + SOT_BYTES;
        loop {
            let (name, len, next) = segment(bytes, at).unwrap();
            if name == marker::SOD {
                return at as usize + 2..(part.offset + u64::from(part.bytes)) as usize;
            }
            let mut data = vec![0; usize::from(len)];
            bytes.read_at(at + 4, &mut data).unwrap();
            styles.apply(name, &data, at).unwrap();
            at = next;
        }
    }

    /// Headers of packets, and what is left of these: both ends of a header are marked.
    fn apart(packets: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let (mut headers, mut bodies, mut at, mut header) = (Vec::new(), Vec::new(), 0, false);
        while at < packets.len() {
            if packets[at..].starts_with(&[0xFF, 0x91]) {
                bodies.extend_from_slice(&packets[at..at + 6]);
                (at, header) = (at + 6, true);
                continue;
            }
            let ends = packets[at..].starts_with(&[0xFF, 0x92]);
            let len = if ends { 2 } else { 1 };
            if header { &mut headers } else { &mut bodies }.extend_from_slice(&packets[at..at + len]);
            (at, header) = (at + len, header && !ends);
        }
        (headers, bodies)
    }

    /// The oracle is another program's coder: where its packets end is where the tile ends, which a header that is read
    /// wrong by one bit misses; and lossless blocks have three passes for a bit-plane, but for the first.
    #[test]
    fn packets_of_another_coder_are_followed_to_their_end() {
        if Command::new("opj_compress").output().is_err() {
            println!("skipped: no opj_compress here");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let (input, output) = (folder.path().join("in.ppm"), folder.path().join("out.j2k"));
        let (cols, rows) = (203u32, 177u32);
        let mut state = 7u32;
        let mut picture = format!("P6\n{cols} {rows}\n255\n").into_bytes();
        picture.extend((0..cols * rows * 3).map(|index| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (index / 7) as u8 ^ (state >> 29) as u8
        }));
        let raw = folder.path().join("in.raw");
        std::fs::write(&raw, &picture).unwrap();
        std::fs::write(&input, picture).unwrap();
        let settings = [
            "-n 1",
            "-p LRCP -r 20,7,1",
            "-p RLCP -r 20,7,1 -n 4",
            "-p RPCL -c [64,64],[32,64] -b 16,32 -t 101,99",
            "-p PCRL -c [32,64],[64,32] -r 9,1 -d 13,7 -T 5,3 -t 90,80",
            "-p CPRL -c [64,32],[32,32] -SOP -EPH -t 64,64",
            "-M 1 -b 4,4 -r 8,2,1",
            "-M 4 -I -r 10",
            "-M 63 -n 3 -r 5,1",
            "-POC T1=0,0,1,3,3,RLCP/T1=3,0,1,6,3,CPRL",
            // Progressions that overlap are beyond this coder: its own decoder loses its way in them.
            "-POC T1=0,0,3,2,3,LRCP/T1=2,0,3,6,3,RPCL -r 8,4,1",
            // Components of different sizes: the order by place is that of the reference grid.
            "-p RPCL -F 202,177,3,8,u@1x1:2x2:2x2 -c [64,64],[32,64] -b 16,32 -t 100,80",
            "-p PCRL -F 203,177,3,8,u@1x1:2x1:1x2 -c [32,64],[64,32] -d 13,7 -T 4,2 -t 90,80",
            "-p CPRL -F 203,177,3,8,u@3x3:1x1:1x3 -c [64,32],[32,32] -SOP -EPH -t 66,36",
            "-p LRCP -F 203,177,3,8,u@1x1:2x2:4x4 -r 20,7,1",
            // Of high throughput, which only Grok's coder writes: one pass over everything, or few.
            "-M 64 -p CPRL -b 4,64 -t 64,64 -n 4",
            "-M 64 -I",
        ];
        let grok = Command::new("grk_compress").output().is_ok();
        if !grok {
            println!("skipped: no grk_compress here, so nothing of high throughput");
        }
        for options in settings {
            let input = if options.contains("-F") { &raw } else { &input };
            let sets = options.contains("-M 64");
            if sets && !grok {
                continue;
            }
            let run = Command::new(if sets { "grk_compress" } else { "opj_compress" })
                .args(options.split(' '))
                .arg("-i")
                .arg(input)
                .arg("-o")
                .arg(&output)
                .output()
                .unwrap();
            let content = std::fs::read(&output).unwrap_or_else(|_| panic!("{options}: {run:?}"));
            std::fs::remove_file(&output).unwrap();
            let bytes: Bytes = Arc::new(File(content.clone()));
            let header = Header::read(&bytes, 0).unwrap();
            let across = header.tiles_along(0);
            let mut parts = Vec::new();
            let tiles = u64::from(across * header.tiles_along(1));
            walk(&bytes, header.end, bytes.len(), tiles, |part| {
                parts.push(part);
                Ok(())
            })
            .unwrap();
            parts.sort_unstable();
            let mut samples = 0;
            for tile in parts.chunk_by(|a, b| a.tile == b.tile) {
                let mut styles = header.styles.of_tile();
                let bodies = tile.iter().map(|part| content[body(&bytes, *part, &mut styles)].to_vec());
                let all: Vec<u8> = bodies.flatten().collect();
                let index = u32::from(tile[0].tile);
                let packets = header.packets(&styles, [index % across, index / across], 0);
                let mut seats = packets.seats();
                let mut reader = Reader::new(None, &all, u64::MAX);
                for change in packets.changes().iter() {
                    assert!(
                        packets.volume(change, &mut seats, &mut reader).is_some(),
                        "{options}: tile {index}"
                    );
                }
                assert_eq!(reader.headers.len(), 0, "{options}: tile {index} of {} bytes", all.len());
                let layers = u32::from(header.styles.layers);
                assert!(seats.iter().all(|seat| seat.precinct.layers == layers), "{options}: tile {index}");
                assert_eq!(packets.pass_samples(None, &all, u64::MAX), reader.sum);
                if options.contains("-SOP -EPH") {
                    let (headers, bodies) = apart(&all);
                    assert_eq!(
                        packets.pass_samples(Some(&headers), &bodies, u64::MAX),
                        reader.sum,
                        "{options}"
                    );
                    assert_ne!(packets.pass_samples(None, &bodies, u64::MAX), reader.sum, "{options}");
                }
                samples += reader.sum;
            }
            // Noise in the lowest three bits of three bands: some passes over all of it, and no more than there are.
            let count = |component| {
                let spans = [0, 1].map(|axis| {
                    let tiles = 0..header.tiles_along(axis);
                    tiles.map(|index| u64::from(header.samples(component, axis, index, 0).len())).sum::<u64>()
                });
                spans[0] * spans[1]
            };
            let all: u64 = header.components.iter().map(count).sum();
            let most = if sets { all / 2..all * 3 } else { all * 3..all * 33 };
            assert!(most.contains(&samples), "{options}: {samples} of {all}");
        }
    }
}
