//! Smaller versions of a picture in its own file: a thumbnail is made from the smallest that makes the same.

use crate::failure::Failure;
use crate::stages::{Stages, Step};
use plimsoll_formats::Page;
use std::path::Path;
use std::sync::Arc;

/// How many times smaller, as a power of two, a version may be that a thumbnail is made from.
const MOST_HALVINGS: u8 = 9;

/// The page, or the smallest version of it in the file that makes the same thumbnail and is twice as large at least, so
/// that the kernel still has what it averages; and how many times it was halved.
pub(super) fn smaller_version(
    path: &Path,
    steps: &[Step],
    page: &Arc<dyn Page>,
) -> Result<(Arc<dyn Page>, u8), Failure> {
    let whole = (Arc::clone(page), 0);
    let Some(first) = steps.first().filter(|step| step.name() == "thumbnail") else { return Ok(whole) };
    let first = std::slice::from_ref(first);
    let output = Stages::build(first, page.facts().shape, &[])?.output();
    let whole_shape = page.facts().shape;
    // What is too small needs not be looked for.
    let may_do = |levels: &u8| {
        let part = |len: u32| len.div_ceil(1 << levels) / 2;
        part(whole_shape.rows) >= output.rows && part(whole_shape.cols) >= output.cols
    };
    for levels in (1..=MOST_HALVINGS).rev().filter(may_do) {
        let small = page.reduced(levels).map_err(|error| Failure::input(path, &error))?;
        let Some(small) = small else { continue };
        let shape = small.facts().shape;
        let enough = shape.rows / 2 >= output.rows && shape.cols / 2 >= output.cols;
        if enough && Stages::build(first, shape, &[])?.output() == output {
            return Ok((small, levels));
        }
    }
    Ok(whole)
}

/// What the pass does, for the plan.
pub(super) fn purpose(levels: u8) -> &'static str {
    match levels {
        0 => "write the output",
        1 => "write the output from the file's version at 1/2",
        2 => "write the output from the file's version at 1/4",
        3 => "write the output from the file's version at 1/8",
        4 => "write the output from the file's version at 1/16",
        5 => "write the output from the file's version at 1/32",
        6 => "write the output from the file's version at 1/64",
        7 => "write the output from the file's version at 1/128",
        8 => "write the output from the file's version at 1/256",
        _ => "write the output from the file's version at 1/512",
    }
}
