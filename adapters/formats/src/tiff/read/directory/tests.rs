use super::*;
use crate::tiff::read::made::{Entry, Made};

/// The file of one directory, and that.
fn read(big_endian: bool, big: bool, entries: &[Entry<'_>]) -> (File, Result<Directory, FormatError>) {
    let mut made = Made::new(big_endian, big);
    made.directory(entries, 0);
    let (file, at) = made.open();
    let directory = Directory::read(&file, at);
    (file, directory)
}

fn little(entries: &[Entry<'_>]) -> (File, Directory) {
    let (file, directory) = read(false, false, entries);
    (file, directory.expect("sound"))
}

fn problem<T>(result: Result<T, FormatError>) -> String {
    match result.err() {
        Some(FormatError::Malformed { problem, offset: Some(_), .. }) => problem,
        other => panic!("{other:?}"),
    }
}

#[test]
fn values_lie_in_their_entry_where_they_fit_it() {
    for (big_endian, big) in [(false, false), (true, false), (false, true), (true, true)] {
        let bytes = |values: &[u16]| -> Vec<u8> {
            values.iter().flat_map(|v| if big_endian { v.to_be_bytes() } else { v.to_le_bytes() }).collect()
        };
        for count in 1..=6 {
            let values: Vec<u16> = (0..count).map(|at| 300 + at).collect();
            let (file, directory) =
                read(big_endian, big, &[(tag::BITS_PER_SAMPLE, 3, u64::from(count), &bytes(&values))]);
            let directory = directory.expect("sound");
            let field = directory.field(tag::BITS_PER_SAMPLE).expect("it is there");
            assert_eq!((field.count, field.kind), (u64::from(count), FieldType::Short));
            for (index, value) in values.iter().enumerate() {
                assert_eq!(field.number(&file, index as u64).expect("it is there"), u64::from(*value));
            }
            let more = problem(field.number(&file, u64::from(count)));
            assert_eq!(more, format!("tag 258 has {count} values where more are needed"));
        }
    }
}

#[test]
fn entries_beyond_the_first_batch_are_read_and_the_first_of_a_tag_counts() {
    for (big, before) in
        [(false, 0u16), (false, 63), (false, 64), (false, 65), (true, 127), (true, 128), (true, 200)]
    {
        let mut entries: Vec<Entry<'_>> = (0..before).map(|at| (40_000 + at, 1, 1, &[9u8][..])).collect();
        entries.extend([
            (tag::IMAGE_WIDTH, 3, 1, &[7u8, 0][..]),
            (tag::IMAGE_WIDTH, 3, 1, &[8, 0]),
            (tag::IMAGE_LENGTH, 1, 1, &[5]),
        ]);
        let (file, directory) = read(false, big, &entries);
        let directory = directory.expect("sound");
        assert_eq!(
            directory.number(&file, tag::IMAGE_WIDTH).expect("a number"),
            Some(7),
            "{before} entries before"
        );
        assert_eq!(directory.number(&file, tag::IMAGE_LENGTH).expect("a number"), Some(5));
        assert_eq!(directory.at(), if big { 16 } else { 8 });
        // What nobody uses is not kept.
        assert_eq!(directory.fields.len(), 2);
    }
}

#[test]
fn what_no_directory_can_be_is_malformed() {
    // No more pages than this many bytes each are looked for.
    let mut smallest = Made::new(false, false);
    let before = smallest.0.at();
    smallest.directory(&[(tag::IMAGE_WIDTH, 4, 1, &[1, 0, 0, 0])], 0);
    assert_eq!(smallest.0.at() - before, LEAST_BYTES);
    let (_, none) = read(false, false, &[]);
    assert_eq!(problem(none), "a directory of 0 entries");
    for (entries, sound) in [(65_535u64, true), (65_536, false), (1 << 63, false)] {
        let mut made = Made::new(false, true);
        made.0.push(8, entries);
        made.0.bytes.resize(made.0.bytes.len() + 65_535 * 20 + 8, 0);
        let (file, at) = made.open();
        let read = Directory::read(&file, at);
        assert_eq!(read.is_ok(), sound, "{entries} entries");
        if !sound {
            assert_eq!(problem(read), format!("a directory of {entries} entries"));
        }
    }
    // One that leaves the file by a byte.
    let mut made = Made::new(false, false);
    made.directory(&[(tag::IMAGE_WIDTH, 4, 1, &[1, 0, 0, 0])], 0);
    made.0.bytes.truncate(made.0.bytes.len() - 4);
    let (file, at) = made.open();
    assert!(Directory::read(&file, at).is_ok(), "its entries are there");
    assert!(problem(next(&file, at)).contains("the offset of the next directory"));
    let mut made = Made::new(false, false);
    made.directory(&[(tag::IMAGE_WIDTH, 4, 1, &[1, 0, 0, 0])], 0);
    made.0.bytes.truncate(made.0.bytes.len() - 5);
    let (file, at) = made.open();
    assert!(problem(Directory::read(&file, at)).contains("a directory of 12 bytes lies outside"));
}

#[test]
fn broken_fields_that_can_be_done_without_are_not_there() {
    let far = [0xf0, 0xff, 0xff, 0x7f];
    for (known, needed) in USED.into_iter().map(|tag| (tag, !DISPENSABLE.contains(&tag))) {
        // Values far outside; and a count whose bytes no 64 bits hold.
        for (big, count, value) in [(false, 9u64, &far[..]), (true, u64::MAX, &[0; 8])] {
            let (_, directory) = read(false, big, &[(known, 12, count, value)]);
            match needed {
                true => assert!(problem(directory).contains(&format!("tag {known}")), "{known}"),
                false => assert!(directory.expect("it is left out").field(known).is_none(), "{known}"),
            }
        }
        // Nothing of any type, and a type that nobody knows, are no field either.
        let (_, directory) = little(&[(known, 4, 0, &far), (tag::IMAGE_WIDTH, 4, 1, &[1, 0, 0, 0])]);
        assert!(directory.field(known).is_none_or(|field| field.count == 1 && known == tag::IMAGE_WIDTH));
        let (_, directory) = little(&[(known, 99, 1, &far)]);
        assert!(directory.field(known).is_none());
    }
}

#[test]
fn whole_numbers_are_of_whole_types() {
    let value = [7, 0, 0, 0, 0, 0, 0, 0];
    for (kind, whole) in [
        (1, true),
        (2, false),
        (3, true),
        (4, true),
        (5, false),
        (6, false),
        (7, true),
        (8, true),
        (9, true),
        (10, false),
        (11, false),
        (12, false),
        (13, true),
        (16, true),
        (17, true),
        (18, true),
    ] {
        let width = FieldType::from_number(kind).expect("a type").bytes() as usize;
        let (file, directory) = read(false, true, &[(tag::IMAGE_WIDTH, kind, 1, &value[..width])]);
        let directory = directory.expect("sound");
        assert_eq!(
            directory.field(tag::IMAGE_WIDTH).expect("it is there").is_unsigned(),
            whole,
            "type {kind}"
        );
        match whole {
            true => assert_eq!(
                directory.number(&file, tag::IMAGE_WIDTH).expect("a number"),
                Some(7),
                "type {kind}"
            ),
            false => assert_eq!(
                problem(directory.number(&file, tag::IMAGE_WIDTH)),
                format!("tag 256 is of type {kind}, not a whole number")
            ),
        }
    }
    let (file, directory) = little(&[(tag::IMAGE_WIDTH, 4, 1, &[7, 0, 0, 0])]);
    assert_eq!(directory.number(&file, tag::IMAGE_LENGTH).expect("no field is no error"), None);
}

#[test]
fn decimal_text_is_a_number() {
    let of = |kind, text: &[u8]| {
        let (file, directory) = little(&[(tag::GDAL_NODATA, kind, text.len() as u64, text)]);
        directory.decimal(&file, tag::GDAL_NODATA).expect("it can be read")
    };
    assert_eq!(of(2, b"-9999\0"), Some(Decimal::Whole(-9999)));
    assert_eq!(of(2, b" 0.5 "), Some(Decimal::Real(0.5)));
    assert_eq!(of(2, b"7\0garbage"), Some(Decimal::Whole(7)));
    assert_eq!(of(2, b"1\0"), Some(Decimal::Whole(1)));
    assert!(of(2, b"nan\0").is_some_and(|number| matches!(number, Decimal::Real(x) if x.is_nan())));
    assert_eq!(of(2, b"none\0"), None);
    assert_eq!(of(2, b"\xff\xfe\0"), None);
    assert_eq!(of(1, b"7\0"), None, "bytes are no text");
    // As much as a number may have.
    assert_eq!(of(2, &[b"0".repeat(63), b"5".to_vec()].concat()), Some(Decimal::Whole(5)));
    assert_eq!(of(2, &[b"0".repeat(64), b"5".to_vec()].concat()), Some(Decimal::Whole(0)));
    let (file, directory) = little(&[(tag::IMAGE_WIDTH, 4, 1, &[7, 0, 0, 0])]);
    assert_eq!(directory.decimal(&file, tag::GDAL_NODATA).expect("no field is no error"), None);
}

#[test]
fn one_value_stands_for_all_bands() {
    let of = |kind, values: &[u8], width: usize, bands| {
        let (file, directory) =
            little(&[(tag::BITS_PER_SAMPLE, kind, (values.len() / width) as u64, values)]);
        directory.same(&file, tag::BITS_PER_SAMPLE, bands)
    };
    assert_eq!(of(1, &[8], 1, 5).expect("one for all"), Some(8));
    assert_eq!(of(1, &[8; 3], 1, 3).expect("the same"), Some(8));
    // Those beyond the bands say nothing.
    assert_eq!(of(1, &[8, 8, 8, 16], 1, 3).expect("three are the same"), Some(8));
    assert_eq!(problem(of(1, &[8; 2], 1, 3)), "tag 258 has 2 values for 3 bands");
    assert_eq!(of(1, &[8; 2], 1, 2).expect("as many as bands"), Some(8));
    let differ = of(1, &[8, 8, 16], 1, 3).expect_err("they differ").to_string();
    assert!(differ.contains("bands that differ (tag 258 is 8 and 16)"), "{differ}");
    // Longer than what is read at once, at each end of each part.
    for (width, kind) in [(1, 1), (2, 3), (8, 16)] {
        let value: Vec<u8> =
            [5u64; 700].iter().flat_map(|value| value.to_le_bytes()[..width].to_vec()).collect();
        assert_eq!(of(kind, &value, width, 700).expect("the same"), Some(5));
        for at in [1, 63, 64, 65, 255, 256, 511, 512, 513, 699] {
            let mut other = value.clone();
            other[at * width] = 6;
            assert!(
                matches!(of(kind, &other, width, 700), Err(FormatError::Unsupported { .. })),
                "value {at} of {width} bytes"
            );
            assert_eq!(of(kind, &other, width, at as u16).expect("those before are the same"), Some(5));
        }
    }
    let (file, directory) = little(&[(tag::IMAGE_WIDTH, 4, 1, &[7, 0, 0, 0])]);
    assert_eq!(directory.same(&file, tag::BITS_PER_SAMPLE, 3).expect("no field is no error"), None);
}

#[test]
fn rationals_are_quotients_where_they_can_be() {
    let of = |kind, over: u32, under: u32| {
        let value = [over.to_le_bytes(), under.to_le_bytes()].concat();
        let (file, directory) = little(&[(tag::X_RESOLUTION, kind, 1, &value)]);
        directory.field(tag::X_RESOLUTION).expect("it is there").rational(&file).expect("it can be read")
    };
    assert_eq!(of(5, 600, 8), Some(75.0));
    assert_eq!(of(5, 0, 3), Some(0.0));
    assert_eq!(of(5, 3, 0), None);
    assert_eq!(of(12, 600, 8), None, "a double is none");
}
