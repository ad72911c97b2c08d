//! Keeps the program's own code and constants that are not in use out of memory.
//!
//! Reading a command line touches megabytes of them that the work itself never needs. They are private mappings of
//! files that nobody writes to, so the system can drop them at any time and read them again where they are needed.
#![allow(unsafe_code)]

/// Code that becomes resident at most where one instruction of it is executed. Linux maps 64 KiB around each place
/// touched, but never across the border of two mappings: of these a program of 5 MB has some hundred then. Half of it
/// doubles them, and saves a tenth of what is resident.
#[cfg(target_os = "linux")]
const GRAIN_BYTES: usize = 8 << 10;

/// Makes code and constants resident in grains of 8 KiB where they are touched from now on, and not of 64 KiB. Gives
/// the bytes of the mappings that are so divided; 0 where the system has no list of them.
///
/// Every other grain is marked as read in random order. That is a hint about reading ahead, and alters nothing that the
/// program can see; but it tells the two kinds apart, and a page fault never maps pages of another kind than its own.
#[cfg(target_os = "linux")]
pub fn divide_code() -> u64 {
    each_unwritten(|start, end| {
        for grain in (start..end).step_by(GRAIN_BYTES).step_by(2) {
            advise(grain, end.min(grain.saturating_add(GRAIN_BYTES)), rustix::mm::Advice::Random);
        }
    })
}

/// Makes all code and constants of this process non-resident: what is needed comes back page by page, from the system's
/// cache. Gives the bytes of the mappings that were let go; 0 where the system has no list of them.
///
/// Costs some hundred soft page faults afterwards, and nothing else.
#[cfg(target_os = "linux")]
pub fn release_code() -> u64 {
    each_unwritten(|start, end| advise(start, end, rustix::mm::Advice::LinuxDontNeed))
}

/// Elsewhere nothing is divided.
#[cfg(not(target_os = "linux"))]
pub fn divide_code() -> u64 {
    0
}

/// Elsewhere nothing is let go.
#[cfg(not(target_os = "linux"))]
pub fn release_code() -> u64 {
    0
}

/// Tells the system how a part of an unwritten mapping is used. A system that refuses keeps what it has.
#[cfg(target_os = "linux")]
fn advise(start: usize, end: usize, advice: rustix::mm::Advice) {
    // SAFETY: the range is of a private mapping of a file that was never writable (see `unwritten`): every page of it
    // is a clean copy of the file's, and comes back as such when it is touched. Other advice drops nothing.
    let _ = unsafe { rustix::mm::madvise(start as *mut core::ffi::c_void, end - start, advice) };
}

/// Calls `act` with the first and last address of each mapping of code and constants; gives the bytes of all. The list
/// is read through a small buffer: a divided program's is long.
#[cfg(target_os = "linux")]
fn each_unwritten(mut act: impl FnMut(usize, usize)) -> u64 {
    use std::io::Read;

    let mut text = [0u8; 4 << 10];
    let mut len = 0;
    let mut bytes = 0;
    let mut before = None;
    let Ok(mut file) = std::fs::File::open("/proc/self/maps") else { return 0 };
    while let Some(rest) = text.get_mut(len..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) | Err(_) => break,
            Ok(read) => len += read,
        }
        let whole = text
            .get(..len)
            .and_then(|text| text.iter().rposition(|byte| *byte == b'\n'))
            .map_or(0, |end| end + 1);
        for line in
            text.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
        {
            before = Mapping::parse(line).filter(|mapping| mapping.is_unwritten(before));
            if let Some(Mapping { start, end, .. }) = before {
                act(start, end);
                bytes += (end - start) as u64;
            }
        }
        text.copy_within(whole..len, 0);
        len -= whole;
    }
    bytes
}

/// A line of the list: `START-END r-xp OFFSET DEVICE INODE /PATH`, of a file that is not written to.
#[cfg(target_os = "linux")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mapping {
    start: usize,
    end: usize,
    offset: usize,
    inode: u64,
    is_code: bool,
}

#[cfg(target_os = "linux")]
impl Mapping {
    fn parse(line: &[u8]) -> Option<Self> {
        let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let is_code = match words.next()? {
            "r-xp" => true,
            "r--p" => false,
            _ => return None,
        };
        let address = |text| usize::from_str_radix(text, 16).ok();
        let offset = address(words.next()?)?;
        let inode = words.nth(1)?.parse().ok()?;
        let (start, end) = (address(start)?, address(end)?);
        (words.next()?.starts_with('/') && start < end).then_some(Self { start, end, offset, inode, is_code })
    }

    /// Whether this is a program's or library's code, or its constants: what is mapped from the file's start, or goes
    /// on where the constants `before` end. Other read-only parts may have been written to before they were made so:
    /// addresses in tables are filled in when a program is loaded.
    fn is_unwritten(&self, before: Option<Self>) -> bool {
        let goes_on = before.is_some_and(|before| {
            let len = before.end - before.start;
            !before.is_code
                && (before.end, before.inode) == (self.start, self.inode)
                && before.offset.checked_add(len) == Some(self.offset)
        });
        self.is_code || self.offset == 0 || goes_on
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn unwritten(lines: &[&str]) -> usize {
        let mut before = None;
        lines
            .iter()
            .filter(|line| {
                before = Mapping::parse(line.as_bytes()).filter(|mapping| mapping.is_unwritten(before));
                before.is_some()
            })
            .count()
    }

    #[test]
    fn only_what_nobody_wrote_to_is_let_go() {
        let code = "55d0c0a2b000-55d0c0a9c000 r-xp 00003000 fe:00 1234   /usr/bin/thing";
        let constants = "55d0c0a2b000-55d0c0a9c000 r--p 00000000 fe:00 1234   /usr/bin/thing";
        let rest_of_them = "55d0c0a9c000-55d0c0a9d000 r--p 00071000 fe:00 1234   /usr/bin/thing";
        assert_eq!(unwritten(&[code]), 1);
        assert_eq!(unwritten(&[constants, rest_of_them]), 2);
        assert_eq!(unwritten(&[code, rest_of_them]), 1);
        for other in [
            "55d0c0a2b000-55d0c0a9c000 r--p 00003000 fe:00 1234   /usr/bin/thing",
            "55d0c0a2b000-55d0c0a9c000 rwxp 00003000 fe:00 1234   /usr/bin/thing",
            "55d0c0a9c000-55d0c0a9d000 r--p 00071000 fe:00 1235   /usr/bin/other",
            "7ffd1a3c4000-7ffd1a3c6000 r-xp 00000000 00:00 0      [vdso]",
            "7ffd1a3c4000-7ffd1a3c6000 r-xp 00000000 00:00 0",
            "nonsense",
            "",
        ] {
            assert_eq!(unwritten(&[constants, other]), 1, "{other}");
        }
    }

    #[test]
    fn the_program_goes_on() {
        let all = divide_code();
        assert!(all > 0);
        assert_eq!((1..=10).sum::<i32>(), 55);
        // A divided program's list is longer than what is read of it at once, and of the same code.
        assert!(std::fs::read("/proc/self/maps").unwrap().len() > 8 << 10);
        let released = release_code();
        assert!(released >= all - (all >> 3), "{released} of {all} bytes");
        assert_eq!((1..=10).sum::<i32>(), 55);
    }
}
