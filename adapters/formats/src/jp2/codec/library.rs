//! Which OpenJPEG it is: the Rust one or the C one. They have the same functions and records.

#[cfg(all(feature = "openjpeg-rust", feature = "openjpeg-c"))]
compile_error!("`openjpeg-rust` and `openjpeg-c` export the same symbols: choose one of them");
#[cfg(not(any(feature = "openjpeg-rust", feature = "openjpeg-c")))]
compile_error!("choose one of the features `openjpeg-rust` and `openjpeg-c`");

#[cfg(all(feature = "openjpeg-rust", not(feature = "openjpeg-c")))]
pub(super) use openjp2::{openjpeg::*, opj_image_comptparm as opj_image_cmptparm_t};
#[cfg(all(feature = "openjpeg-c", not(feature = "openjpeg-rust")))]
pub(super) use openjpeg_sys::*;

/// No colour space: that is said in boxes.
pub(super) const NO_COLOUR: OPJ_COLOR_SPACE = OPJ_COLOR_SPACE::OPJ_CLRSPC_UNSPECIFIED;

/// Whether the coder knows the order resolution, place, component, layer. That of openjp2 0.6.1 does not (its decoder
/// does); where a resolution has one precinct, and there is one layer or one component, the order resolution, layer,
/// component, place gives the same packets.
pub(in crate::jp2) const CODES_RPCL: bool = cfg!(feature = "openjpeg-c");

/// The library's name for a progression order (ISO/IEC 15444-1, table A.16).
#[cfg(not(feature = "openjpeg-c"))]
pub(super) fn progression(order: u8) -> OPJ_PROG_ORDER {
    OPJ_PROG_ORDER::from(order)
}

/// The library's name for a progression order (ISO/IEC 15444-1, table A.16).
#[cfg(feature = "openjpeg-c")]
pub(super) fn progression(order: u8) -> OPJ_PROG_ORDER {
    match order {
        0 => OPJ_PROG_ORDER::OPJ_LRCP,
        1 => OPJ_PROG_ORDER::OPJ_RLCP,
        2 => OPJ_PROG_ORDER::OPJ_RPCL,
        3 => OPJ_PROG_ORDER::OPJ_PCRL,
        _ => OPJ_PROG_ORDER::OPJ_CPRL,
    }
}
