//! Keeps the program's own code and constants that are not in use out of memory.
//!
//! Reading a command line touches megabytes of them that the work itself never needs. They are private mappings of
//! files that nobody writes to, so the system can drop them at any time and read them again where they are needed.
#![allow(unsafe_code)]

#[cfg(target_os = "linux")]
use super::lone::LonePages;

/// Makes code and constants resident page by page where they are touched from now on, and not in pieces of 64 KiB.
/// Gives the bytes of the segments that are so divided.
#[cfg(target_os = "linux")]
pub fn divide_code() -> u64 {
    match lone_pages() {
        Ok(bytes) => bytes,
        Err(_) => page_mappings(),
    }
}

/// By faults of their own.
#[cfg(target_os = "linux")]
fn lone_pages() -> rustix::io::Result<u64> {
    let pages = LonePages::new()?;
    let mut added = Ok(());
    let bytes = each_unwritten(|start, end| {
        if added.is_ok() {
            added = pages.add(start, end);
        }
    });
    added?;
    pages.keep();
    Ok(bytes)
}

/// By mappings of their own, where the system knows no lone pages: thousands of calls, about two thirds of what the
/// shortest run costs. Every other page is marked as read in random order: a hint about reading ahead, that alters
/// nothing that the program can see; but it tells the two kinds apart, and a fault never maps pages of another kind
/// than its own.
#[cfg(target_os = "linux")]
fn page_mappings() -> u64 {
    let bytes = rustix::param::page_size();
    each_unwritten(|start, end| {
        for page in (start..end).step_by(bytes).step_by(2) {
            advise(page, page.saturating_add(bytes), rustix::mm::Advice::Random);
        }
    })
}

/// Makes all code and constants of this process non-resident: what is needed comes back page by page, from the system's
/// cache. Gives the bytes of the segments that were let go.
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
    // SAFETY: the range is a segment that was never written to (see `visit`): every page of it is a clean copy of the
    // file's, and comes back as such when it is touched. Other advice drops nothing.
    let _ = unsafe { rustix::mm::madvise(start as *mut core::ffi::c_void, end - start, advice) };
}

/// Calls `act` with the first and last address of each segment of code and constants of this program and of the
/// libraries it has loaded; gives the bytes of all. The loader keeps its list while it is walked, so that no library
/// goes away meanwhile, and nothing is read for it.
#[cfg(target_os = "linux")]
fn each_unwritten(mut act: impl FnMut(usize, usize)) -> u64 {
    let mut walk = Walk { act: &mut act, bytes: 0 };
    // SAFETY: `visit` takes its third argument for what it is, a `Walk` that lives until the call returns.
    unsafe { nix::libc::dl_iterate_phdr(Some(visit), (&raw mut walk).cast()) };
    walk.bytes
}

/// What [`visit`] is given for each program and library.
#[cfg(target_os = "linux")]
struct Walk<'a> {
    act: &'a mut dyn FnMut(usize, usize),
    bytes: u64,
}

/// An entry of a dynamic section: gABI, chapter 5, Dynamic Section.
#[cfg(target_os = "linux")]
#[repr(C)]
struct Dynamic {
    tag: usize,
    value: usize,
}

/// A library of this program, or itself: the segments that nobody may write to. One whose code had addresses filled in
/// when it was loaded is passed over: its pages are not the file's any more.
#[cfg(target_os = "linux")]
extern "C" fn visit(
    info: *mut nix::libc::dl_phdr_info,
    _size: nix::libc::size_t,
    walk: *mut core::ffi::c_void,
) -> nix::libc::c_int {
    use nix::libc::{PF_W, PT_DYNAMIC, PT_LOAD};

    // SAFETY: the loader gives a valid entry, whose headers are as many as it says and stay while it is visited; the
    // third argument is what `each_unwritten` gave.
    let (info, headers, walk) = unsafe {
        let info = &*info;
        let count = usize::from(info.dlpi_phnum);
        (info, core::slice::from_raw_parts(info.dlpi_phdr, count), &mut *walk.cast::<Walk<'_>>())
    };
    let place = |address: usize| (info.dlpi_addr as usize).wrapping_add(address);
    // SAFETY: the name is a C string or nothing.
    let name = (!info.dlpi_name.is_null()).then(|| unsafe { core::ffi::CStr::from_ptr(info.dlpi_name) });
    // The program itself has no name; what the system adds has one that is no path.
    let is_file = name.is_none_or(|name| name.is_empty() || name.to_bytes().contains(&b'/'));
    let filled_in = headers.iter().filter(|header| header.p_type == PT_DYNAMIC).any(|header| {
        let entries = header.p_memsz as usize / size_of::<Dynamic>();
        // SAFETY: the section is loaded where its header says.
        let section =
            unsafe { core::slice::from_raw_parts(place(header.p_vaddr as usize) as *const Dynamic, entries) };
        section.iter().take_while(|entry| entry.tag != 0).any(Dynamic::alters_code)
    });
    if is_file && !filled_in {
        for header in headers.iter().filter(|header| header.p_type == PT_LOAD && header.p_flags & PF_W == 0) {
            let page = rustix::param::page_size();
            let start = place(header.p_vaddr as usize);
            let end = start.wrapping_add(header.p_memsz as usize).next_multiple_of(page);
            let start = start - start % page;
            (walk.act)(start, end);
            walk.bytes += (end - start) as u64;
        }
    }
    0
}

#[cfg(target_os = "linux")]
impl Dynamic {
    const TEXTREL: usize = 22;
    const FLAGS: usize = 30;
    const FLAG_TEXTREL: usize = 4;

    /// Whether it says that the loader writes into segments that the program may not write to.
    const fn alters_code(&self) -> bool {
        self.tag == Self::TEXTREL || self.tag == Self::FLAGS && self.value & Self::FLAG_TEXTREL != 0
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    static WRITTEN: AtomicU32 = AtomicU32::new(1);

    /// The parts of this process that the system says may be read or executed, but not written to, and are a file's.
    fn of_the_system() -> Vec<(usize, usize, bool)> {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let parts = maps.lines().filter(|line| line.contains('/')).map(|line| {
            let (start, end) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
            let address = |text| usize::from_str_radix(text, 16).unwrap();
            (address(start), address(end), line.contains(" r-xp "))
        });
        parts.collect()
    }

    #[test]
    fn the_system_sees_the_same_code() {
        let parts = of_the_system();
        let mut ours = Vec::new();
        each_unwritten(|start, end| ours.push((start, end)));
        // Parts that follow each other are one segment, once the code is divided.
        let known = |start: usize, end: usize| {
            let mut at = start;
            parts.iter().for_each(|part| at = if part.0 <= at && at < part.1 { part.1 } else { at });
            at >= end
        };
        assert!(ours.iter().all(|(start, end)| known(*start, *end)), "{ours:x?} {parts:x?}");
        // All code is found: the program's, the libraries' and the loader's.
        for (start, end, is_code) in parts {
            assert!(!is_code || ours.iter().any(|our| our.0 <= start && end <= our.1), "{start:x}-{end:x}");
        }
    }

    #[test]
    fn the_program_goes_on() {
        WRITTEN.store(2, Ordering::Relaxed);
        let all = divide_code();
        assert!(all > 0);
        assert_eq!(page_mappings(), all);
        let words: &[&dyn std::fmt::Display] = &[&"code", &5, &'c'];
        // A divided program's parts are the same.
        let released = release_code();
        assert_eq!(released, all);
        assert_eq!(words.iter().map(|word| word.to_string()).collect::<String>(), "code5c");
        assert_eq!(WRITTEN.load(Ordering::Relaxed), 2);
    }
}
