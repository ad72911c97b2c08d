//! Examples of Plimsoll's library crates; each is a file beside this one.
//!
//! | example | story |
//! |---|---|
//! | `static_arena` | firmware's view: a chain in a static arena of 16 KiB, without std in the pipeline |
//! | `shared_budget` | a service's view: several conversions at once that share one limit |
//! | `make_sample` | a source of your own: computes the picture that ships in `data/` and writes it as TIFF |
