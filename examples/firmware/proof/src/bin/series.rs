//! Every entry point of `series`, for each back end with one column and with several.
#![no_std]
#![no_main]

use plimsoll_core::series::{
    AnyDecoder, Blocks, Column, Decoder, Encoder, Header, Kind, Large, Larger, Lattice, Lean, Narrow, Pack,
    Profile, Rice, Settings, Small, TimeUnit, Tolerance, Word, bound,
};
use proof::black_box;

proof::prove!(all);

fn all() {
    one::<Small, 1>();
    one::<Small, 3>();
    one::<Narrow, 1>();
    one::<Narrow, 3>();
    one::<Large, 1>();
    one::<Large, 3>();
    one::<Larger, 1>();
    one::<Larger, 3>();
    one::<Lean, 1>();
    one::<Lean, 3>();
    one::<Rice, 1>();
    one::<Rice, 3>();
    one::<Pack, 1>();
    one::<Pack, 3>();
    blocks();
}

fn column() -> Column {
    let tolerance = black_box(Tolerance::Relative(0.01));
    Column::new(black_box(Kind::F64)).within(tolerance).on(black_box(Lattice::Found))
}

fn one<P: Profile, const COLUMNS: usize>() {
    let mut buffer = black_box([0u8; 512]);
    let mut settings =
        Settings::new(black_box(TimeUnit::Ticks), [column(); COLUMNS]).block_points(black_box(9));
    settings.columns_used = black_box(COLUMNS);
    if black_box(true) {
        settings = settings.with_ranges();
    }
    let Ok(mut encoder) = Encoder::<P, COLUMNS>::try_new(settings, &mut buffer) else { return };
    let (mut times, mut words) = (black_box([0i64; 8]), black_box([Word(0); 24]));
    let _ = black_box(encoder.push(black_box(7), words.get(..black_box(3)).unwrap_or_default()));
    let count = black_box(8);
    let _ =
        black_box(encoder.push_slice(
            times.get(..count).unwrap_or_default(),
            words.get(..black_box(24)).unwrap_or_default(),
        ));
    black_box(encoder.points());
    let Ok(block) = black_box(encoder.seal()) else { return };
    let Ok(mut decoder) = Decoder::<P, COLUMNS>::try_new(black_box(block)) else { return };
    black_box(decoder.left());
    let _ = black_box(decoder.next_into(&mut words));
    let _ = black_box(decoder.decode_into(&mut times, words.get_mut(..black_box(24)).unwrap_or_default()));
    black_box((&times, &words));
}

fn blocks() {
    let bytes = black_box([0u8; 512]);
    let (mut times, mut words) = (black_box([0i64; 8]), black_box([Word(0); 24]));
    for block in Blocks::of(bytes.get(..black_box(512)).unwrap_or_default()) {
        match black_box(block) {
            Ok(block) => {
                let Ok(mut decoder) = AnyDecoder::<3>::try_new(block.bytes) else { continue };
                black_box(decoder.left());
                let _ = black_box(decoder.next_into(&mut words));
                let _ = black_box(decoder.decode_into(&mut times, &mut words));
            }
            Err(lost) => {
                black_box(lost);
            }
        }
    }
    if let Ok(header) = black_box(Header::read(&bytes)) {
        black_box((
            header.block_bytes(),
            header.kinds().len(),
            header.is_lossy(black_box(9)),
            header.ranges(),
        ));
    }
    let _ = black_box(Header::check(&bytes));
    black_box(bound::block_bytes(black_box(9), &black_box([column(); 3]), black_box(true)));
    let word = black_box(Word(1));
    black_box((word.i32(), word.i64(), word.f32(), word.f64(), word.number(black_box(Kind::F32))));
    black_box(black_box(TimeUnit::Ticks).per_second());
}
