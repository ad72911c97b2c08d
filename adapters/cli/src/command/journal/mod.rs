//! `plimsoll journal`: what is in the image of a journal that was read off a device. The image is never written.

mod info;
mod table;

use super::session::print;
use crate::failure::Failure;
use clap::{Args, Subcommand};
use info::info;
use plimsoll_core::journal::{From, Journal, JournalError, Policy, Record};
use plimsoll_os::FileFlash;
use plimsoll_os::output::{AtomicOutput, Sequential};
use serde_json::json;
use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use table::Table;

/// `journal`
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  plimsoll journal info flash.bin\n  \
    plimsoll journal dump flash.bin --from 1000 --json\n  \
    plimsoll journal export flash.bin --kind 1 -o blocks.bin\n  \
    plimsoll journal export flash.bin --csv --names time,left,right -o points.csv")]
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
    /// The bytes of the records, one behind the other, into a new file; or the points of their series blocks as a table
    Export {
        #[command(flatten)]
        records: RecordArgs,
        /// Write the points of the series blocks as text; records that are none are left out with a warning
        #[arg(long)]
        csv: bool,
        /// The names of the table's columns, first that of the times; `time,value` or `time,value1,...` if absent
        #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "csv")]
        names: Vec<String>,
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

/// Bytes that are written at a time.
const OUTPUT_BYTES: usize = 64 << 10;

/// `plimsoll journal`
pub(crate) fn journal(args: &JournalArgs) -> Result<(), Failure> {
    match &args.what {
        What::Info { image, json } => info(image, *json),
        What::Dump { records, json } => {
            records.each(|record| print(&if *json { json_line(&record) } else { text_line(&record) }))
        }
        What::Export { records, csv: false, output, overwrite, .. } => export(records, output, *overwrite),
        What::Export { records, names, output, overwrite, .. } => {
            export_table(records, names, output, *overwrite)
        }
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

/// A new output.
struct Out<'a> {
    file: Sequential<AtomicOutput>,
    path: &'a Path,
}

impl Write for Out<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl<'a> Out<'a> {
    /// Begins it, if there is a journal in `image`: that is known before any output exists.
    fn begin(image: &Path, path: &'a Path, overwrite: bool) -> Result<BufWriter<Self>, Failure> {
        open(image)?;
        let file = AtomicOutput::create(path, overwrite).map_err(output_failed)?;
        Ok(BufWriter::with_capacity(OUTPUT_BYTES, Self { file: Sequential::new(file), path }))
    }

    /// Gives it its name.
    fn finish(out: BufWriter<Self>) -> Result<(), Failure> {
        let path = out.get_ref().path;
        match out.into_inner() {
            Ok(out) => out.file.into_inner().commit(true).map_err(output_failed),
            Err(error) => Err(Failure::io("write", path, error.error())),
        }
    }
}

fn output_failed(error: plimsoll_os::FileError) -> Failure {
    match error.source.kind() {
        io::ErrorKind::AlreadyExists => Failure::Usage(format!("{error}; --overwrite replaces it")),
        _ => Failure::Io(error.to_string()),
    }
}

fn export(records: &RecordArgs, output: &Path, overwrite: bool) -> Result<(), Failure> {
    let mut out = Out::begin(&records.image, output, overwrite)?;
    records
        .each(|record| out.write_all(record.bytes).map_err(|error| Failure::io("write", output, &error)))?;
    Out::finish(out)
}

fn export_table(
    records: &RecordArgs,
    names: &[String],
    output: &Path,
    overwrite: bool,
) -> Result<(), Failure> {
    let image = records.image.display();
    let mut table = Table::new(Out::begin(&records.image, output, overwrite)?, names.to_vec());
    records.each(|record| {
        let Record { sequence, kind, .. } = record;
        table.add(&record, |lost| {
            tracing::warn!("{image}: record {sequence} of kind {kind} is left out: {lost}")
        })
    })?;
    match table.finish()? {
        Some(out) => Out::finish(out),
        None => Err(Failure::Input(format!("{image}: no record chosen holds a series block"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_core::journal::{Geometry, RamFlash};
    use plimsoll_core::series::{Column, Encoder, Kind, Rice, Settings, TimeUnit, Word};

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

    /// As firmware leaves it: flash that erases to 0, words of 8 bytes, blocks of two channels, and the power gone in
    /// the middle of a page.
    #[test]
    fn the_image_of_a_device_becomes_a_table() {
        let mut flash = vec![0u8; 4 * 1024];
        let device = RamFlash::new(&mut flash, 1024, 8).erased(0);
        let mut journal = Journal::format(device, Policy::Overwrite).expect("it fits");
        let (mut buffer, mut expected) = ([0; 200], String::from("ms,left,right\n"));
        let settings = Settings::new(TimeUnit::Milliseconds, [Column::new(Kind::I32); 2]);
        let mut encoder = Encoder::<Rice, 2>::try_new(settings, &mut buffer).expect("two columns");
        for block in 0..3i64 {
            for time in 10 * block..10 * block + 10 {
                let (left, right) = (time as i32 * 3, 7 - time as i32);
                let _ = encoder.push(time, &[Word::from(left), Word::from(right)]).expect("two values");
                expected += &format!("{time},{left},{right}\n");
            }
            let times = 10 * block..=10 * block + 9;
            journal.append(1, times, encoder.seal().expect("ten points")).expect("there is room");
            journal.append(2, 0..=0, b"a line of the device's own").expect("there is room");
        }
        // The last word that was programmed, of the last record, is not: what was before is.
        let word = flash.chunks(8).rposition(|word| word.iter().any(|byte| *byte != 0)).expect("words");
        flash[8 * word..8 * (word + 1)].fill(0);
        let folder = tempfile::tempdir().expect("a folder");
        let image = folder.path().join("flash.bin");
        std::fs::write(&image, &flash).expect("a file");

        info(&image, false).expect("it reads");
        let mut kinds = Vec::new();
        args(&image)
            .each(|record| {
                kinds.push(record.kind);
                Ok(())
            })
            .expect("it reads");
        assert_eq!(kinds, [1, 2, 1, 2, 1]);
        let output = folder.path().join("points.csv");
        let names = ["ms", "left", "right"].map(String::from);
        // Records that hold no blocks are left out, asked for or not.
        for kind in [None, Some(1)] {
            export_table(&RecordArgs { kind, ..args(&image) }, &names, &output, true).expect("a table");
            assert_eq!(std::fs::read_to_string(&output).expect("it is there"), expected);
        }
        std::fs::remove_file(&output).expect("it was there");
        let error = export_table(&RecordArgs { kind: Some(2), ..args(&image) }, &[], &output, false);
        assert_eq!(error.expect_err("no blocks").exit_code(), 4);
        assert!(!output.exists());
        assert_eq!(std::fs::read(&image).expect("an image"), flash, "the image is never written");
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
