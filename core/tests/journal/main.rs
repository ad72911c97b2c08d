//! The journal against a flash that cuts the power anywhere, and against a plain list.

mod check;
mod cuts;
mod flash;
mod hostile;
mod model;
mod rules;
