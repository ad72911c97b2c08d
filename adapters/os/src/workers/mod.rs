//! What several workers on one picture share: the rows around the seams between their bands.

mod seam;
mod seam_source;

pub use seam::{Seam, seams};
pub use seam_source::{SeamError, SeamSource};
