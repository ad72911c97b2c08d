//! Processor time of a thread.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// What the calling thread has taken of its processor so far, by POSIX's `CLOCK_THREAD_CPUTIME_ID`: however busy the
/// machine is, the same work takes about the same.
pub fn processor_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_counts_and_waiting_does_not() {
        let begun = processor_time();
        std::thread::sleep(Duration::from_millis(200));
        let waited = processor_time() - begun;
        let mut sum = 1u64;
        while processor_time() - begun < waited + Duration::from_millis(5) {
            sum = std::hint::black_box(sum.wrapping_mul(3));
        }
        assert!(waited < Duration::from_millis(100), "{waited:?} while it slept");
    }
}
