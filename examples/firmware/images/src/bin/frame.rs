//! A picture of 300 KiB through a chain in a static arena: `camera.u8` in, `frame.f32` out.
#![no_std]
#![no_main]

use board::HostFile;
use board::marks::{mark_encode, mark_other};
use plimsoll_core::pipeline::RunError;
use static_arena::ARENA;
use stories::frame;

board::start!(run);

/// The arena: 48 KiB of the 64 that most boards have; of the small one's 16, what the plan states for strips of one row.
mod static_arena {
    pub(crate) const BYTES: usize = if cfg!(small_ram) { 11_776 } else { 48 << 10 };

    #[repr(align(64))]
    pub(crate) struct Arena(pub(crate) [u8; BYTES]);

    pub(crate) static ARENA: board::Once<Arena> = board::Once::new(Arena([0; BYTES]));
}

fn run() -> i32 {
    let Some(arena) = ARENA.take() else { return 3 };
    let (Ok(input), Ok(output)) = (HostFile::open(c"camera.u8"), HostFile::create(c"frame.f32")) else {
        defmt::error!("camera.u8 cannot be read, or frame.f32 not written");
        return 2;
    };
    mark_encode();
    let report = frame::run(&mut arena.0, input, output);
    mark_other();
    match report {
        Ok(report) => {
            let (rows, cols) = (report.output.rows, report.output.cols);
            defmt::info!("640 x 480 -> {} x {} in strips of {} rows", cols, rows, report.strip_rows);
            defmt::info!("planned {}, leased {} of {} bytes", report.planned, report.peak, arena.0.len());
            0
        }
        Err(error) => {
            match error {
                RunError::Budget(error) => defmt::error!("{}", error),
                RunError::Stage(error) => defmt::error!("{}", error),
                RunError::Source(_) => defmt::error!("camera.u8 ends early"),
                _ => defmt::error!("frame.f32 cannot be written"),
            }
            1
        }
    }
}
