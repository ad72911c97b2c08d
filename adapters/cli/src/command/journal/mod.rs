//! `plimsoll journal`: what is in the image of a journal that was read off a device. The image is never written.

use super::session::print;
use crate::failure::Failure;
use crate::report;
use crate::size::Bytes;
use clap::{Args, Subcommand};
use plimsoll_core::journal::{From, Journal, JournalError, Policy, Record};
use plimsoll_os::FileFlash;
use plimsoll_os::output::AtomicOutput;
use serde_json::{Value, json};
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};

/// `journal`
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  plimsoll journal info flash.bin\n  \
    plimsoll journal dump flash.bin --from 1000 --json\n  \
    plimsoll journal export flash.bin --kind 1 -o blocks.bin")]
pub(crate) struct JournalArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// How full and how worn it is, and what its records span
    Info {
        /// The image of the flash region: nothing before it, nothing behind
        #[arg(value_name = "FILE")]
        image: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// A line a record: number, epoch, kind, times, length, bytes
    Dump {
        #[command(flatten)]
        records: RecordArgs,
        /// Print a JSON object a line, with all bytes; without, the first 16 are shown
        #[arg(long)]
        json: bool,
    },
    /// The bytes of the records, one behind the other, into a new file
    Export {
        #[command(flatten)]
        records: RecordArgs,
        /// The output
        #[arg(short, long, value_name = "OUT")]
        output: PathBuf,
        /// Replace an existing output
        #[arg(long)]
        overwrite: bool,
    },
}

/// Which records of which image.
#[derive(Clone, Debug, Args)]
struct RecordArgs {
    /// The image of the flash region: nothing before it, nothing behind
    #[arg(value_name = "FILE")]
    image: PathBuf,
    /// Records from this number on
    #[arg(long, value_name = "NUMBER", conflicts_with = "since")]
    from: Option<u32>,
    /// Records that end at this time or later
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    since: Option<i64>,
    /// Records of this kind only
    #[arg(long, value_name = "KIND")]
    kind: Option<u8>,
}

/// `plimsoll journal`
pub(crate) fn journal(args: &JournalArgs) -> Result<(), Failure> {
    match &args.what {
        What::Info { image, json } => info(image, *json),
        What::Dump { records, json } => {
            records.each(|record| print(&if *json { json_line(&record) } else { text_line(&record) }))
        }
        What::Export { records, output, overwrite } => export(records, output, *overwrite),
    }
}

fn open(image: &Path) -> Result<Journal<FileFlash>, Failure> {
    let flash = FileFlash::open_image(image).map_err(|error| match error.source.kind() {
        io::ErrorKind::InvalidData => Failure::Input(format!("{}: {}", image.display(), error.source)),
        _ => Failure::Io(error.to_string()),
    })?;
    Journal::inspect(flash, Policy::Keep).map_err(|error| failed(image, &error))
}

fn failed(image: &Path, error: &JournalError<io::Error>) -> Failure {
    let line = format!("{}: {error}", image.display());
    if matches!(error, JournalError::Device { .. }) { Failure::Io(line) } else { Failure::Input(line) }
}

impl RecordArgs {
    /// Hands every record asked for to `take`, in order; one is in memory at a time.
    fn each(&self, mut take: impl FnMut(Record<'_>) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut journal = open(&self.image)?;
        let mut buffer = vec![0u8; journal.layout().max_record_bytes()];
        let from = self.since.map_or(From::Sequence(self.from.unwrap_or(0)), From::Time);
        let mut records = journal.iterate(from);
        while let Some(record) = records.next(&mut buffer).map_err(|error| failed(&self.image, &error))? {
            if self.kind.is_none_or(|kind| kind == record.kind) {
                take(record)?;
            }
        }
        Ok(())
    }
}

/// What the records of a journal come to.
#[derive(Default)]
struct Sums {
    records: u64,
    bytes: u64,
    numbers: Option<(u32, u32)>,
    times: Option<(i64, i64)>,
}

fn info(image: &Path, json: bool) -> Result<(), Failure> {
    let mut sums = Sums::default();
    let all = RecordArgs { image: image.to_path_buf(), from: None, since: None, kind: None };
    all.each(|record| {
        sums.records += 1;
        sums.bytes += record.bytes.len() as u64;
        sums.numbers = Some((sums.numbers.map_or(record.sequence, |(least, _)| least), record.sequence));
        let (first, last) = sums.times.unwrap_or((record.first, record.last));
        sums.times = Some((first.min(record.first), last.max(record.last)));
        Ok(())
    })?;
    let journal = open(image)?;
    let (layout, stats) = (journal.layout(), journal.stats());
    let geometry = layout.geometry();
    if json {
        let value: Value = json!({
            "path": report::path_text(image),
            "capacity_bytes": geometry.capacity_bytes,
            "sector_bytes": geometry.sector_bytes,
            "word_bytes": geometry.word_bytes,
            "page_bytes": layout.page_bytes(),
            "sectors": stats.sectors,
            "sectors_live": stats.live,
            "sectors_retired": stats.retired,
            "turns": stats.turns,
            "recoveries": stats.recoveries,
            "settled": !stats.unsettled,
            "next_sequence": stats.next,
            "discarded_below": stats.floor,
            "epoch": stats.epoch,
            "records": sums.records,
            "record_bytes": sums.bytes,
            "sequences": sums.numbers.map(|(first, last)| [first, last]),
            "times": sums.times.map(|(first, last)| [first, last]),
        });
        return print(&format!("{value:#}\n"));
    }
    let span = match (sums.numbers, sums.times) {
        (Some((one, last)), Some((from, to))) => format!(", numbers {one} to {last}, times {from} to {to}"),
        _ => String::new(),
    };
    print(&format!(
        "{}: journal, {} sectors of {}, words of {} and pages of {} bytes\n\
         {} records of {} in all{span}, epoch {}, discarded below {}\n\
         {} sectors live, {} retired, opened {} times in all, {} recoveries{}\n",
        image.display(),
        stats.sectors,
        Bytes(geometry.sector_bytes.into()),
        geometry.word_bytes,
        layout.page_bytes(),
        sums.records,
        Bytes(sums.bytes),
        stats.epoch,
        stats.floor,
        stats.live,
        stats.retired,
        stats.turns,
        stats.recoveries,
        if stats.unsettled { "; the last page may be weak: the next mount recovers it" } else { "" },
    ))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn text_line(record: &Record<'_>) -> String {
    let Record { sequence, epoch, kind, first, last, bytes } = *record;
    let (start, more) = (&bytes[..bytes.len().min(16)], if bytes.len() > 16 { "..." } else { "" });
    format!(
        "{sequence} epoch {epoch} kind {kind} times {first} to {last}, {} bytes {}{more}\n",
        bytes.len(),
        hex(start)
    )
}

fn json_line(record: &Record<'_>) -> String {
    let Record { sequence, epoch, kind, first, last, bytes } = *record;
    let value = json!({
        "sequence": sequence, "epoch": epoch, "kind": kind, "first": first, "last": last, "bytes": hex(bytes),
    });
    format!("{value}\n")
}

fn export(records: &RecordArgs, output: &Path, overwrite: bool) -> Result<(), Failure> {
    let failed = |error: plimsoll_os::FileError| match error.source.kind() {
        io::ErrorKind::AlreadyExists => Failure::Usage(format!("{error}; --overwrite replaces it")),
        _ => Failure::Io(error.to_string()),
    };
    // Whether there is a journal is known before any output exists.
    open(&records.image)?;
    let file = AtomicOutput::create(output, overwrite).map_err(failed)?;
    let mut at = 0;
    records.each(|record| {
        file.write_at(at, record.bytes).map_err(|error| Failure::io("write", output, &error))?;
        at += record.bytes.len() as u64;
        Ok(())
    })?;
    file.commit(true).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_core::journal::Geometry;

    fn image(folder: &Path) -> PathBuf {
        let path = folder.join("flash.bin");
        let geometry = Geometry { capacity_bytes: 8192, sector_bytes: 1024, word_bytes: 4, erased: 0xFF };
        let flash = FileFlash::create(&path, geometry).expect("a new file");
        let mut journal = Journal::format(flash, Policy::Keep).expect("it fits");
        for (number, text) in ["one,", "two,", "three"].iter().enumerate() {
            let time = 10 * number as i64;
            journal.append(1 + number as u8 % 2, time..=time + 5, text.as_bytes()).expect("there is room");
        }
        path
    }

    fn args(image: &Path) -> RecordArgs {
        RecordArgs { image: image.to_path_buf(), from: None, since: None, kind: None }
    }

    #[test]
    fn records_are_chosen_shown_and_exported() {
        let folder = tempfile::tempdir().expect("a folder");
        let image = image(folder.path());
        let before = std::fs::read(&image).expect("an image");
        let shown = |args: RecordArgs| {
            let mut lines = Vec::new();
            args.each(|record| {
                lines.push(text_line(&record));
                Ok(())
            })
            .expect("it reads");
            lines
        };
        let one = "0 epoch 0 kind 1 times 0 to 5, 4 bytes 6f6e652c\n";
        let three = "2 epoch 0 kind 1 times 20 to 25, 5 bytes 7468726565\n";
        assert_eq!(shown(RecordArgs { kind: Some(1), ..args(&image) }), [one, three]);
        assert_eq!(shown(RecordArgs { from: Some(2), ..args(&image) }), [three]);
        assert_eq!(shown(RecordArgs { since: Some(16), ..args(&image) }), [three]);

        let output = folder.path().join("out.bin");
        export(&args(&image), &output, false).expect("a new file");
        assert_eq!(std::fs::read(&output).expect("it is there"), b"one,two,three");
        let error = export(&args(&image), &output, false).expect_err("it is there already");
        assert_eq!(error.exit_code(), 2);
        export(&RecordArgs { kind: Some(2), ..args(&image) }, &output, true).expect("it is replaced");
        assert_eq!(std::fs::read(&output).expect("it is there"), b"two,");
        assert_eq!(std::fs::read(&image).expect("an image"), before, "the image is never written");
        info(&image, true).expect("it reads");
    }

    #[test]
    fn what_is_no_journal_is_said_so_and_makes_no_output() {
        let folder = tempfile::tempdir().expect("a folder");
        let image = folder.path().join("flash.bin");
        std::fs::write(&image, [0xFF; 4096]).expect("a file");
        let output = folder.path().join("out.bin");
        let error = export(&args(&image), &output, false).expect_err("no journal");
        assert_eq!(error.exit_code(), 4);
        assert!(
            error.to_string().ends_with("flash.bin: no sector of a journal in its 4096 bytes"),
            "{error}"
        );
        assert!(!output.exists());
        let missing = open(&folder.path().join("none")).expect_err("no file");
        assert_eq!(missing.exit_code(), 5);
    }
}
