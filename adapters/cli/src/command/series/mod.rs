//! `plimsoll series`: tables of text to `.pls` files and back, one file a subcommand.
//!
//! ```text
//!  pack: text -> points -> blocks      unpack, get: blocks -> points -> text      cat: blocks -> blocks
//! ```

mod aggregate;
mod cat;
mod get;
mod info;
mod input;
mod memory;
mod output;
mod pack;
mod reading;
mod unpack;

use super::session::Session;
use crate::failure::Failure;
use clap::{Args, Subcommand};

/// `series`
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    plimsoll series pack log.csv -o log.pls --time timestamp --unit s\n  \
    plimsoll series info log.pls\n  \
    plimsoll series get log.pls --from 2014-04-01 --to 2014-04-08 --every 1h --agg min,mean,max\n  \
    cat log.csv | plimsoll series pack | plimsoll series unpack")]
pub(crate) struct SeriesArgs {
    #[command(subcommand)]
    of: Series,
}

/// What to do with series.
#[derive(Clone, Debug, Subcommand)]
enum Series {
    /// Pack a table of text into a file of blocks
    Pack(pack::PackArgs),
    /// Write a packed file as the table of text that it was
    Unpack(unpack::UnpackArgs),
    /// Points, blocks, bits a point, ratio and worst error of packed files
    Info(info::InfoArgs),
    /// The points of a range of time, or what they come to by the hour
    Get(get::GetArgs),
    /// Put packed files one behind the other
    Cat(cat::CatArgs),
}

/// `plimsoll series`
pub(crate) fn series(args: &SeriesArgs, session: &Session) -> Result<(), Failure> {
    match &args.of {
        Series::Pack(args) => pack::pack(args, session),
        Series::Unpack(args) => unpack::unpack(args, session),
        Series::Info(args) => info::info(args, session),
        Series::Get(args) => get::get(args, session),
        Series::Cat(args) => cat::cat(args, session),
    }
}
