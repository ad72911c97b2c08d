//! The codestream around the packets: its main header, and where its tile-parts are.

pub(super) mod geometry;
pub(super) mod header;
pub(super) mod packed;
pub(super) mod parts;
mod passes;
mod style;
pub(super) mod work;

pub(super) use header::Header;
pub(super) use style::Styles;

/// The first bytes of a codestream: start of codestream, image and tile size (ISO/IEC 15444-1, A.4.1, A.5.1).
pub(super) const MAGIC: [u8; 4] = [0xFF, 0x4F, 0xFF, 0x51];

/// Markers (ISO/IEC 15444-1, table A.2).
pub(super) mod marker {
    /// The first and the last one of those that stand alone, reserved for later: they say nothing here.
    pub(in crate::jp2) const FIRST_BARE: u16 = 0xFF30;
    pub(in crate::jp2) const LAST_BARE: u16 = 0xFF3F;
    pub(in crate::jp2) const SIZ: u16 = 0xFF51;
    pub(in crate::jp2) const COD: u16 = 0xFF52;
    pub(in crate::jp2) const COC: u16 = 0xFF53;
    pub(in crate::jp2) const TLM: u16 = 0xFF55;
    pub(in crate::jp2) const PLM: u16 = 0xFF57;
    pub(in crate::jp2) const PLT: u16 = 0xFF58;
    pub(in crate::jp2) const QCD: u16 = 0xFF5C;
    pub(in crate::jp2) const QCC: u16 = 0xFF5D;
    pub(in crate::jp2) const RGN: u16 = 0xFF5E;
    pub(in crate::jp2) const POC: u16 = 0xFF5F;
    pub(in crate::jp2) const PPM: u16 = 0xFF60;
    pub(in crate::jp2) const PPT: u16 = 0xFF61;
    pub(in crate::jp2) const CRG: u16 = 0xFF63;
    pub(in crate::jp2) const COM: u16 = 0xFF64;
    pub(in crate::jp2) const CAP: u16 = 0xFF50;
    pub(in crate::jp2) const SOT: u16 = 0xFF90;
    pub(in crate::jp2) const SOD: u16 = 0xFF93;
    pub(in crate::jp2) const EOC: u16 = 0xFFD9;
}
