//! Many files and pages under one budget, each into a file of its own.
//!
//! ```text
//!  words -> inputs: files, folders, globs -> list: an entry a page -> survey: each planned, what cannot be is named
//!        -> flights: several at once, each in its share; what needs more than a share, alone -> report
//! ```
//!
//! The process is counted once, with the list; what is left is a [`SharedBudget`](plimsoll_core::budget::SharedBudget)
//! that every running file's plan draws its own bytes from before it runs.

mod args;
mod entry;
mod flights;
mod html;
mod inputs;
mod naming;
mod plan;
mod report;
mod survey;
#[cfg(test)]
mod tests;

pub(crate) use args::{BatchArgs, CheckArgs};
pub(crate) use entry::Outputs;
pub(crate) use flights::{Talk, run};
pub(crate) use report::{Reports, checked_json};
pub(crate) use survey::{Job, survey};
