//! Jobs: what stands behind the subcommands, for programs that want the work and not the command line.
//!
//! A job opens its inputs (headers only), is planned, and only then runs: `open -> plan -> run -> receipt`.

mod book;
mod budget;
mod columns;
mod compare;
mod control;
mod convert;
mod edge;
mod hash;
mod hash_back;
mod kept;
mod mapping;
mod measure;
mod measuring;
mod output;
mod paced;
mod pages;
mod pass;
mod placed;
mod plan;
mod prefix;
mod price;
mod route;
mod seams;
mod settings;
mod smaller;
mod tiles;
mod verify;

pub use book::BookJob;
pub use budget::Budgeted;
pub use compare::{CompareJob, Comparison};
pub use control::{Control, Decision, Moment, Watcher};
pub(crate) use control::{LOOK_EVERY, MOST_DECISIONS};
pub use convert::{ConvertJob, Converted, Request};
pub(crate) use edge::{PLENTY_BYTES, price, smallest};
pub use measure::{MeasureJob, Measured};
pub(crate) use output::by_ending;
pub use pages::{Input, PageList, PageName};
pub use plan::{JobPlan, PassPlan};
pub use prefix::Prefix;
pub use price::HEAP_BASE_BYTES;
pub(crate) use price::{PROCESS_BYTES, START_BYTES, START_HEAP_BYTES};
pub use settings::{Io, Settings};
pub use verify::{Checked, Checks, OnMiss, VerifiedJob};
