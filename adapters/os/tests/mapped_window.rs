//! However a mapped file is read, at most `MAPPED_WINDOW_BYTES` of it are resident, as the system counts them.
#![cfg(target_os = "linux")]

use plimsoll_core::bytes::ReadAt;
use plimsoll_os::input::{Input, Io, MAPPED_WINDOW_BYTES, MappedFile, open_input};
use std::io::Write;
use std::path::Path;
use std::sync::RwLock;

const LEN: usize = 48 << 20;

fn file() -> (tempfile::NamedTempFile, Vec<u8>) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let content: Vec<u8> = (0..LEN as u32).map(|i| (i.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect();
    file.write_all(&content).unwrap();
    (file, content)
}

/// Resident bytes of the mappings of `path` in this process.
fn resident(path: &Path) -> u64 {
    let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let mut ours = false;
    let mut sum = 0;
    for line in maps.lines() {
        if line.split(' ').next().is_some_and(|word| word.contains('-')) {
            ours = line.ends_with(path.to_str().unwrap());
        } else if let Some(kib) = line.strip_prefix("Rss:").filter(|_| ours) {
            sum += kib.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024;
        }
    }
    sum
}

/// Reads `len` bytes at each offset, checks them, and looks at the residency now and then. Nobody reads during a look:
/// the system adds up mapping after mapping, and would count a unit before and its successor after it moved on.
fn read_all(
    (input, content): (&dyn Input, &[u8]),
    places: impl Iterator<Item = usize>,
    len: usize,
    path: &Path,
    reading: &RwLock<()>,
) -> u64 {
    let look = || {
        let _nobody = reading.write().unwrap();
        resident(path)
    };
    let mut into = vec![0; len];
    let mut most = 0;
    for (turn, at) in places.enumerate() {
        let into = &mut into[..len.min(content.len() - at)];
        {
            let _reading = reading.read().unwrap();
            input.read_at(at as u64, into).unwrap();
        }
        assert!(*into == content[at..at + into.len()], "{len} bytes at {at}");
        if turn % 61 == 0 {
            most = most.max(look());
        }
    }
    most.max(look())
}

#[test]
fn one_reader_in_order_and_anywhere() {
    let (file, content) = file();
    let path = file.path();
    for len in [9_000, 256 << 10, 20 << 20] {
        let input = open_input(path, Io::Mmap).unwrap();
        let most = read_all((&*input, &content), (0..LEN).step_by(len), len, path, &RwLock::default());
        assert!((1..=MAPPED_WINDOW_BYTES).contains(&most), "{len}: {most}");
        assert_eq!(input.bytes_read(), LEN as u64);
    }
    let input = open_input(path, Io::Mmap).unwrap();
    let scattered = (0..20_000usize).map(|i| i.wrapping_mul(7_919_353) % (LEN - 100_000));
    let most = read_all((&*input, &content), scattered, 5_000, path, &RwLock::default());
    assert!((1..=MAPPED_WINDOW_BYTES).contains(&most), "{most}");
}

#[test]
fn many_readers_in_many_places() {
    let (file, content) = file();
    let path = file.path();
    let input = open_input(path, Io::Mmap).unwrap();
    let reading = RwLock::new(());
    // More readers than units are mapped at a time, so that some have to wait.
    let readers = 12;
    let part = LEN / readers;
    let most = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..readers)
            .map(|reader| {
                let (input, reading) = ((&*input, &content[..]), &reading);
                let len = 3_000 + 40_000 * reader;
                let places = (reader * part..(reader + 1) * part).step_by(len);
                scope.spawn(move || read_all(input, places, len, path, reading))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).max().unwrap()
    });
    assert!((1..=MAPPED_WINDOW_BYTES).contains(&most), "{most}");
}

#[test]
fn what_was_released_is_not_resident() {
    let (file, content) = file();
    let input = MappedFile::open(file.path()).unwrap();
    let mut into = vec![0; 600_000];
    input.read_at(1_000_000, &mut into).unwrap();
    assert!(resident(file.path()) > 300_000);
    input.release_before(u64::MAX);
    assert_eq!(resident(file.path()), 0);
    input.read_at(1_000_000, &mut into).unwrap();
    assert!(into == content[1_000_000..1_600_000]);
}

#[test]
fn without_release_the_test_would_see_it() {
    let (file, _) = file();
    // SAFETY: a file of this test alone.
    let map = unsafe { memmap2::Mmap::map(file.as_file()) }.unwrap();
    assert!(map.iter().map(|byte| u64::from(*byte)).sum::<u64>() > 0);
    assert!(resident(file.path()) > MAPPED_WINDOW_BYTES * 8);
}
