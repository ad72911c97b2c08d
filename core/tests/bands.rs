//! Promise: the work of several workers is cut so that each source row is read once, by one of them, and that what is
//! handed over at a seam is what the stages look at and no more.

use plimsoll_core::pipeline::bands::{MAX_WORKERS, bands, seam_bytes};
use plimsoll_core::pipeline::{Chain, Stage, StageError, View};
use plimsoll_core::shape::{Region, Rows, SampleKind, Shape};
use plimsoll_core::strip::{Strip, StripMut};
use plimsoll_core::transform::crop::Crop;
use plimsoll_core::transform::invert::Invert;
use plimsoll_core::transform::median::Median;
use proptest::prelude::*;

/// A stage that is never run: only what it looks at matters here.
#[derive(Clone, Copy, Debug)]
enum Looks {
    /// So many rows up and down.
    Around(u32),
    /// Makes so many rows out of each.
    Enlarges(u32),
    /// Makes one row out of so many.
    Shrinks(u32),
}

impl Stage for Looks {
    fn name(&self) -> &'static str {
        "looks"
    }

    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        let rows = match self {
            Self::Around(_) => input.rows,
            Self::Enlarges(by) => input.rows * by,
            Self::Shrinks(by) => input.rows.div_ceil(*by),
        };
        Ok(Shape { rows, ..input })
    }

    fn input(&self, output: Region, input: Shape) -> Region {
        let rows = output.rows;
        let (start, end) = match self {
            Self::Around(halo) => (rows.start().saturating_sub(*halo), rows.end() + halo),
            Self::Enlarges(by) => (rows.start() / by, rows.end().div_ceil(*by)),
            Self::Shrinks(by) => (rows.start() * by, rows.end() * by),
        };
        output.with_rows(Rows::new(start, end.min(input.rows)))
    }

    fn reach(&self, _: Shape) -> u32 {
        match self {
            Self::Around(halo) => 2 * halo + 1,
            Self::Enlarges(_) => 1,
            Self::Shrinks(by) => *by,
        }
    }

    fn process(&self, _: &View, _: &mut [u8], _: &Strip<'_>, _: &mut StripMut<'_>) -> Result<(), StageError> {
        unreachable!("nothing runs")
    }
}

/// A chain of one stage.
type One<'a> = [&'a dyn Stage; 1];

/// A chain, rows of the source, workers, rows of a unit, and what becomes of them.
type Case<'a> = (&'a [&'a dyn Stage], u32, u32, u32, Cut);

/// Output rows, rows read and rows taken over of each band.
type Cut = Vec<[(u32, u32); 3]>;

fn cut(chain: &Chain<'_>, workers: u32, unit_rows: u32) -> Cut {
    let pair = |rows: Rows| (rows.start(), rows.end());
    let bands = bands(chain, workers, unit_rows);
    bands.iter().map(|band| [pair(band.output), pair(band.reads), pair(band.seam)]).collect()
}

#[test]
fn seams_lie_at_the_unit_nearest_to_equal_shares() {
    let (invert, median, crop) = (Invert::<u8>::new(), Median::<u8, 5>::new(), Crop::new(0, 7, 10, 190));
    let source = |rows| Shape::new(rows, 10, 1, SampleKind::U8);
    let (invert, median, crop): (One<'_>, One<'_>, One<'_>) = ([&invert], [&median], [&crop]);
    let cases: [Case<'_>; 6] = [
        (
            &invert,
            64,
            3,
            1,
            vec![
                [(0, 21), (0, 21), (21, 21)],
                [(21, 42), (21, 42), (42, 42)],
                [(42, 64), (42, 64), (64, 64)],
            ],
        ),
        // A third of the rows is 21 and a third; units begin at 16 and 24.
        (
            &invert,
            64,
            3,
            8,
            vec![
                [(0, 24), (0, 24), (24, 24)],
                [(24, 40), (24, 40), (40, 40)],
                [(40, 64), (40, 64), (64, 64)],
            ],
        ),
        (&invert, 64, 2, 48, vec![[(0, 48), (0, 48), (48, 48)], [(48, 64), (48, 64), (64, 64)]]),
        // Output row 89 is source row 96.
        (&crop, 211, 2, 16, vec![[(0, 89), (7, 96), (96, 96)], [(89, 190), (96, 197), (197, 197)]]),
        // It looks two rows up and down: what the lower worker looks at begins with its unit.
        (&median, 64, 2, 8, vec![[(0, 34), (0, 32), (32, 36)], [(34, 64), (32, 64), (64, 64)]]),
        (&median, 64, 2, 1, vec![[(0, 32), (0, 30), (30, 34)], [(32, 64), (30, 64), (64, 64)]]),
    ];
    for (stages, rows, workers, unit_rows, expected) in cases {
        let chain = Chain::new(stages, source(rows)).unwrap();
        assert_eq!(
            cut(&chain, workers, unit_rows),
            expected,
            "{stages:?}, {workers} workers, units of {unit_rows}"
        );
    }
}

#[test]
fn what_is_handed_over_at_seams_has_room() {
    let (invert, median): ([&dyn Stage; 1], [&dyn Stage; 1]) =
        ([&Invert::<u8>::new()], [&Median::<u8, 5>::new()]);
    // Four rows of 50 bytes at each seam, in whole lines of 64.
    for (stages, workers, expected) in
        [(&invert, 3, 0), (&median, 1, 0), (&median, 2, 256), (&median, 3, 512)]
    {
        let chain = Chain::new(stages, Shape::new(90, 50, 1, SampleKind::U8)).unwrap();
        assert_eq!(seam_bytes(&bands(&chain, workers, 1), &chain), expected, "{stages:?}, {workers} workers");
    }
}

#[test]
fn more_workers_than_there_may_be_are_not_taken() {
    let invert: [&dyn Stage; 1] = [&Invert::<u8>::new()];
    let chain = Chain::new(&invert, Shape::new(1000, 10, 1, SampleKind::U8)).unwrap();
    assert_eq!(cut(&chain, u32::MAX, 1).len(), MAX_WORKERS);
    assert_eq!(cut(&chain, 0, 0), cut(&chain, 1, 1));
}

proptest! {
    /// Halos wider than bands, images blown up until bands share rows, units higher than images: fewer bands, never
    /// wrong ones.
    #[test]
    fn every_row_is_made_once_and_read_once(
        stages in prop::collection::vec(prop_oneof![
            (0u32..14).prop_map(Looks::Around), (2u32..50).prop_map(Looks::Enlarges), (2u32..5).prop_map(Looks::Shrinks),
        ], 1..3),
        rows in 1u32..160,
        workers in 1u32..12,
        unit_rows in prop::sample::select(vec![1u32, 2, 8, 64, 1000]),
    ) {
        let source = Shape::new(rows, 6, 1, SampleKind::U8);
        let stages: Vec<&dyn Stage> = stages.iter().map(|stage| stage as &dyn Stage).collect();
        let chain = Chain::new(&stages, source).unwrap();
        let bands = bands(&chain, workers, unit_rows);
        prop_assert!((1..=workers as usize).contains(&bands.len()));
        let (mut made, mut read) = (chain.output().rows.start(), chain.input().rows.start());
        for (index, band) in bands.iter().enumerate() {
            prop_assert_eq!((band.output.start(), band.reads.start()), (made, read));
            prop_assert!(!band.output.is_empty() && !band.reads.is_empty());
            prop_assert!(index == 0 || read % unit_rows == 0, "a seam within a unit, at row {}", read);
            // All that it looks at it reads or takes over, and no more: the rows taken over are read first by its
            // neighbour.
            prop_assert!(band.reads.start() <= band.input.start());
            prop_assert_eq!(band.seam.start(), band.reads.end());
            prop_assert_eq!(band.seam.end(), band.input.end().max(band.reads.end()));
            if let Some(next) = bands.get(index + 1) {
                prop_assert!(band.seam.end() <= next.reads.end());
            }
            (made, read) = (band.output.end(), band.reads.end());
        }
        prop_assert_eq!((made, read), (chain.output().rows.end(), chain.input().rows.end()));
    }
}
