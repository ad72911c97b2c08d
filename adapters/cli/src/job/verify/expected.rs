//! The output before there is one: what reading it will take at most.

use plimsoll_core::budget::Budget;
use plimsoll_core::pipeline::Need;
use plimsoll_core::pipeline::plan::{Each, Place};
use plimsoll_core::shape::{Region, Shape};
use plimsoll_formats::{Facts, FormatError, Page, RowSource, Target};

/// Beside what writing takes: buffers that readers have and writers have not.
const READER_BYTES: u64 = 64 << 10;

/// The page of an output that is not written yet.
pub(super) struct Expected {
    facts: Facts,
    needs: Vec<Need>,
}

impl Expected {
    /// Of `shape`, its rows in order, or tile after tile.
    pub(super) fn new(shape: Shape, target: &dyn Target, tile_order: bool) -> Self {
        let needs = target.reading(tile_order).unwrap_or_else(|| as_written(shape, target));
        let facts =
            Facts { shape, compression: "several", colour: "several", unit_rows: 1, more: Vec::new() };
        Self { facts, needs }
    }
}

/// Readers take less than writers of the same format.
fn as_written(shape: Shape, target: &dyn Target) -> Vec<Need> {
    let writing = target.needs();
    let sum = |place: Place| {
        let of_place = writing.iter().filter(move |need| need.place == place);
        let bytes = of_place.clone().map(|need| need.one(0)).fold(0, u64::saturating_add);
        let per_strip_row = of_place.map(|need| need.per_strip_row).fold(0, u64::saturating_add);
        Need { consumer: "reader of the output", bytes, per_strip_row, each: Each::Worker, place }
    };
    let more = READER_BYTES.saturating_add(shape.row_bytes());
    [Place::Arena, Place::Heap]
        .map(|place| {
            let need = sum(place);
            Need { bytes: need.bytes.saturating_add(more), ..need }
        })
        .to_vec()
}

impl Page for Expected {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn needs(&self, _region: Region) -> Vec<Need> {
        self.needs.clone()
    }

    fn source<'a>(&'a self, _region: Region, _budget: &mut Budget<'a>) -> Result<RowSource<'a>, FormatError> {
        Err(FormatError::Usage { format: "output", problem: "it is not written yet".to_owned() })
    }
}
