//! Lets go of the program's own code and constants that are not in use.
//!
//! Reading a command line touches megabytes of them that the work itself never needs. They are private mappings of
//! files that nobody writes to, so the system can drop them at any time and read them again where they are needed.
#![allow(unsafe_code)]

/// Makes all code and constants of this process non-resident: what is needed comes back page by page, from the system's cache. Gives
/// the bytes of the mappings that were let go; 0 where the system has no list of them.
///
/// Costs some hundred soft page faults afterwards, and nothing else.
#[cfg(target_os = "linux")]
pub fn release_code() -> u64 {
    use std::io::Read;

    // A buffer of its own, so that the heap does not grow for it; the list of a program is a few KiB long.
    let mut text = [0u8; 16 << 10];
    let mut len = 0;
    let Ok(mut file) = std::fs::File::open("/proc/self/maps") else { return 0 };
    while let Some(rest) = text.get_mut(len..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) | Err(_) => break,
            Ok(read) => len += read,
        }
    }
    let lines = text.get(..len).unwrap_or_default().split(|byte| *byte == b'\n');
    let mut released = 0;
    for (start, end) in lines.filter_map(unwritten) {
        // SAFETY: the range is a private mapping of a file that was never writable (see `unwritten`): every page of it
        // is a clean copy of the file's, and comes back as such when it is touched.
        let dropped = unsafe {
            rustix::mm::madvise(
                start as *mut core::ffi::c_void,
                end - start,
                rustix::mm::Advice::LinuxDontNeed,
            )
        };
        if dropped.is_ok() {
            released += (end - start) as u64;
        }
    }
    released
}

/// Elsewhere nothing is let go.
#[cfg(not(target_os = "linux"))]
pub fn release_code() -> u64 {
    0
}

/// First and last address of a line of the list that is a program's or library's code, or its constants: `START-END
/// r-xp OFFSET ... /PATH`, or `r--p` from the file's start. Other read-only parts may have been written to before they
/// were made so: addresses in tables are filled in when a program is loaded.
#[cfg(target_os = "linux")]
fn unwritten(line: &[u8]) -> Option<(usize, usize)> {
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let access = words.next()?;
    let offset = words.next()?;
    let path = words.nth(2)?;
    let code = access == "r-xp";
    let constants = access == "r--p" && offset.bytes().all(|digit| digit == b'0');
    if !(code || constants) || !path.starts_with('/') {
        return None;
    }
    let parse = |text| usize::from_str_radix(text, 16).ok();
    Some((parse(start)?, parse(end)?)).filter(|(start, end)| start < end)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_wrote_to_is_let_go() {
        let line = b"55d0c0a2b000-55d0c0a9c000 r-xp 00003000 fe:00 1234   /usr/bin/thing";
        assert_eq!(unwritten(line), Some((0x55d0_c0a2_b000, 0x55d0_c0a9_c000)));
        let line = b"55d0c0a2b000-55d0c0a9c000 r--p 00000000 fe:00 1234   /usr/bin/thing";
        assert!(unwritten(line).is_some());
        for other in [
            "55d0c0a2b000-55d0c0a9c000 r--p 00003000 fe:00 1234   /usr/bin/thing",
            "55d0c0a2b000-55d0c0a9c000 rwxp 00003000 fe:00 1234   /usr/bin/thing",
            "7ffd1a3c4000-7ffd1a3c6000 r-xp 00000000 00:00 0      [vdso]",
            "7ffd1a3c4000-7ffd1a3c6000 r-xp 00000000 00:00 0",
            "nonsense",
            "",
        ] {
            assert_eq!(unwritten(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn the_program_goes_on() {
        assert!(release_code() > 0);
        assert_eq!((1..=10).sum::<i32>(), 55);
        assert!(release_code() > 0);
    }
}
