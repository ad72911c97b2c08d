//! A reduction over a page of compressed blocks, one column of blocks after the other: each block is decoded in one go,
//! by one codec state, and its pixels are added up while they are in the fast cache.
//!
//! In row order a row of blocks is decoded side by side, with a codec state for each: that costs memory (a state of
//! deflate is 47 KiB) and time (each state has left the cache when its turn comes again, and each turn ends with the
//! slow end of a buffer). Behind a large reduction a row of blocks is small enough to be held. Measured on 100
//! megapixels of RGB in deflate tiles of 256 x 256: inflating takes 0.71 of the time.
//!
//! Blocks of the reduction that lie on both sides of a column's edge wait: their pixels are carried over to the next
//! column. Each compressed block is decoded once, each pixel is taken once, by the same stage as in row order.

mod reader;

use super::prefix::{Read, of_stage};
use plimsoll_core::budget::{Budget, Layout};
use plimsoll_core::pipeline::plan::{Each, Place};
use plimsoll_core::pipeline::{Need, Stage, StageError, View};
use plimsoll_core::shape::{Cols, Region, Rows};
use plimsoll_formats::{Blocks, FormatError, Page, RowSource, Windows};
use plimsoll_os::timing::{Stopwatch, Timed};
use reader::Reader;

/// Bytes of pixels that are decoded in one go: a tile of 256 x 256 pixels in RGB.
const PART_BYTES: u64 = 192 << 10;

/// The most columns of blocks. Beyond it rows of them are too long to look at each while planning.
const MOST_COLUMNS: u32 = 4096;

/// How a region of what the stage makes is made.
pub(crate) struct Columns<'a> {
    page: &'a dyn Page,
    stage: &'a dyn Stage,
    view: View,
    blocks: Blocks,
    /// Source rows that are read at once.
    rows: u32,
}

/// One column of blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Column {
    /// Of the source: those of the blocks, those that the outputs need, and those carried over to the next column.
    read: Cols,
    used: Cols,
    left: Cols,
    /// Of the output: those that can be made as soon as this column is there.
    made: Cols,
}

/// Buffers, in bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Sizes {
    /// The part of a column of blocks that is read.
    part: u64,
    /// The same with what was carried over.
    window: u64,
    /// What is carried over: a row of it, and all.
    left_row: u64,
    left: u64,
    /// Output of one column.
    made: u64,
    /// Memory of the stage for one column, and for all.
    state: u64,
    states: u64,
    /// Output of a row of blocks.
    held: u64,
}

impl<'a> Columns<'a> {
    /// Whether columns of blocks are a way to read `page` for `stage`, and what makes it worth it: several columns of
    /// compressed blocks, and a stage that takes rows as they come and lets no two outputs share a pixel.
    pub(crate) fn suit(page: &'a dyn Page, stage: &'a dyn Stage) -> bool {
        let (shape, blocks) = (page.facts().shape, page.blocks());
        let several = blocks.rows > 1 && blocks.cols > 1 && blocks.cols < shape.cols;
        if !several || !stage.absorbs() || shape.cols.div_ceil(blocks.cols) > MOST_COLUMNS {
            return false;
        }
        let Ok(output) = stage.output(shape) else { return false };
        let Ok(columns) = Self::new(page, stage, output.region(), u32::MAX) else { return false };
        // Each begins with the first pixel that waits, so none is asked for twice or dropped.
        let mut next = columns.view.input.cols.start();
        for column in columns.columns() {
            if column.made.is_empty() {
                continue;
            }
            if column.used.start() != next {
                return false;
            }
            next = column.used.end();
        }
        // What is held of a row of blocks is to be much less than the blocks.
        let sizes = columns.sizes();
        next == columns.view.input.cols.end()
            && sizes.state > 0
            && 4 * columns.room() <= u64::from(blocks.rows)
    }

    /// For `region` of what `stage` makes of `page`, with at most `rows` source rows at a time.
    ///
    /// # Errors
    /// [`StageError`] if the stage cannot work on the page.
    pub(crate) fn new(
        page: &'a dyn Page,
        stage: &'a dyn Stage,
        region: Region,
        rows: u32,
    ) -> Result<Self, StageError> {
        let input_shape = page.facts().shape;
        let output_shape = stage.output(input_shape)?;
        let input = stage.input(region, input_shape);
        let view = View { input_shape, output_shape, input, output: region };
        let blocks = page.blocks();
        let row = u64::from(blocks.cols) * input_shape.pixel_bytes() as u64;
        let most = (PART_BYTES / row.max(1)).clamp(1, u64::from(blocks.rows.max(1))) as u32;
        Ok(Self { page, stage, view, blocks, rows: rows.clamp(1, most) })
    }

    /// Source rows that are read at once.
    pub(crate) fn rows(&self) -> u32 {
        self.rows
    }

    /// Columns of blocks, from the left.
    fn columns(&self) -> impl Iterator<Item = Column> + '_ {
        let View { input, output, .. } = self.view;
        let side = self.blocks.cols.max(1);
        let numbers = if input.cols.is_empty() {
            0..0
        } else {
            input.cols.start() / side..(input.cols.end() - 1) / side + 1
        };
        let (mut made, mut waits) = (output.cols.start(), input.cols.start());
        numbers.map(move |number| {
            let start = number.saturating_mul(side);
            let read = Cols::new(start, start.saturating_add(side)).intersect(input.cols);
            let cols = Cols::new(made, self.made_up_to(read.end(), made));
            made = cols.end();
            let first = waits;
            if !cols.is_empty() {
                waits = self.needed(cols).end();
            }
            let used = if cols.is_empty() { Cols::new(first, first) } else { self.needed(cols) };
            Column { read, used, left: Cols::new(waits, read.end().max(waits)), made: cols }
        })
    }

    /// The source columns that some columns of the output need.
    fn needed(&self, made: Cols) -> Cols {
        self.stage.input(Region::new(self.view.output.rows, made), self.view.input_shape).cols
    }

    /// The output column after the last one that needs no source column from `end` on; at least `first`.
    fn made_up_to(&self, end: u32, first: u32) -> u32 {
        let (mut low, mut high) = (first, self.view.output.cols.end());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.needed(Cols::one(middle)).end() <= end { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// The source rows that a row of the output needs.
    fn source_rows(&self, row: u32) -> Rows {
        let region = Region::new(Rows::one(row), self.view.output.cols);
        self.stage.input(region, self.view.input_shape).rows
    }

    /// Output rows that a row of blocks completes, at most.
    fn room(&self) -> u64 {
        let middle = self.view.output_shape.rows / 2;
        let rows = u64::from(self.source_rows(middle).len().max(1));
        // The first one may have begun in the blocks above, and the picture's last one may be of fewer rows.
        u64::from(self.blocks.rows).div_ceil(rows) + 2
    }

    fn view_of(&self, column: &Column) -> View {
        let View { input, output, .. } = self.view;
        View {
            input: Region::new(input.rows, column.used),
            output: Region::new(output.rows, column.made),
            ..self.view
        }
    }

    fn sizes(&self) -> Sizes {
        let (pixel, made_pixel) =
            (self.view.input_shape.pixel_bytes() as u64, self.view.output_shape.pixel_bytes() as u64);
        let (rows, room) = (u64::from(self.rows), self.room());
        let bytes = |cols: Cols, rows: u64, pixel: u64| (u64::from(cols.len()) * pixel).saturating_mul(rows);
        let mut sizes = Sizes::default();
        let mut count = 0u64;
        for column in self.columns() {
            count += 1;
            sizes.part = sizes.part.max(bytes(column.read, rows, pixel));
            sizes.window = sizes.window.max(bytes(column.used, rows, pixel));
            sizes.left_row = sizes.left_row.max(bytes(column.left, 1, pixel));
            sizes.made = sizes.made.max(bytes(column.made, room, made_pixel));
            if !column.made.is_empty() {
                let state = Layout::new().with::<u8>(self.stage.memory(&self.view_of(&column))).bytes();
                sizes.state = sizes.state.max(state);
            }
        }
        sizes.left = sizes.left_row.saturating_mul(u64::from(self.blocks.rows));
        sizes.states = sizes.state.saturating_mul(count);
        sizes.held = bytes(self.view.output.cols, room, made_pixel);
        sizes
    }

    /// What a source needs, beside the strips it fills.
    pub(crate) fn needs(&self) -> Vec<Need> {
        let sizes = self.sizes();
        let mut needs = self.page.window_needs(self.view.input, Windows::Cols(self.blocks.cols));
        let arena = |consumer, leases: &[u64]| {
            let layout = leases.iter().fold(Layout::new(), |layout, bytes| layout.with::<u8>(*bytes));
            Need::fixed(consumer, layout.bytes(), Each::Worker, Place::Arena)
        };
        needs.extend([
            arena("windows before the seams", &[sizes.part, sizes.window, sizes.left, sizes.made]),
            arena("states before the seams", &[sizes.states]),
            arena("finished rows before the seams", &[sizes.held]),
            Need::fixed("job before the seams", size_of::<Reader<'_>>() as u64, Each::Worker, Place::Heap),
        ]);
        needs
    }

    /// A source of the region, out of `budget`.
    ///
    /// # Errors
    /// [`FormatError`] if the page cannot be decoded or `budget` holds less than [`Columns::needs`] said.
    pub(crate) fn source(
        self,
        watch: &Stopwatch,
        budget: &mut Budget<'a>,
    ) -> Result<RowSource<'a>, FormatError> {
        let sizes = self.sizes();
        let windows = Windows::Cols(self.blocks.cols);
        let source = Timed::new(Read(self.page.windows(self.view.input, windows, budget)?), watch.clone());
        let mut lease =
            |consumer, bytes: u64| budget.lease::<u8>(consumer, usize::try_from(bytes).unwrap_or(usize::MAX));
        let reader = Reader {
            source,
            part: lease("windows before the seams", sizes.part)?,
            window: lease("windows before the seams", sizes.window)?,
            left: lease("windows before the seams", sizes.left)?,
            made: lease("windows before the seams", sizes.made)?,
            states: lease("states before the seams", sizes.states)?,
            held: lease("finished rows before the seams", sizes.held)?,
            finished: Rows::new(self.view.output.rows.start(), self.view.output.rows.start()),
            read: self.view.input.rows.start(),
            sizes,
            columns: self,
        };
        reader.begin().map_err(of_stage)
    }
}
