//! `plimsoll series cat`: packed files one behind the other, block by block, without decoding them.

use super::input::{Packed, name, warn};
use super::memory::buffers;
use super::output::OutputArgs;
use super::reading::{no_head, unlike};
use crate::command::session::Session;
use crate::failure::Failure;
use crate::size::Within;
use clap::Args;
use plimsoll_core::series::MAX_COLUMNS;
use plimsoll_formats::series::{Coder, PlsItem, PlsOptions, PlsPoints, PlsWriter, Scanner};
use std::path::PathBuf;

/// `series cat`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Blocks stay as they are and get one index; damaged ones are left out. The shell's cat does it, too, without an index.\n\n\
Example:\n  plimsoll series cat monday.pls tuesday.pls -o week.pls")]
pub(super) struct CatArgs {
    /// Packed files of the same columns and unit; `-` is the standard input
    #[arg(value_name = "IN", default_value = "-", hide_default_value = true)]
    pub inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Peak resident memory of the whole process: 16MiB, 1GB, 60%
    #[arg(long, value_name = "SIZE")]
    pub within: Option<Within>,
}

/// Bytes of the block buffer that the writer asks for and a copy does not use.
const UNUSED_BYTES: usize = 4096;

/// `plimsoll series cat`
pub(super) fn cat(args: &CatArgs, session: &Session) -> Result<(), Failure> {
    let sizes = buffers(args.within, |sizes| {
        PlsPoints::<Packed>::HEAP_BYTES
            + PlsWriter::<std::io::Sink>::heap_bytes(Coder::Small, MAX_COLUMNS, false)
            + UNUSED_BYTES
            + sizes.output
    })?;
    let options = PlsOptions { coder: Coder::Small, never_longer: false, ..PlsOptions::default() };
    let mut unused = vec![0; UNUSED_BYTES];
    let (mut out, mut unused) = (Some(args.output.begin(sizes.output)?), Some(&mut unused[..]));
    let mut writer: Option<PlsWriter<'_, _>> = None;
    let target = |error| Failure::output(args.output.name(), &error);
    for input in &args.inputs {
        let path = name(input);
        let mut scanner = Scanner::new(Packed::open(input)?);
        let mut headed = false;
        while let Some(item) = scanner.next_item(|_| true).map_err(|error| Failure::input(&path, &error))? {
            match (item, &mut writer) {
                (PlsItem::Schema(schema), None) => {
                    let (Some(out), Some(buffer)) = (out.take(), unused.take()) else { continue };
                    writer = Some(PlsWriter::new(out, schema, options, buffer).map_err(target)?);
                    headed = true;
                }
                (PlsItem::Schema(schema), Some(writer)) => {
                    if !writer.schema().is_like(&schema) {
                        return Err(unlike(&path, writer.schema(), &schema));
                    }
                    writer.change(schema).map_err(target)?;
                    headed = true;
                }
                (PlsItem::Block(header, block), Some(writer)) if headed => {
                    writer.put_block(&header, block).map_err(target)?;
                }
                (PlsItem::Block(..), _) => return Err(no_head(&path)),
                (PlsItem::Damaged(damaged), _) if headed => warn(&path, &damaged),
                (PlsItem::Damaged(_), _) => {}
                (PlsItem::Skipped(_) | PlsItem::Index(_), _) => {}
            }
            if session.is_cancelled() {
                return Err(Failure::Cancelled);
            }
        }
        if !headed {
            return Err(no_head(&path));
        }
    }
    let Some(writer) = writer else { return Ok(()) };
    let (out, _) = writer.finish().map_err(target)?;
    args.output.finish(out)
}
