//! A chain of stages laid out for one region of its output: every shape, region and window on the way.

use super::stage::{Stage, StageError, View};
use crate::budget::Layout;
use crate::shape::{Region, Rows, Shape};

/// The most stages a chain may have.
pub const MAX_STAGES: usize = if cfg!(target_os = "none") { 6 } else { 20 };

/// Stages, and what each of them sees when the chain makes one region of its output.
#[derive(Clone, Debug)]
pub struct Chain<'a> {
    stages: &'a [&'a dyn Stage],
    views: heapless::Vec<View, MAX_STAGES>,
    source: Shape,
    input: Region,
    output_shape: Shape,
    output: Region,
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
        let mut views = heapless::Vec::<View, MAX_STAGES>::new();
        let mut shape = source;
        for stage in stages {
            let next = stage.output(shape)?;
            let view = View {
                input_shape: shape,
                output_shape: next,
                input: Region::default(),
                output: Region::default(),
            };
            views.push(view).map_err(|_| StageError::TooLong { most: MAX_STAGES })?;
            shape = next;
        }
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
        for (view, stage) in views.iter_mut().zip(stages).rev() {
            view.output = region;
            region = stage.input(region, view.input_shape);
            view.input = region;
        }
        Ok(Self { stages, views, source, input: region, output_shape: shape, output })
    }

    /// The stages.
    pub fn stages(&self) -> &'a [&'a dyn Stage] {
        self.stages
    }

    /// What each stage sees.
    pub fn views(&self) -> &[View] {
        &self.views
    }

    /// The shape of the source.
    pub fn source(&self) -> Shape {
        self.source
    }

    /// The region of the source that is read.
    pub fn input(&self) -> Region {
        self.input
    }

    /// The shape of the whole output.
    pub fn output_shape(&self) -> Shape {
        self.output_shape
    }

    /// The region of the output that is made.
    pub fn output(&self) -> Region {
        self.output
    }

    /// The source rows that some of the output's rows need, with the columns of this layout.
    pub fn source_rows(&self, output: Rows) -> Rows {
        let region = self.output.with_rows(output);
        let stages = self.stages.iter().zip(&self.views).rev();
        stages.fold(region, |region, (stage, view)| stage.input(region, view.input_shape)).rows
    }

    /// How many windows there are: one before each stage and one before the sink.
    pub fn windows(&self) -> usize {
        self.views.len() + 1
    }

    /// Shape and region of what flows through window `index`.
    fn flow(&self, index: usize) -> (Shape, Region) {
        match self.views.get(index) {
            Some(view) => (view.input_shape, view.input),
            None => (self.output_shape, self.output),
        }
    }

    /// The most rows that are put into window `index` at once.
    pub fn batch_rows(&self, index: usize, strip_rows: u32) -> u32 {
        self.flow(index).1.rows.len().min(strip_rows).max(1)
    }

    /// Rows that window `index` holds: what is put in at once, and what its stage still looks at.
    pub fn window_rows(&self, index: usize, strip_rows: u32) -> u32 {
        let batch = self.batch_rows(index, strip_rows);
        let kept = match self.stages.get(index) {
            Some(stage) if !stage.absorbs() => {
                let shape = self.flow(index).0;
                stage.reach(shape).saturating_sub(1)
            }
            _ => 0,
        };
        batch.saturating_add(kept).min(self.flow(index).1.rows.len().max(1))
    }

    /// Bytes of one row in window `index`.
    pub fn window_row_bytes(&self, index: usize) -> u64 {
        let (shape, region) = self.flow(index);
        u64::from(region.cols.len()) * shape.pixel_bytes() as u64
    }

    /// Bytes of window `index` in the arena.
    pub fn window_bytes(&self, index: usize, strip_rows: u32) -> u64 {
        let rows = u64::from(self.window_rows(index, strip_rows));
        Layout::new().with::<u8>(rows.saturating_mul(self.window_row_bytes(index))).bytes()
    }

    /// Bytes of the memory of stage `index` in the arena.
    pub fn stage_bytes(&self, index: usize) -> u64 {
        match (self.stages.get(index), self.views.get(index)) {
            (Some(stage), Some(view)) => Layout::new().with::<u8>(stage.memory(view)).bytes(),
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
