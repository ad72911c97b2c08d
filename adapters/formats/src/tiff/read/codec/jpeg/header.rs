//! The frame header of a JPEG picture (ITU-T T.81 section B.2.2): what is looked at before any memory is taken.

use super::{MOST_COMPONENTS, Trouble};
use crate::FormatError;
use crate::tiff::read::file::{File, unsupported};

/// How one component is sampled: samples across and down where the most finely sampled has the frame's most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sampling {
    pub(super) across: u8,
    pub(super) down: u8,
}

/// A component of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Component {
    pub(super) id: u8,
    pub(super) sampling: Sampling,
    /// Number of its table of steps.
    pub(super) steps: u8,
}

/// A picture's size and components.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::tiff::read) struct Picture {
    pub(super) rows: u32,
    pub(super) cols: u32,
    pub(super) components: [Component; MOST_COMPONENTS as usize],
    pub(super) count: usize,
}

impl Picture {
    /// From the frame header of marker `kind` (`0xc0` ...), without marker and length.
    pub(super) fn read(kind: u8, body: &[u8]) -> Result<Self, Trouble> {
        match kind {
            0xc0 | 0xc1 => {}
            0xc2 => return Err(Trouble::Unsupported("progressive JPEG")),
            0xc3 => return Err(Trouble::Unsupported("lossless JPEG")),
            0xc9 => return Err(Trouble::Unsupported("arithmetic-coded JPEG")),
            _ => return Err(Trouble::Unsupported("hierarchical or arithmetic-coded JPEG")),
        }
        let Some(([precision, y1, y0, x1, x0, count], rest)) = body.split_first_chunk() else {
            return Err(Trouble::Damaged);
        };
        if *precision != 8 {
            return Err(Trouble::Unsupported("JPEG of more than 8 bits a sample"));
        }
        let mut picture = Self {
            rows: u32::from(u16::from_be_bytes([*y1, *y0])),
            cols: u32::from(u16::from_be_bytes([*x1, *x0])),
            components: Default::default(),
            count: usize::from(*count),
        };
        if picture.rows == 0 {
            return Err(Trouble::Unsupported("JPEG that states its height after its data"));
        }
        let (entries, _) = rest.as_chunks::<3>();
        if picture.cols == 0 || *count == 0 || *count > MOST_COMPONENTS as u8 || entries.len() < picture.count
        {
            return Err(Trouble::Damaged);
        }
        for (component, [id, factors, steps]) in
            picture.components.iter_mut().zip(entries).take(picture.count)
        {
            let sampling = Sampling { across: factors >> 4, down: factors & 15 };
            let good = |factor| matches!(factor, 1..=4);
            if !good(sampling.across) || !good(sampling.down) || *steps > 3 {
                return Err(Trouble::Damaged);
            }
            *component = Component { id: *id, sampling, steps: *steps };
        }
        // A lone component has one block after the other, whatever it says.
        if picture.count == 1 {
            picture.components[0].sampling = Sampling { across: 1, down: 1 };
        }
        let most = picture.most();
        let used = &picture.components[..picture.count];
        let blocks =
            |component: &Component| u32::from(component.sampling.across) * u32::from(component.sampling.down);
        if used.iter().map(blocks).sum::<u32>() > 10 {
            return Err(Trouble::Damaged);
        }
        let even = |component: &Component| {
            most.across.is_multiple_of(component.sampling.across)
                && most.down.is_multiple_of(component.sampling.down)
        };
        if !used.iter().all(even) {
            return Err(Trouble::Unsupported("JPEG components that are sampled at odd ratios"));
        }
        Ok(picture)
    }

    /// The components.
    pub(super) fn used(&self) -> &[Component] {
        &self.components[..self.count]
    }

    /// The finest sampling in each direction.
    pub(super) fn most(&self) -> Sampling {
        self.used().iter().fold(Sampling { across: 1, down: 1 }, |most, component| Sampling {
            across: most.across.max(component.sampling.across),
            down: most.down.max(component.sampling.down),
        })
    }

    /// Rows of blocks, and blocks of the most finely sampled component in each, that come together.
    pub(super) fn groups_across(&self) -> u32 {
        self.cols.div_ceil(8 * u32::from(self.most().across))
    }
}

/// Segments that are looked at before the frame header: real pictures have a handful.
const MOST_SEGMENTS: u32 = 400;

/// The frame header of the picture at `offset`; `None` where none is found.
///
/// # Errors
/// [`FormatError::Unsupported`] if it is of a kind that is not read, [`FormatError::Io`] if the device fails.
pub(in crate::tiff::read) fn find_frame(
    file: &File,
    mut offset: u64,
) -> Result<Option<Picture>, FormatError> {
    let read = |at: u64, into: &mut [u8]| match file.check(at, into.len() as u64, "") {
        Ok(()) => file.read(at, into, "a JPEG header").map(|()| true),
        Err(_) => Ok(false),
    };
    let mut head = [0; 4];
    for _ in 0..MOST_SEGMENTS {
        if !read(offset, &mut head)? || head[0] != 0xff {
            return Ok(None);
        }
        let (kind, bytes) = (head[1], u16::from_be_bytes([head[2], head[3]]));
        match kind {
            0xff => offset += 1,
            0xd8 | 0x01 => offset += 2,
            0xd9 | 0xda | 0xd0..=0xd7 | 0 => return Ok(None),
            0xc0..=0xcf if !matches!(kind, 0xc4 | 0xc8 | 0xcc) => {
                let mut body = [0; 6 + 3 * MOST_COMPONENTS as usize];
                let len = usize::from(bytes).saturating_sub(2).min(body.len());
                let body = &mut body[..len];
                if !read(offset + 4, body)? {
                    return Ok(None);
                }
                return match Picture::read(kind, body) {
                    Ok(picture) => Ok(Some(picture)),
                    Err(Trouble::Unsupported(what)) => Err(unsupported(what)),
                    Err(Trouble::Damaged) => Ok(None),
                };
            }
            _ => offset += 2 + u64::from(bytes.max(2)),
        }
    }
    Ok(None)
}
