//! `plimsoll series unpack`: a file of blocks becomes the table of text that it was.

use super::input::Packed;
use super::memory::buffers;
use super::output::OutputArgs;
use super::reading::{Ended, Taker, feed};
use crate::command::session::Session;
use crate::failure::Failure;
use crate::size::Within;
use clap::Args;
use plimsoll_core::series::Word;
use plimsoll_formats::series::{CsvOutput, PlsPoints, Schema, TimeRange};
use std::io::{self, Write};
use std::path::PathBuf;

/// `series unpack`
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  plimsoll series unpack log.pls -o log.csv\n  plimsoll series unpack log.pls | head"
)]
pub(super) struct UnpackArgs {
    /// The packed file; the standard input if absent or `-`
    #[arg(value_name = "IN", default_value = "-", hide_default_value = true)]
    pub input: PathBuf,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Peak resident memory of the whole process: 16MiB, 1GB, 60%
    #[arg(long, value_name = "SIZE")]
    pub within: Option<Within>,
}

/// `plimsoll series unpack`
pub(super) fn unpack(args: &UnpackArgs, session: &Session) -> Result<(), Failure> {
    let sizes = buffers(args.within, |sizes| PlsPoints::<Packed>::HEAP_BYTES + sizes.output)?;
    let points = PlsPoints::new(Packed::open(&args.input)?);
    let mut out = CsvOutput::new(args.output.begin(sizes.output)?);
    match feed(points, &args.input, TimeRange::ALL, &mut Lines(&mut out), session) {
        Ok(_) => {}
        Err(Ended::Write(error)) => return args.output.failed(error),
        Err(Ended::Failed(failure)) => return Err(failure),
    }
    match out.finish() {
        Ok(out) => args.output.finish(out),
        Err(error) => args.output.failed(error),
    }
}

/// Points become lines.
pub(super) struct Lines<'o, W>(pub(super) &'o mut CsvOutput<W>);

impl<W: Write> Taker for Lines<'_, W> {
    fn begin(&mut self, schema: &Schema, _: Option<&Schema>) -> io::Result<()> {
        self.0.begin(schema)
    }

    fn point(&mut self, schema: &Schema, time: i64, values: &[Word]) -> io::Result<()> {
        self.0.point(schema, time, values)
    }
}
