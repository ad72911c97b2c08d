//! Promise: any bytes give samples or a typed error: no panic, no hang, no memory beyond what the page states.

mod tiff_files;

use proptest::prelude::*;
use tiff_files::{Pixels, Storage, build, page, read, read_whole};

/// Small files of every method and organisation.
fn files() -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    for (width, format, bands) in [(1, 1, 3), (2, 1, 1), (4, 3, 2)] {
        for compression in [1, 5, 8, 32773] {
            for (tile, planar, big) in
                [(None, false, false), (Some((16, 16)), false, true), (None, true, true)]
            {
                let predictor = match (compression, format) {
                    (5 | 8, 3) => 3,
                    (5 | 8, _) => 2,
                    _ => 1,
                };
                let planar = planar && bands > 1;
                let table_type = if big { 16 } else { 4 };
                let storage = Storage {
                    tile,
                    planar,
                    big,
                    big_endian: width == 2,
                    compression,
                    predictor,
                    table_type,
                    strip_rows: 4,
                };
                files.push(build(&Pixels::new(9, 19, bands, width, format), &storage));
            }
        }
    }
    files
}

/// Opens and reads the first pages of a file; only the absence of panics and hangs counts.
fn survive(bytes: Vec<u8>) -> bool {
    let mut good = false;
    for index in 0..3 {
        let Ok(page) = page(bytes.clone(), index) else { break };
        let region = page.facts().shape.region();
        good |= matches!(read(&*page, region, 5), Some(Ok(_)));
    }
    good
}

#[test]
fn truncation_at_every_byte_ends_in_a_result_or_an_error() {
    for file in files() {
        assert!(survive(file.clone()), "the whole file is good");
        for len in 0..file.len() {
            survive(file[..len].to_vec());
        }
    }
}

#[test]
fn every_byte_of_a_header_may_be_anything() {
    for file in files() {
        for at in 0..file.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut mutated = file.clone();
                mutated[at] = value;
                survive(mutated);
            }
        }
    }
}

#[test]
fn truncated_compressed_data_is_an_error() {
    for compression in [5, 8, 32773] {
        let pixels = Pixels::new(16, 16, 1, 1, 1);
        let storage = Storage { compression, strip_rows: 16, ..Storage::default() };
        let mut builder = tiff_files::Builder::new(false, false);
        let mut fields = builder.page_fields(&pixels, &storage);
        let counts = fields.iter_mut().find(|field| field.0 == 279).expect("byte counts");
        counts.2[0] /= 2;
        builder.directory(&fields);
        let page = page(builder.words.bytes, 0).expect("a good header");
        let error = read_whole(&*page, 4).expect("small").expect_err("half of the data is missing");
        assert!(error.to_string().contains("missing"), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_files_end_in_a_result_or_an_error(
        file in 0usize..36,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let mut bytes = files().swap_remove(file);
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        survive(bytes);
    }

    #[test]
    fn any_directory_ends_in_a_result_or_an_error(
        big in any::<bool>(),
        fields in prop::collection::vec(
            (
                prop::sample::select(vec![256u16, 257, 258, 259, 262, 273, 277, 278, 279, 284, 317, 322, 323, 324, 325, 338, 339]),
                prop::sample::select(vec![1u16, 3, 4, 5, 16]),
                prop::collection::vec(prop_oneof![0u64..4, 0u64..200, Just(8u64), Just(32773u64), any::<u64>()], 0..6),
            ),
            1..20,
        ),
    ) {
        let mut builder = tiff_files::Builder::new(false, big);
        builder.data(&[0x5a; 300]);
        builder.directory(&fields);
        survive(builder.words.bytes);
    }
}
