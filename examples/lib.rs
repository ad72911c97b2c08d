//! Examples of Plimsoll's library crates; each is a file beside this one.
//!
//! | example | story |
//! |---|---|
//! | `static_arena` | firmware's view: a chain in a static arena of 16 KiB, without std in the pipeline |
//! | `shared_budget` | a service's view: several conversions at once that share one limit |
//! | `make_sample` | a source of your own: computes the picture that ships in `data/` and writes it as TIFF |
//! | `series_log` | a device's view: readings in blocks of a flash page, in 2 KiB |
//! | `series_read` | a host's view: a device's blocks become a table of text, one of them damaged |
//! | `series_range` | an hour out of a year, by index and headers |
