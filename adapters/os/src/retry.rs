//! Reads and writes that are tried once more: where the error may pass, and doing it twice does no harm.
//!
//! Positioned reads are safe to repeat, and positioned writes of the same bytes are. Nothing else is: after a failed
//! `fsync` or `rename` nobody knows what is on the disk.

use std::io;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// The wait before the second attempt; four times as long before each that follows.
const FIRST_WAIT: Duration = Duration::from_millis(10);

static ATTEMPTS: AtomicU32 = AtomicU32::new(1);
static RETRIES: AtomicU64 = AtomicU64::new(0);

/// From now on everything in this process is tried so often: once if nobody says anything.
pub fn set_attempts(attempts: u32) {
    ATTEMPTS.store(attempts.max(1), Relaxed);
}

/// How often something was tried once more.
pub fn count() -> u64 {
    RETRIES.load(Relaxed)
}

/// Does `work`, once more after each error that may pass, up to the number of attempts. Allocates nothing.
///
/// # Errors
/// The last one of `work`.
pub(crate) fn again<T>(work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    attempt(ATTEMPTS.load(Relaxed), std::thread::sleep, work)
}

fn attempt<T>(
    attempts: u32,
    mut wait: impl FnMut(Duration),
    mut work: impl FnMut() -> io::Result<T>,
) -> io::Result<T> {
    let mut pause = FIRST_WAIT;
    for _ in 1..attempts {
        match work() {
            Err(error) if may_pass(&error) => {}
            done => return done,
        }
        wait(pause);
        pause = pause.saturating_mul(4);
        RETRIES.fetch_add(1, Relaxed);
    }
    work()
}

/// Whether the device may do better next time. Interruptions are no errors: they are gone on from at once.
fn may_pass(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let passing = [Errno::IO, Errno::AGAIN, Errno::TIMEDOUT];
    Errno::from_io_error(error).is_some_and(|error| passing.contains(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;

    /// A device that fails so often, with that; what it gives, the waits in milliseconds, and the calls.
    fn device(attempts: u32, failures: u32, errno: Errno) -> (io::Result<u32>, Vec<u128>, u32) {
        let (mut waits, mut calls) = (Vec::new(), 0);
        let done = attempt(
            attempts,
            |pause| waits.push(pause.as_millis()),
            || {
                calls += 1;
                if calls <= failures { Err(errno.into()) } else { Ok(calls) }
            },
        );
        (done, waits, calls)
    }

    #[test]
    fn what_may_pass_is_tried_again_with_growing_waits() {
        for errno in [Errno::IO, Errno::AGAIN, Errno::TIMEDOUT] {
            let (done, waits, _) = device(3, 2, errno);
            assert_eq!((done.unwrap(), waits), (3, vec![10, 40]));
        }
        assert_eq!(device(4, 3, Errno::IO).1, [10, 40, 160]);
    }

    #[test]
    fn what_does_not_pass_is_said_at_once_or_at_last() {
        let (done, waits, calls) = device(3, 3, Errno::IO);
        assert_eq!((done.unwrap_err().raw_os_error(), waits, calls), (Some(5), vec![10, 40], 3));
        assert_eq!(device(1, 1, Errno::IO).2, 1);
        for errno in [Errno::NOSPC, Errno::BADF, Errno::ROFS, Errno::FBIG, Errno::DQUOT] {
            assert_eq!(device(3, 1, errno).2, 1, "{errno}");
        }
    }
}
