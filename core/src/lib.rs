//! Work inside a memory budget.
//!
//! You bring the memory: one slice of bytes. A [`budget::Budget`] grants typed leases out of it, a
//! [`pipeline::plan`](mod@pipeline::plan) states the exact peak before the first byte of input is read, and a
//! [`pipeline::run::Job`] streams strips of rows from a [`pipeline::Source`] through [`pipeline::Stage`]s
//! into a [`pipeline::Sink`] without ever asking for more.
//!
//! ```text
//!  bytes (file, flash, pipe)            one arena, given by the caller
//!         | bytes::ReadAt                      | Budget::lease
//!         v                                    v
//!    Source --rows--> [window] -> Stage -> [window] -> Stage -> [strip] --rows--> Sink
//!         \______ Plan: shapes + every consumer's bytes + budget -> strip rows, workers, passes ______/
//!                 Job: for each strip: read, process ..., write      (decides nothing, allocates nothing)
//! ```
//!
//! There is no heap, no I/O, no clock and no logger here, and no `unsafe`: the same code runs on a
//! microcontroller and on a desktop, and gives the same bits on both.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

#[cfg(test)]
pub(crate) mod harness;

pub mod budget;
pub mod bytes;
pub mod journal;
pub mod measure;
pub mod pipeline;
pub mod series;
pub mod shape;
pub mod strip;
pub mod transform;
