//! The numbers of TIFF: tags, field types, and the values of tags. Shared by the reader and the writer.
//!
//! Names and numbers are those of the TIFF 6.0 specification (1992), its Technical Notes 1-3 (Adobe, 1995 and 2005)
//! and the BigTIFF design (AWare Systems, 2004).
#![allow(dead_code, reason = "the reader and the writer each use a part")]

/// Tag numbers.
pub(super) mod tag {
    pub(crate) const NEW_SUBFILE_TYPE: u16 = 254;
    pub(crate) const IMAGE_WIDTH: u16 = 256;
    pub(crate) const IMAGE_LENGTH: u16 = 257;
    pub(crate) const BITS_PER_SAMPLE: u16 = 258;
    pub(crate) const COMPRESSION: u16 = 259;
    pub(crate) const PHOTOMETRIC: u16 = 262;
    pub(crate) const FILL_ORDER: u16 = 266;
    pub(crate) const IMAGE_DESCRIPTION: u16 = 270;
    pub(crate) const DOCUMENT_NAME: u16 = 269;
    pub(crate) const MAKE: u16 = 271;
    pub(crate) const MODEL: u16 = 272;
    pub(crate) const STRIP_OFFSETS: u16 = 273;
    pub(crate) const ORIENTATION: u16 = 274;
    pub(crate) const SAMPLES_PER_PIXEL: u16 = 277;
    pub(crate) const ROWS_PER_STRIP: u16 = 278;
    pub(crate) const STRIP_BYTE_COUNTS: u16 = 279;
    pub(crate) const T4_OPTIONS: u16 = 292;
    pub(crate) const T6_OPTIONS: u16 = 293;
    pub(crate) const X_RESOLUTION: u16 = 282;
    pub(crate) const Y_RESOLUTION: u16 = 283;
    pub(crate) const PLANAR_CONFIGURATION: u16 = 284;
    pub(crate) const PAGE_NAME: u16 = 285;
    pub(crate) const RESOLUTION_UNIT: u16 = 296;
    pub(crate) const SOFTWARE: u16 = 305;
    pub(crate) const DATE_TIME: u16 = 306;
    pub(crate) const ARTIST: u16 = 315;
    pub(crate) const HOST_COMPUTER: u16 = 316;
    pub(crate) const PREDICTOR: u16 = 317;
    pub(crate) const COLOR_MAP: u16 = 320;
    pub(crate) const TILE_WIDTH: u16 = 322;
    pub(crate) const TILE_LENGTH: u16 = 323;
    pub(crate) const TILE_OFFSETS: u16 = 324;
    pub(crate) const TILE_BYTE_COUNTS: u16 = 325;
    pub(crate) const SUB_IFDS: u16 = 330;
    pub(crate) const INK_SET: u16 = 332;
    pub(crate) const INK_NAMES: u16 = 333;
    pub(crate) const EXTRA_SAMPLES: u16 = 338;
    pub(crate) const SAMPLE_FORMAT: u16 = 339;
    pub(crate) const JPEG_TABLES: u16 = 347;
    pub(crate) const YCBCR_COEFFICIENTS: u16 = 529;
    pub(crate) const YCBCR_SUBSAMPLING: u16 = 530;
    pub(crate) const REFERENCE_BLACK_WHITE: u16 = 532;
    pub(crate) const XMP: u16 = 700;
    pub(crate) const COPYRIGHT: u16 = 33432;
    pub(crate) const MODEL_PIXEL_SCALE: u16 = 33550;
    pub(crate) const MODEL_TIE_POINT: u16 = 33922;
    pub(crate) const MODEL_TRANSFORMATION: u16 = 34264;
    pub(crate) const ICC_PROFILE: u16 = 34675;
    pub(crate) const GEO_KEY_DIRECTORY: u16 = 34735;
    pub(crate) const GEO_DOUBLE_PARAMS: u16 = 34736;
    pub(crate) const GEO_ASCII_PARAMS: u16 = 34737;
    pub(crate) const GDAL_METADATA: u16 = 42112;
    /// What GDAL writes for "no data here", as a decimal number.
    pub(crate) const GDAL_NODATA: u16 = 42113;
}

/// A field's type: how its values are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldType {
    Byte,
    Ascii,
    Short,
    Long,
    Rational,
    SignedByte,
    Undefined,
    SignedShort,
    SignedLong,
    SignedRational,
    Float,
    Double,
    Ifd,
    Long8,
    SignedLong8,
    Ifd8,
}

impl FieldType {
    const NUMBERS: [(u16, FieldType); 16] = [
        (1, Self::Byte),
        (2, Self::Ascii),
        (3, Self::Short),
        (4, Self::Long),
        (5, Self::Rational),
        (6, Self::SignedByte),
        (7, Self::Undefined),
        (8, Self::SignedShort),
        (9, Self::SignedLong),
        (10, Self::SignedRational),
        (11, Self::Float),
        (12, Self::Double),
        (13, Self::Ifd),
        (16, Self::Long8),
        (17, Self::SignedLong8),
        (18, Self::Ifd8),
    ];

    /// The type with this number in a file.
    pub(super) fn from_number(number: u16) -> Option<Self> {
        Self::NUMBERS.iter().find(|(n, _)| *n == number).map(|(_, kind)| *kind)
    }

    /// Its number in a file.
    pub(super) fn number(self) -> u16 {
        Self::NUMBERS.iter().find(|(_, kind)| *kind == self).map_or(0, |(number, _)| *number)
    }

    /// Bytes of one value.
    pub(super) const fn bytes(self) -> u64 {
        match self {
            Self::Byte | Self::Ascii | Self::SignedByte | Self::Undefined => 1,
            Self::Short | Self::SignedShort => 2,
            Self::Long | Self::SignedLong | Self::Float | Self::Ifd => 4,
            Self::Rational | Self::SignedRational | Self::Double => 8,
            Self::Long8 | Self::SignedLong8 | Self::Ifd8 => 8,
        }
    }
}

/// Values of `Compression`.
pub(super) mod compression {
    pub(crate) const NONE: u16 = 1;
    /// ITU-T T.4 without line ends: rows begin at a byte.
    pub(crate) const FAX_HUFFMAN: u16 = 2;
    /// ITU-T T.4.
    pub(crate) const FAX_GROUP_3: u16 = 3;
    /// ITU-T T.6.
    pub(crate) const FAX_GROUP_4: u16 = 4;
    pub(crate) const LZW: u16 = 5;
    /// JPEG as Technical Note 2 has it.
    pub(crate) const JPEG: u16 = 7;
    /// Deflate as registered with Adobe: a zlib stream.
    pub(crate) const DEFLATE: u16 = 8;
    pub(crate) const PACK_BITS: u16 = 32773;
    /// As `FAX_HUFFMAN`, but rows begin at a word of 16 bits.
    pub(crate) const FAX_HUFFMAN_WORDS: u16 = 32771;
    /// Deflate before it was registered: the same stream.
    pub(crate) const OLD_DEFLATE: u16 = 32946;
    /// Zstandard, as registered for libtiff.
    pub(crate) const ZSTD: u16 = 50000;
}

/// Values of `PhotometricInterpretation`.
pub(super) mod photometric {
    pub(crate) const MIN_IS_WHITE: u16 = 0;
    pub(crate) const MIN_IS_BLACK: u16 = 1;
    pub(crate) const RGB: u16 = 2;
    pub(crate) const PALETTE: u16 = 3;
    pub(crate) const MASK: u16 = 4;
    pub(crate) const SEPARATED: u16 = 5;
    pub(crate) const YCBCR: u16 = 6;
    pub(crate) const CIELAB: u16 = 8;
    pub(crate) const ICCLAB: u16 = 9;
    pub(crate) const ITULAB: u16 = 10;
    pub(crate) const CFA: u16 = 32803;
    pub(crate) const LINEAR_RAW: u16 = 34892;
}

/// Values of `PlanarConfiguration`.
pub(super) mod planar {
    pub(crate) const CHUNKY: u16 = 1;
    pub(crate) const PLANAR: u16 = 2;
}

/// Values of `Predictor`.
pub(super) mod predictor {
    pub(crate) const NONE: u16 = 1;
    pub(crate) const HORIZONTAL: u16 = 2;
    pub(crate) const FLOAT: u16 = 3;
}

/// Values of `SampleFormat`.
pub(super) mod sample_format {
    pub(crate) const UNSIGNED: u16 = 1;
    pub(crate) const SIGNED: u16 = 2;
    pub(crate) const FLOAT: u16 = 3;
    pub(crate) const UNDEFINED: u16 = 4;
}

/// Values of `ExtraSamples`.
pub(super) mod extra_samples {
    pub(crate) const ASSOCIATED_ALPHA: u16 = 1;
    pub(crate) const UNASSOCIATED_ALPHA: u16 = 2;
}

/// Values of `ResolutionUnit`.
pub(super) mod resolution_unit {
    pub(crate) const NONE: u16 = 1;
    pub(crate) const INCH: u16 = 2;
    pub(crate) const CENTIMETRE: u16 = 3;
}
