//! The transforms, one per file, and the list of them.
//!
//! To add one: write its file (a [`Stage`](crate::pipeline::Stage), generic over the sample, and an `Op` that reads
//! its settings), then name it in the list at the end of this file. Nothing else has to change.

mod args;
#[cfg(test)]
mod built;
mod curve;
mod edge;
#[cfg(test)]
mod kinds;
mod lanes;
mod nearest;
mod op;
mod power;
mod table;

pub use args::Args;
pub use curve::{Curve, Direct, Real, Tone};
pub use nearest::Nearest;
pub use op::{Host, Op, Words};
pub use table::{Lookup, Tabled};

/// The list: each line is a file of this folder that holds an `Op`.
macro_rules! transforms {
    ($($module:ident),* $(,)?) => {
        $(pub mod $module;)*

        /// Name, settings and purpose of every transform, in the order of the list.
        pub const WORDS: &[Words] = &[$($module::Op::WORDS),*];

        /// Builds the transform called `name` for an input of shape `input`, and hands it to `host`.
        ///
        /// # Errors
        /// [`StageError::Unknown`](crate::pipeline::StageError::Unknown) if nothing has that name, otherwise what is
        /// wrong with the settings.
        pub fn build<H: Host>(
            name: &str,
            args: Args<'_>,
            input: crate::shape::Shape,
            host: &mut H,
        ) -> Result<H::Built, crate::pipeline::StageError> {
            $(if name == <$module::Op as Op>::WORDS.name {
                return <$module::Op as Op>::build(args, input, host);
            })*
            Err(crate::pipeline::StageError::Unknown)
        }
    };
}

transforms! {
    invert,
    crop,
    linear,
    gamma,
    levels,
    to,
    bands,
    gray,
    flip,
    conv,
    sharpen,
    blur,
    median,
    resize,
    shrink,
    thumbnail,
    normalize,
}
