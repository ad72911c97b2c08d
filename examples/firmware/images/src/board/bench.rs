//! The story of one column, for the back end that an image names.

use crate::HostFile;
use crate::marks::Counted;
use core::ffi::CStr;
use plimsoll_core::series::Profile;
use stories::series::{self, Error, POINT_BYTES};

/// Runs [`stories::series`] from `points.bin` to `output`, and gives the exit code.
pub fn series<P: Profile>(output: &CStr) -> i32 {
    let (Ok(input), Ok(output)) = (HostFile::open(c"points.bin"), HostFile::create(output)) else {
        defmt::error!("points.bin cannot be read, or the blocks not written");
        return 2;
    };
    let points = input.bytes().unwrap_or(0) / POINT_BYTES as u32;
    match series::run::<P, _, _>(points, input, output, &Counted) {
        Ok(report) if report.decoded == points => {
            defmt::info!("{} points in {} bytes and back", report.points, report.bytes);
            0
        }
        Ok(report) => {
            defmt::error!("{} of {} points came back", report.decoded, points);
            1
        }
        Err(error) => {
            match error {
                Error::Input(_) => defmt::error!("points.bin ends early"),
                Error::Output(error) => defmt::error!("{}", error),
                Error::Misuse(error) => defmt::error!("{}", error),
                Error::Damage(error) => defmt::error!("{}", error),
            }
            1
        }
    }
}
