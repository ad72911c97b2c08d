//! A chain of stages laid out for one region of its output: every shape, region and window on the way.

use super::stage::{Stage, StageError, View};
use crate::budget::Layout;
use crate::shape::{Region, Rows, Shape};

/// The most stages a chain may have, on every target: each takes 28 bytes of a chain, and as many of a job on a 32-bit
/// machine.
pub const MAX_STAGES: usize = 20;

/// Places where rows flow: one before each stage and one before the sink.
pub(super) const MAX_WINDOWS: usize = MAX_STAGES + 1;

/// Stages, and what each of them sees when the chain makes one region of its output.
#[derive(Clone, Debug)]
pub struct Chain<'a> {
    stages: &'a [&'a dyn Stage],
    /// What flows before each stage; what flows before the sink is `output`. So a view is two neighbours.
    flows: heapless::Vec<Flow, MAX_STAGES>,
    output: Flow,
    /// How many of the first stages only name a part of the source.
    parts: u8,
}

/// What flows from one stage to the next: the shape of the whole image, and the region of it that is needed.
#[derive(Clone, Copy, Debug)]
struct Flow {
    image: Shape,
    region: Region,
}

impl<'a> Chain<'a> {
    /// Lays out `stages` for the whole output of an image of shape `source`.
    ///
    /// # Errors
    /// [`StageError`] of the first stage that cannot work on what comes before it.
    pub fn new(stages: &'a [&'a dyn Stage], source: Shape) -> Result<Self, StageError> {
        let mut shape = source;
        for stage in stages {
            shape = stage.output(shape)?;
        }
        Self::for_region(stages, source, shape.region())
    }

    /// Lays out `stages` for one region of the output.
    ///
    /// # Errors
    /// As [`Chain::new`]; also if the region leaves the output.
    pub fn for_region(
        stages: &'a [&'a dyn Stage],
        source: Shape,
        output: Region,
    ) -> Result<Self, StageError> {
        let parts = stages.iter().take(MAX_STAGES).take_while(|stage| stage.part().is_some()).count() as u8;
        let mut chain = Self {
            stages,
            flows: heapless::Vec::new(),
            output: Flow { image: source, region: output },
            parts,
        };
        for stage in stages {
            let image = chain.output.image;
            let flow = Flow { image, region: Region::default() };
            chain.flows.push(flow).map_err(|_| StageError::TooLong { most: MAX_STAGES })?;
            chain.output.image = stage.output(image)?;
        }
        let shape = chain.output.image;
        let inside = shape.all_rows().covers(output.rows) && shape.all_cols().covers(output.cols);
        if !inside {
            return Err(StageError::Geometry {
                stage: "output",
                problem: "the region leaves the image",
                wanted: u64::from(output.rows.end().max(output.cols.end())),
                there: u64::from(shape.rows.min(shape.cols)),
            });
        }
        let mut region = output;
        for (flow, stage) in chain.flows.iter_mut().zip(stages).rev() {
            region = stage.input(region, flow.image);
            flow.region = region;
        }
        Ok(chain)
    }

    /// The stages.
    pub fn stages(&self) -> &'a [&'a dyn Stage] {
        self.stages
    }

    /// The window that rows are read into: those before it have no rows, as the stages behind them only name a part of
    /// the source.
    pub fn first_window(&self) -> usize {
        usize::from(self.parts)
    }

    /// Row and column of the source where the image begins that flows through the first window.
    pub(super) fn origin(&self) -> (u32, u32) {
        let parts = self.stages.iter().take(self.first_window()).filter_map(|stage| stage.part());
        parts.fold((0, 0), |(top, left), (row, col)| (top.saturating_add(row), left.saturating_add(col)))
    }

    /// What stage `index` sees.
    pub fn view(&self, index: usize) -> Option<View> {
        let before = self.flows.get(index)?;
        let after = self.flow(index + 1);
        Some(View {
            input_shape: before.image,
            output_shape: after.image,
            input: before.region,
            output: after.region,
        })
    }

    /// The shape of the source.
    pub fn source(&self) -> Shape {
        self.flow(0).image
    }

    /// The region of the source that is read.
    pub fn input(&self) -> Region {
        self.flow(0).region
    }

    /// The shape of the whole output.
    pub fn output_shape(&self) -> Shape {
        self.output.image
    }

    /// The region of the output that is made.
    pub fn output(&self) -> Region {
        self.output.region
    }

    /// The source rows that some of the output's rows need, with the columns of this layout.
    pub fn source_rows(&self, output: Rows) -> Rows {
        let region = self.output.region.with_rows(output);
        let stages = self.stages.iter().zip(&self.flows).rev();
        stages.fold(region, |region, (stage, flow)| stage.input(region, flow.image)).rows
    }

    /// How many windows there are: one before each stage and one before the sink.
    pub fn windows(&self) -> usize {
        self.flows.len() + 1
    }

    /// What flows through window `index`.
    fn flow(&self, index: usize) -> Flow {
        self.flows.get(index).copied().unwrap_or(self.output)
    }

    /// The image of which rows flow through window `index`, and the region of it that does.
    pub(super) fn through(&self, index: usize) -> (Shape, Region) {
        let flow = self.flow(index);
        (flow.image, flow.region)
    }

    /// The most rows that are put into window `index` at once.
    pub fn batch_rows(&self, index: usize, strip_rows: u32) -> u32 {
        self.flow(index).region.rows.len().min(strip_rows).max(1)
    }

    /// Rows that window `index` holds: what is put in at once, and what its stage still looks at.
    pub fn window_rows(&self, index: usize, strip_rows: u32) -> u32 {
        if index < self.first_window() {
            return 0;
        }
        let batch = self.batch_rows(index, strip_rows);
        let kept = match self.stages.get(index) {
            Some(stage) if !stage.absorbs() => {
                let shape = self.flow(index).image;
                stage.reach(shape).saturating_sub(1)
            }
            _ => 0,
        };
        batch.saturating_add(kept).min(self.flow(index).region.rows.len().max(1))
    }

    /// Bytes of one row as it is read.
    pub fn source_row_bytes(&self) -> u64 {
        self.window_row_bytes(self.first_window())
    }

    /// Bytes of one row in window `index`.
    pub fn window_row_bytes(&self, index: usize) -> u64 {
        if index < self.first_window() {
            return 0;
        }
        let Flow { image: shape, region } = self.flow(index);
        u64::from(region.cols.len()) * shape.pixel_bytes() as u64
    }

    /// Bytes of window `index` in the arena.
    pub fn window_bytes(&self, index: usize, strip_rows: u32) -> u64 {
        let rows = u64::from(self.window_rows(index, strip_rows));
        Layout::new().with::<u8>(rows.saturating_mul(self.window_row_bytes(index))).bytes()
    }

    /// Bytes of the memory of stage `index` in the arena.
    pub fn stage_bytes(&self, index: usize) -> u64 {
        match (self.stages.get(index), self.view(index)) {
            (Some(stage), Some(view)) => Layout::new().with::<u8>(stage.memory(&view)).bytes(),
            _ => 0,
        }
    }

    /// Bytes that one job over this chain leases from its arena.
    pub fn bytes(&self, strip_rows: u32) -> u64 {
        let windows = (0..self.windows()).map(|index| self.window_bytes(index, strip_rows));
        let stages = (0..self.stages.len()).map(|index| self.stage_bytes(index));
        windows.chain(stages).fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::{Image, region};
    use crate::shape::{SampleKind, Span};
    use crate::transform::crop::Crop;
    use crate::transform::invert::Invert;
    use crate::transform::median::Median;

    #[test]
    fn a_part_of_the_source_costs_no_window() {
        let (near, far) = (Crop::new(2, 30, 40, 20), Crop::new(7, 5, 20, 10));
        let (invert, median) = (Invert::<u8>::new(), Median::<u8, 3>::new());
        let source = Shape::new(83, 61, 1, SampleKind::U8);
        let stages: [&dyn Stage; 4] = [&near, &far, &invert, &median];
        let chain = Chain::new(&stages, source).unwrap();
        let alone = Chain::new(&stages[2..], Shape::new(10, 20, 1, SampleKind::U8)).unwrap();
        assert_eq!(chain.input(), Region::new(Span::new(35, 45), Span::new(9, 29)));
        for rows in [1, 3, 10, 99] {
            assert_eq!(chain.bytes(rows), alone.bytes(rows), "strips of {rows} rows");
        }
        // What comes later is copied.
        let last: [&dyn Stage; 2] = [&invert, &near];
        let later = Chain::new(&last, source).unwrap();
        assert_eq!((chain.first_window(), later.first_window()), (2, 0));
        assert!(later.window_bytes(1, 1) > 0);
    }

    #[test]
    fn parts_of_parts_are_the_right_ones() {
        let image = Image::<u8>::noise(83, 61, 3, 4);
        let (near, far) = (Crop::new(2, 30, 40, 20), Crop::new(7, 5, 20, 10));
        let stages: [&dyn Stage; 2] = [&near, &far];
        let expected =
            Image::<u8>::new(10, 20, 3, |y, x, b| image.at(i64::from(y) + 35, i64::from(x) + 9, b));
        for rows in [1, 3, 10, 99] {
            assert_eq!(region::<u8, u8>(&stages, &image, rows, None).samples, expected.samples);
        }
    }

    #[test]
    fn regions_beyond_the_output_are_refused() {
        let invert = Invert::<u8>::new();
        let stages: [&dyn Stage; 1] = [&invert];
        let source = Shape::new(9, 7, 1, SampleKind::U8);
        for (rows, cols) in [((0, 10), (0, 7)), ((0, 9), (3, 8))] {
            let region = Region::new(Span::new(rows.0, rows.1), Span::new(cols.0, cols.1));
            let refused = Chain::for_region(&stages, source, region).err();
            assert!(
                matches!(refused, Some(StageError::Geometry { stage: "output", .. })),
                "{region}: {refused:?}"
            );
        }
    }
}
