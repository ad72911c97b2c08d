//! Codestreams of OpenJPEG's coder, which keeps headers of packets with their packets, put together anew with these headers
//! in the heads of tile-parts (PPT) or in the main header (PPM, ISO/IEC 15444-1, A.7.4 and A.7.5).

use super::{number, picture};
use plimsoll_core::shape::Shape;
use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

/// A codestream taken apart.
#[derive(Clone)]
pub(crate) struct Apart {
    /// Up to the first tile-part.
    pub(crate) head: Vec<u8>,
    pub(crate) parts: Vec<TilePart>,
    /// From the end of the last one on.
    pub(crate) tail: Vec<u8>,
}

#[derive(Clone)]
pub(crate) struct TilePart {
    pub(crate) tile: usize,
    /// From its start-of-tile marker up to its start-of-data marker.
    head: Vec<u8>,
    pub(crate) headers: Vec<u8>,
    bodies: Vec<u8>,
}

/// A codestream of the picture whose packets have marks before and after their headers.
pub(crate) fn marked(folder: &Path, shape: Shape, options: &[&str]) -> Vec<u8> {
    let (source, path) = (folder.join("in.ppm"), folder.join("marked.j2k"));
    let head = format!("P6\n{} {}\n255\n", shape.cols, shape.rows);
    std::fs::write(&source, [head.as_bytes(), &picture(shape, false)].concat()).unwrap();
    let mut run = Command::new("opj_compress");
    run.arg("-i").arg(&source).arg("-o").arg(&path).args(["-SOP", "-EPH"]).args(options);
    assert!(run.output().unwrap().status.success() && path.exists());
    std::fs::read(path).unwrap()
}

/// A segment with a number before what is in it.
pub(crate) fn segment(name: u8, number: u8, data: &[u8]) -> Vec<u8> {
    let len = (data.len() as u16 + 3).to_be_bytes();
    [&[0xFF, name], &len[..], &[number], data].concat()
}

impl Apart {
    /// Takes apart what [`marked`] gives.
    pub(crate) fn new(file: &[u8]) -> Self {
        let mut at = 2;
        while file[at..at + 2] != [0xFF, 0x90] {
            at += 2 + number(&file[at + 2..at + 4]);
        }
        let (head, mut parts) = (file[..at].to_vec(), Vec::new());
        while file[at..at + 2] == [0xFF, 0x90] {
            let (tile, begun) = (number(&file[at + 4..at + 6]), at);
            let end = at + number(&file[at + 6..at + 10]);
            at += 12;
            while file[at..at + 2] != [0xFF, 0x93] {
                at += 2 + number(&file[at + 2..at + 4]);
            }
            let head = file[begun..at].to_vec();
            at += 2;
            let (mut headers, mut bodies, mut header) = (Vec::new(), Vec::new(), false);
            while at < end {
                // Neither headers nor bodies have bytes that look like marks.
                let (len, ends) = match file[at..end] {
                    [0xFF, 0x91, ..] => (6, false),
                    [0xFF, 0x92, ..] => (2, true),
                    _ => (1, false),
                };
                if len == 6 {
                    bodies.extend_from_slice(&file[at..at + 6]);
                    header = true;
                } else {
                    if header { &mut headers } else { &mut bodies }.extend_from_slice(&file[at..at + len]);
                    header &= !ends;
                }
                at += len;
            }
            parts.push(TilePart { tile, head, headers, bodies });
        }
        Self { head, parts, tail: file[at..].to_vec() }
    }

    /// With what these segments are in the main header, and those before each tile-part's data.
    pub(crate) fn together(&self, main: &[Vec<u8>], of_part: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
        let mut out = [&self.head[..], &main.concat()].concat();
        for (index, part) in self.parts.iter().enumerate() {
            let begun = out.len();
            out.extend([&part.head[..], &of_part(index), &[0xFF, 0x93], &part.bodies].concat());
            let len = ((out.len() - begun) as u32).to_be_bytes();
            out[begun + 6..begun + 10].copy_from_slice(&len);
        }
        [&out[..], &self.tail].concat()
    }

    /// With all headers of packets in segments of at most `most` bytes in the heads of tile-parts.
    pub(crate) fn in_parts(&self, most: usize) -> Vec<u8> {
        let mut numbers = HashMap::<usize, u8>::new();
        let mut of_parts = Vec::new();
        for part in &self.parts {
            let next = numbers.entry(part.tile).or_default();
            let segments = part.headers.chunks(most).map(|headers| {
                *next += 1;
                segment(0x61, *next - 1, headers)
            });
            of_parts.push(segments.collect::<Vec<_>>().concat());
        }
        self.together(&[], |index| of_parts[index].clone())
    }

    /// All headers of packets as they stand in the main header: those of each tile-part behind their length.
    pub(crate) fn series(&self) -> Vec<u8> {
        let share =
            |part: &TilePart| [&(part.headers.len() as u32).to_be_bytes()[..], &part.headers].concat();
        self.parts.iter().flat_map(share).collect()
    }

    /// With these segments of the main header, which have at most `most` bytes of the series.
    pub(crate) fn in_main_header(&self, most: usize) -> Vec<u8> {
        self.together(&self.segments(most), |_| Vec::new())
    }

    /// Those segments.
    pub(crate) fn segments(&self, most: usize) -> Vec<Vec<u8>> {
        let series = self.series();
        assert!(series.len().div_ceil(most) <= 256, "{} bytes in segments of {most}", series.len());
        (0..).zip(series.chunks(most)).map(|(number, data)| segment(0x60, number as u8, data)).collect()
    }
}
