//! Promise: a read or write that fails and would have gone well is tried again, of a journal's file and of a mapped
//! input, too; where it goes on failing, that is said, and nothing that was acknowledged is lost.
//!
//! This program puts itself in front of the system's reads and writes and makes the n-th of them fail.
#![cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]

use plimsoll_core::bytes::ReadAt;
use plimsoll_core::journal::{From, Geometry, Journal, Policy};
use plimsoll_os::FileFlash;
use plimsoll_os::input::MappedFile;
use plimsoll_os::retry;
use std::ffi::c_void;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};

/// The error of a device (`EIO`), and of a page that it does not give (`EFAULT`).
const EIO: i32 = 5;
const EFAULT: i32 = 14;

/// Reads and writes that still go well, those that fail then, and all that there were.
static GOOD: AtomicI64 = AtomicI64::new(i64::MAX);
static BAD: AtomicI64 = AtomicI64::new(0);
static CALLS: AtomicI64 = AtomicI64::new(0);

/// Whether mapped pages are missing.
static NO_PAGES: AtomicBool = AtomicBool::new(false);

unsafe extern "C" {
    fn __pread64(file: i32, into: *mut c_void, bytes: usize, offset: i64) -> isize;
    fn __pwrite64(file: i32, from: *const c_void, bytes: usize, offset: i64) -> isize;
    fn __errno_location() -> *mut i32;
    fn syscall(number: i64, ...) -> i64;
}

/// The number of `process_vm_readv`.
const PROCESS_VM_READV: i64 = if cfg!(target_arch = "x86_64") { 310 } else { 270 };

fn fail(errno: i32) -> isize {
    // SAFETY: the place is this thread's own.
    unsafe { *__errno_location() = errno };
    -1
}

/// Whether this call is one that fails.
fn fails() -> bool {
    CALLS.fetch_add(1, Relaxed);
    GOOD.fetch_sub(1, Relaxed) <= 0 && BAD.fetch_sub(1, Relaxed) > 0
}

// SAFETY: these stand before the system's functions of the same names and hand calls on to them unchanged.
#[unsafe(no_mangle)]
unsafe extern "C" fn pread64(file: i32, into: *mut c_void, bytes: usize, offset: i64) -> isize {
    if fails() {
        return fail(EIO);
    }
    // SAFETY: the caller's promise is the same; so below.
    unsafe { __pread64(file, into, bytes, offset) }
}

// SAFETY: as `pread64`.
#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite64(file: i32, from: *const c_void, bytes: usize, offset: i64) -> isize {
    if fails() {
        return fail(EIO);
    }
    // SAFETY: as in `pread64`.
    unsafe { __pwrite64(file, from, bytes, offset) }
}

// SAFETY: as `pread64`.
#[unsafe(no_mangle)]
unsafe extern "C" fn process_vm_readv(
    pid: i32,
    local: *const c_void,
    locals: u64,
    remote: *const c_void,
    remotes: u64,
    flags: u64,
) -> isize {
    if NO_PAGES.load(Relaxed) {
        return fail(EFAULT);
    }
    // SAFETY: as in `pread64`.
    unsafe { syscall(PROCESS_VM_READV, pid, local, locals, remote, remotes, flags) as isize }
}

/// What is on the disk after a power cut is not asked here: thousands of journals are written.
// SAFETY: touches nothing.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdatasync(_file: i32) -> i32 {
    0
}

/// Does `work` while so many calls after the first `good` ones fail; gives what it gives, the calls and the retries.
fn with_faults<T>(good: i64, bad: i64, work: impl FnOnce() -> T) -> (T, i64, u64) {
    let retries = retry::count();
    CALLS.store(0, Relaxed);
    BAD.store(bad, Relaxed);
    GOOD.store(good, Relaxed);
    let result = work();
    GOOD.store(i64::MAX, Relaxed);
    (result, CALLS.load(Relaxed), retry::count() - retries)
}

const GEOMETRY: Geometry =
    Geometry { capacity_bytes: 4 * 512, sector_bytes: 512, word_bytes: 1, erased: 0xFF };

/// A journal whose ring goes round: made, written, closed, opened and written on. Gives how many records were
/// acknowledged.
fn write_journal(path: &Path, acknowledged: &mut u32) -> io::Result<()> {
    let other = |error: String| io::Error::other(error);
    let flash = FileFlash::create(path, GEOMETRY).map_err(|error| other(error.to_string()))?;
    let mut journal =
        Journal::format(flash, Policy::Overwrite).map_err(|error| other(format!("{error:?}")))?;
    for half in 0..2u32 {
        if half == 1 {
            drop(journal);
            let flash = FileFlash::open(path).map_err(|error| other(error.to_string()))?;
            journal =
                Journal::mount(flash, Policy::Overwrite).map_err(|error| other(format!("{error:?}")))?;
        }
        for number in half * 40..half * 40 + 40 {
            journal.append(1, 0..=0, &number.to_le_bytes()).map_err(|error| other(format!("{error:?}")))?;
            *acknowledged = number + 1;
        }
    }
    Ok(())
}

/// The last record in a journal's file.
fn last(path: &Path) -> Option<u32> {
    let mut journal = Journal::inspect(FileFlash::open_image(path).ok()?, Policy::Keep).ok()?;
    let mut buffer = [0; 8];
    let mut records = journal.iterate(From::Sequence(0));
    let mut last = None;
    while let Ok(Some(record)) = records.next(&mut buffer) {
        last = Some(u32::from_le_bytes(record.bytes.try_into().unwrap()));
    }
    last
}

fn journals() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (done, calls, retries) = with_faults(i64::MAX, 0, || write_journal(&path("clean"), &mut 0));
    done.unwrap();
    assert!(retries == 0 && calls > 100, "{calls} calls, {retries} retries");
    let clean = std::fs::read(path("clean")).unwrap();
    retry::set_attempts(3);
    for good in 0..calls {
        // Twice now and then: the third attempt goes well.
        let bad = 1 + i64::from(good % 32 == 0);
        let name = path("retried");
        let (done, _, retries) = with_faults(good, bad, || write_journal(&name, &mut 0));
        done.unwrap_or_else(|error| panic!("call {good}: {error}"));
        assert_eq!(retries, bad as u64, "call {good}");
        assert!(std::fs::read(&name).unwrap() == clean, "call {good}: the journal is another");
        std::fs::remove_file(&name).unwrap();
    }
    retry::set_attempts(2);
    for good in (0..calls).step_by((calls / 9) as usize) {
        // For ever: said, after two attempts at everything, and what was acknowledged is there.
        let name = path("failed");
        let mut acknowledged = 0;
        let (done, _, retries) = with_faults(good, i64::MAX, || write_journal(&name, &mut acknowledged));
        let error = done.expect_err("a device that is gone").to_string();
        // A journal goes on to other sectors until there is none.
        let said = ["os error 5", "code: 5", "NoUsableSector"];
        assert!(said.iter().any(|words| error.contains(words)), "call {good}: {error}");
        assert!(retries >= 1, "call {good}: {retries} retries");
        if acknowledged > 0 {
            assert!(last(&name).is_some_and(|last| last + 1 >= acknowledged), "call {good}: {acknowledged}");
        }
        std::fs::remove_file(&name).unwrap();
    }
}

fn mapped_input() {
    retry::set_attempts(3);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in");
    let content: Vec<u8> = (0..3_000_000u32).map(|at| (at.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect();
    std::fs::write(&path, &content).unwrap();
    let file = MappedFile::open(&path).unwrap();
    let read = |offset: usize, bytes: usize| {
        let mut into = vec![0; bytes];
        file.read_at(offset as u64, &mut into).map(|()| into)
    };
    let (offset, bytes) = (123_456, 1_000_000);
    let wanted = &content[offset..offset + bytes];
    let (got, calls, _) = with_faults(0, i64::MAX, || read(offset, bytes));
    assert!(got.unwrap() == wanted && calls == 0, "what is mapped needs no read");
    NO_PAGES.store(true, Relaxed);
    let (got, calls, retries) = with_faults(i64::MAX, 0, || read(offset, bytes));
    assert!(got.unwrap() == wanted && calls > 1 && retries == 0, "{calls} calls, {retries} retries");
    for good in 0..calls {
        for bad in 1..=2 {
            let (got, _, retries) = with_faults(good, bad, || read(offset, bytes));
            assert!(got.unwrap() == wanted && retries == bad as u64, "call {good}: {retries} retries");
        }
        let (got, _, retries) = with_faults(good, 3, || read(offset, bytes));
        let error = got.expect_err("three failures").to_string();
        assert!(retries == 2 && error.contains("os error 5"), "call {good}: {error}, {retries} retries");
    }
    NO_PAGES.store(false, Relaxed);
    assert!(read(offset, bytes).unwrap() == wanted, "the file is as good as before");
}

/// One test: the faults are the process's.
#[test]
fn reads_and_writes_are_tried_again() {
    journals();
    mapped_input();
}
