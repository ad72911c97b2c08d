//! A picture of 300 KiB through a transform, its rows into series, those into a journal on flash and back, in one image:
//! `camera.u8` in, `survey.bin` and `survey.flash` out.
#![no_std]
#![no_main]

use board::{HostFile, Once};
use embedded_io::Write;
use plimsoll_core::journal::RamFlash;
use plimsoll_core::pipeline::RunError;
use stories::log;
use stories::logger::FLASH;
use stories::survey::{self, ARENA_BYTES};

board::start!(run);

/// Stands for the region of the flash that the journal owns, as in `logger`.
static REGION: Once<[u8; FLASH[0] as usize]> = Once::new([0; FLASH[0] as usize]);

#[repr(align(64))]
struct Arena([u8; ARENA_BYTES]);

static ARENA: Once<Arena> = Once::new(Arena([0; ARENA_BYTES]));

fn run() -> i32 {
    let (Some(region), Some(arena)) = (REGION.take(), ARENA.take()) else { return 3 };
    let (Ok(input), Ok(output)) = (HostFile::open(c"camera.u8"), HostFile::create(c"survey.bin")) else {
        defmt::error!("camera.u8 cannot be read, or survey.bin not written");
        return 2;
    };
    match survey::run(&mut arena.0, input, output, RamFlash::new(&mut region[..], FLASH[1], FLASH[2])) {
        Ok(report) => {
            defmt::info!("planned {}, leased {} of {} bytes", report.planned, report.peak, ARENA_BYTES);
            defmt::info!(
                "{} rows in {} blocks of {} bytes",
                report.read_back,
                report.kept.blocks,
                report.kept.bytes
            );
        }
        Err(error) => {
            match error {
                RunError::Budget(error) => defmt::error!("{}", error),
                RunError::Stage(error) => defmt::error!("{}", error),
                RunError::Source(_) => defmt::error!("camera.u8 ends early"),
                RunError::Sink(log::Error::Output(error)) => defmt::error!("{}", error),
                RunError::Sink(log::Error::Journal(error)) => defmt::error!("{}", error),
                RunError::Sink(log::Error::Misuse(error)) => defmt::error!("{}", error),
                RunError::Sink(log::Error::Damage(error)) => defmt::error!("{}", error),
                _ => defmt::error!("the run was cut short"),
            }
            return 1;
        }
    }
    let image = HostFile::create(c"survey.flash").and_then(|mut file| file.write_all(&region[..]));
    i32::from(image.is_err())
}
