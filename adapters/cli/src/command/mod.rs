//! The subcommands, one per file, and what they share.

pub(crate) mod args;
mod compare;
mod convert;
mod doctor;
mod info;
mod journal;
mod series;
mod session;
mod stats;

use crate::failure::Failure;
use args::{Command, CommandLine, Planned};
use clap::CommandFactory;
pub(crate) use session::{Session, print};

/// Does what the command line says.
pub(crate) fn run(mut line: CommandLine, session: &Session) -> Result<(), Failure> {
    let works = line.command.working().is_some();
    if line.command.run_mut().is_some_and(|run| !works && run.receipt.is_some()) {
        let line =
            "--receipt tells what happened, and a plan does nothing: its --json tells all that it knows";
        return Err(Failure::Usage(line.to_owned()));
    }
    match line.command {
        Command::Convert(args) => convert::convert(&args, session),
        Command::Thumbnail(args) => convert::thumbnail(&args, session),
        Command::Stats(args) => stats::stats(&args, session),
        Command::Compare(args) => compare::compare(&args, session),
        Command::Info(args) => info::info(&args),
        Command::Doctor(args) => doctor::doctor(&args),
        Command::Journal(args) => journal::journal(&args),
        Command::Series(args) => series::series(&args, session),
        Command::Plan(plan) => match plan.of {
            Planned::Convert(args) => convert::plan_convert(&args.convert, plan.json || args.json),
            Planned::Thumbnail(args) => convert::plan_thumbnail(&args.thumbnail, plan.json || args.json),
            Planned::Stats(args) => stats::plan(&args, plan.json || args.json),
            Planned::Compare(args) => compare::plan(&args, plan.json || args.json),
            Planned::Info(args) => info::plan(&args, plan.json || args.json),
        },
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut CommandLine::command(), "plimsoll", &mut std::io::stdout());
            Ok(())
        }
    }
}
