//! From source to sink in strips: the three roles, the plan that decides, and the job that only does.

pub mod bands;
pub mod chain;
pub mod governor;
pub mod group;
mod lane;
pub mod plan;
pub mod run;
pub mod sink;
pub mod source;
pub mod stage;
pub mod staged;

pub use bands::{Band, Bands};
pub use chain::{Chain, MAX_STAGES};
pub use group::Group;
pub use plan::{Need, Plan, Refusal, Request, plan};
pub use run::{Job, Progress, RunError, Step};
pub use sink::Sink;
pub use source::Source;
pub use stage::{Stage, StageError, View};
pub use staged::Staged;
