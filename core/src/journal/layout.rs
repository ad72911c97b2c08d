//! Where everything lies on a flash, from its sizes alone. Proven once, here; all later arithmetic stands on it.

use super::flash::Geometry;
use super::{FIRST_BYTES, MAX_PAGE, PAGE_BYTES};
use core::fmt;

/// A geometry that a journal can live on. FORMAT.md, section 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Layout {
    geometry: Geometry,
    page_bytes: u16,
    pages: u16,
    sectors: u16,
}

/// Why a journal cannot live on a flash of these sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum GeometryError {
    /// The program size is no power of two from 1 to 256 bytes.
    WordBytes(u32),
    /// The erased value is neither 0xFF nor 0.
    Erased(u8),
    /// The erase size is no power of two.
    SectorBytes(u32),
    /// A sector holds fewer than 8 pages.
    SectorTooSmall {
        /// Its bytes.
        sector_bytes: u32,
        /// The least.
        least: u32,
    },
    /// A sector holds more than 65,535 pages.
    SectorTooLarge(u32),
    /// The capacity is no whole number of sectors.
    PartSector {
        /// Its bytes.
        capacity_bytes: u32,
        /// A sector's.
        sector_bytes: u32,
    },
    /// Fewer than [`super::MIN_SECTORS`] sectors.
    TooFewSectors(u32),
    /// More than 65,534 sectors.
    TooManySectors(u32),
}

impl fmt::Display for GeometryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::WordBytes(bytes) => {
                write!(f, "a program size of {bytes} bytes is no power of two from 1 to {MAX_PAGE}")
            }
            Self::Erased(value) => write!(f, "an erased value of {value:#04X} is neither 0xFF nor 0x00"),
            Self::SectorBytes(bytes) => write!(f, "an erase size of {bytes} bytes is no power of two"),
            Self::SectorTooSmall { sector_bytes, least } => {
                write!(f, "an erase size of {sector_bytes} bytes is too small: {least} at least")
            }
            Self::SectorTooLarge(bytes) => {
                write!(f, "an erase size of {bytes} bytes is more than 65535 pages")
            }
            Self::PartSector { capacity_bytes, sector_bytes } => {
                write!(
                    f,
                    "a capacity of {capacity_bytes} bytes is no whole number of sectors of {sector_bytes} bytes"
                )
            }
            Self::TooFewSectors(sectors) => {
                write!(f, "{sectors} sectors are too few: {} at least", super::MIN_SECTORS)
            }
            Self::TooManySectors(sectors) => write!(f, "{sectors} sectors are too many: 65534 at most"),
        }
    }
}

impl core::error::Error for GeometryError {}

impl Layout {
    /// Proves the geometry and derives the page size: a 32nd of a sector, at least a word and 64 bytes, at most 256.
    ///
    /// # Errors
    /// [`GeometryError`], one variant a rule.
    pub const fn new(geometry: Geometry) -> Result<Self, GeometryError> {
        let Geometry { capacity_bytes, sector_bytes, word_bytes, erased } = geometry;
        if !word_bytes.is_power_of_two() || word_bytes > MAX_PAGE as u32 {
            return Err(GeometryError::WordBytes(word_bytes));
        }
        if erased != 0xFF && erased != 0 {
            return Err(GeometryError::Erased(erased));
        }
        if !sector_bytes.is_power_of_two() {
            return Err(GeometryError::SectorBytes(sector_bytes));
        }
        let mut page_bytes = sector_bytes / 32;
        if page_bytes > MAX_PAGE as u32 {
            page_bytes = MAX_PAGE as u32;
        }
        if page_bytes < 64 {
            page_bytes = 64;
        }
        if page_bytes < word_bytes {
            page_bytes = word_bytes;
        }
        let pages = sector_bytes / page_bytes;
        if pages < 8 {
            return Err(GeometryError::SectorTooSmall { sector_bytes, least: 8 * page_bytes });
        }
        if pages > 0xFFFF {
            return Err(GeometryError::SectorTooLarge(sector_bytes));
        }
        // A sector is a power of two: so this is its place, and neither a mask nor a shift can divide by zero.
        let sector_log2 = sector_bytes.trailing_zeros();
        if capacity_bytes & (sector_bytes - 1) != 0 {
            return Err(GeometryError::PartSector { capacity_bytes, sector_bytes });
        }
        let sectors = capacity_bytes >> sector_log2;
        if sectors < super::MIN_SECTORS {
            return Err(GeometryError::TooFewSectors(sectors));
        }
        if sectors > 0xFFFE {
            return Err(GeometryError::TooManySectors(sectors));
        }
        // None is cut: each was compared with its type's largest value.
        Ok(Self { geometry, page_bytes: page_bytes as u16, pages: pages as u16, sectors: sectors as u16 })
    }

    /// The sizes it was made from.
    pub const fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// Bytes of a page, the piece that is programmed at a time.
    pub const fn page_bytes(&self) -> usize {
        self.page_bytes as usize
    }

    /// Pages of a sector, its header's among them.
    pub const fn pages(&self) -> u16 {
        self.pages
    }

    /// Sectors of the flash.
    pub const fn sectors(&self) -> u16 {
        self.sectors
    }

    /// The longest record in bytes: one that fills a sector.
    pub const fn max_record_bytes(&self) -> usize {
        // Page 0 is the header's.
        (self.pages as usize - 1) * (self.page_bytes() - PAGE_BYTES) - FIRST_BYTES
    }

    /// Bytes of a record in a page that is not its first.
    const fn payload_bytes(&self) -> usize {
        match self.page_bytes().checked_sub(PAGE_BYTES) {
            None | Some(0) => 1,
            Some(bytes) => bytes,
        }
    }

    /// Pages of a record of `len` bytes.
    pub(super) const fn pages_of(&self, len: usize) -> usize {
        (len.saturating_add(FIRST_BYTES)).div_ceil(self.payload_bytes())
    }

    /// Offset of a page. Below `capacity_bytes` for every sector and page there is.
    pub(super) const fn offset(&self, sector: u16, page: u16) -> u32 {
        sector as u32 * self.geometry.sector_bytes + page as u32 * self.page_bytes as u32
    }

    /// The sector behind, around the ring.
    pub(super) const fn after(&self, sector: u16) -> u16 {
        if sector + 1 >= self.sectors { 0 } else { sector + 1 }
    }

    /// Steps from `from` forward to `to`, around the ring.
    pub(super) const fn steps(&self, from: u16, to: u16) -> u16 {
        if to >= from { to - from } else { self.sectors - (from - to) }
    }
}
