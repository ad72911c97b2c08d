//! TIFF and BigTIFF: the container is ours and bounded, both ways.

pub mod write;
