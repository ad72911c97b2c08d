//! Page faults that make one page resident, and none of its neighbours.
//!
//! Linux maps 64 KiB of a file around each place that is touched, except in a range that is watched for writes: there
//! every page must have its own fault (Linux, `Documentation/admin-guide/mm/userfaultfd.rst`, "Write Protect
//! Notifications"; `uffd_disable_fault_around` in `include/linux/userfaultfd_k.h`). Nobody writes to the ranges that
//! are watched here, and writes would be let through at once (`UFFD_FEATURE_WP_ASYNC`, from Linux 6.7 on): nothing
//! waits, and nothing is ever read from the watcher.
#![allow(unsafe_code)]

use rustix::fd::{IntoRawFd, OwnedFd};
use rustix::ioctl::{Opcode, Updater, ioctl, opcode};
use rustix::mm::{UserfaultfdFlags, userfaultfd};

/// `struct uffdio_api` of `linux/userfaultfd.h`.
#[repr(C)]
struct Api {
    version: u64,
    features: u64,
    calls: u64,
}

/// `struct uffdio_register`.
#[repr(C)]
struct Register {
    start: u64,
    len: u64,
    mode: u64,
    calls: u64,
}

/// `UFFDIO_API` and `UFFDIO_REGISTER`.
const GROUP: u8 = 0xAA;
const API: Opcode = opcode::read_write::<Api>(GROUP, 0x3F);
const REGISTER: Opcode = opcode::read_write::<Register>(GROUP, 0x00);

/// `UFFD_USER_MODE_ONLY`: needs no rights.
const USER_MODE_ONLY: u32 = 1;

/// `UFFD_FEATURE_WP_ASYNC`.
const LETS_WRITES_THROUGH: u64 = 1 << 15;

/// `UFFDIO_REGISTER_MODE_WP`.
const WATCHES_WRITES: u64 = 1 << 1;

/// Ranges whose pages become resident one by one, until it is dropped.
pub(super) struct LonePages(OwnedFd);

impl LonePages {
    /// None yet.
    ///
    /// # Errors
    /// The system's: before Linux 6.7, and in containers that forbid the call.
    pub(super) fn new() -> rustix::io::Result<Self> {
        let flags = UserfaultfdFlags::CLOEXEC | UserfaultfdFlags::from_bits_retain(USER_MODE_ONLY);
        // SAFETY: the watcher is asked for nothing that would show or alter this process's memory.
        let watcher = unsafe { userfaultfd(flags) }?;
        // The version is the group's number.
        let mut api = Api { version: u64::from(GROUP), features: LETS_WRITES_THROUGH, calls: 0 };
        // SAFETY: this is the structure that the call takes.
        unsafe { ioctl(&watcher, Updater::<API, Api>::new(&mut api)) }?;
        Ok(Self(watcher))
    }

    /// Adds the mapped pages from `start` to `end`.
    ///
    /// # Errors
    /// The system's, if it cannot watch such a mapping.
    pub(super) fn add(&self, start: usize, end: usize) -> rustix::io::Result<()> {
        let len = end.saturating_sub(start) as u64;
        let mut range = Register { start: start as u64, len, mode: WATCHES_WRITES, calls: 0 };
        // SAFETY: this is the structure that the call takes. No write is ever held up, so what the process does stays
        // the same.
        unsafe { ioctl(&self.0, Updater::<REGISTER, Register>::new(&mut range)) }
    }

    /// Until the process ends.
    pub(super) fn keep(self) {
        let _ = self.0.into_raw_fd();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use memmap2::Mmap;

    /// Bytes of the mapping at `start` that are resident.
    fn resident(start: usize) -> u64 {
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let own = maps.split_once(&format!("{start:x}-")).unwrap().1;
        let line = own.lines().find(|line| line.starts_with("Rss:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
    }

    #[test]
    fn each_place_makes_one_page_resident() {
        let pages = match LonePages::new() {
            Ok(pages) => pages,
            Err(error) => return println!("SKIPPED: no watched ranges here ({error})"),
        };
        let page = rustix::param::page_size();
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, &vec![7; 64 * page]).unwrap();
        // SAFETY: nobody else has the file.
        let [watched, other] = [(); 2].map(|()| unsafe { Mmap::map(&file) }.unwrap());
        let start = watched.as_ptr() as usize;
        pages.add(start, start + watched.len()).unwrap();
        // One place would not do for the control: a page that the system holds locked takes none of its
        // neighbours along.
        let places = [8, 24, 40, 56];
        let touch = |map: &Mmap| places.iter().for_each(|place| assert_eq!(map[place * page], 7));
        touch(&watched);
        assert_eq!(resident(start), (places.len() * page) as u64);
        // Where nobody watches, there are more. Not the same range after the watcher is gone: a process that another
        // test starts has a copy of it until its program runs.
        touch(&other);
        assert!(resident(other.as_ptr() as usize) > (places.len() * page) as u64);
    }

    #[test]
    fn what_is_not_mapped_is_refused() {
        if let Ok(pages) = LonePages::new() {
            assert!(pages.add(0, 1 << 12).is_err());
        }
    }
}
