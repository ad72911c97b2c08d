//! What the images do, over any streams: the same code on a board and on the host that checks it.
//!
//! | story | what it shows |
//! |---|---|
//! | [`frame`] | a picture larger than the memory, row by row through a chain in a static arena |
//! | [`logger`] | samples into series blocks, blocks into a journal on flash, and back after a restart |
//! | [`survey`] | all of it in one: rows of the picture as points, in the journal |
//! | [`sensor`] | what the interrupt of `interrupts` samples |
//! | [`series`] | one column through one back end, both ways, for the figures per point |
#![no_std]
#![forbid(unsafe_code)]

pub mod frame;
pub mod log;
pub mod logger;
pub mod sensor;
pub mod series;
pub mod survey;
