//! Samples of a sensor into a journal on flash and back: `samples.bin` in, `blocks.bin` and `flash.bin` out.
#![no_std]
#![no_main]

use board::{HostFile, Once};
use embedded_io::Write;
use plimsoll_core::journal::RamFlash;
use stories::log;
use stories::logger::{self, Error, FLASH, SAMPLE_BYTES};

board::start!(run);

/// Stands for the region of the flash that the journal owns: six sectors of 1 KiB, programmed in words of 4 bytes.
static REGION: Once<[u8; FLASH[0] as usize]> = Once::new([0; FLASH[0] as usize]);

fn run() -> i32 {
    let Some(region) = REGION.take() else { return 3 };
    let (Ok(input), Ok(output)) = (HostFile::open(c"samples.bin"), HostFile::create(c"blocks.bin")) else {
        defmt::error!("samples.bin cannot be read, or blocks.bin not written");
        return 2;
    };
    let samples = input.bytes().unwrap_or(0) / SAMPLE_BYTES as u32;
    match logger::run(samples, input, output, RamFlash::new(&mut region[..], FLASH[1], FLASH[2])) {
        Ok(report) => {
            defmt::info!(
                "{} samples in {} blocks of {} bytes",
                report.samples,
                report.kept.blocks,
                report.kept.bytes
            );
            defmt::info!("{} samples are there after the restart", report.read_back);
        }
        Err(error) => {
            match error {
                Error::Input(_) => defmt::error!("samples.bin ends early"),
                Error::Log(log::Error::Output(error)) => defmt::error!("{}", error),
                Error::Log(log::Error::Journal(error)) => defmt::error!("{}", error),
                Error::Log(log::Error::Misuse(error)) => defmt::error!("{}", error),
                Error::Log(log::Error::Damage(error)) => defmt::error!("{}", error),
            }
            return 1;
        }
    }
    let image = HostFile::create(c"flash.bin").and_then(|mut file| file.write_all(&region[..]));
    i32::from(image.is_err())
}
