//! Any points through every back end and back, in blocks of any size: the same bits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_core::series::*;

fuzz_target!(|input: (u8, u16, Vec<(i64, u64, i32)>)| {
    let (shape, bytes, points) = input;
    let kinds = [Kind::ALL[usize::from(shape & 3)], Kind::I32];
    let bytes = 200 + usize::from(bytes % 4096);
    match (shape >> 2) % 6 {
        0 => round_trip::<Small>(kinds, bytes, &points),
        1 => round_trip::<Large>(kinds, bytes, &points),
        2 => round_trip::<Rice>(kinds, bytes, &points),
        3 => round_trip::<Larger>(kinds, bytes, &points),
        4 => round_trip::<Lean>(kinds, bytes, &points),
        _ => round_trip::<Pack>(kinds, bytes, &points),
    }
});

fn round_trip<P: Profile>(kinds: [Kind; 2], bytes: usize, points: &[(i64, u64, i32)]) {
    let settings = Settings::new(TimeUnit::Ticks, kinds.map(Column::new));
    let mut buffer = vec![0; bytes];
    let mut encoder = Encoder::<P, 2>::try_new(settings, &mut buffer).expect("200 bytes are enough");
    let mut blocks = Vec::new();
    let words = |(_, first, second): &(i64, u64, i32)| {
        let narrow = matches!(kinds[0], Kind::I32 | Kind::F32);
        [Word(if narrow { *first as u32 as u64 } else { *first }), Word::from(*second)]
    };
    for point in points {
        if encoder.push(point.0, &words(point)).expect("two columns") == Pushed::Full {
            blocks.extend_from_slice(encoder.seal().expect("a full block has points"));
            let pushed = encoder.push(point.0, &words(point)).expect("two columns");
            assert_eq!(pushed, Pushed::Taken);
        }
    }
    blocks.extend_from_slice(encoder.seal().unwrap_or_default());
    let mut expected = points.iter();
    for block in Blocks::of(&blocks) {
        let mut decoder = Decoder::<P, 2>::try_new(block.expect("sound").bytes).expect("sound");
        let mut values = [Word::default(); 2];
        while let Some(time) = decoder.next_into(&mut values).expect("sound") {
            let point = expected.next().expect("no more points than were pushed");
            assert_eq!((time, values), (point.0, words(point)));
        }
    }
    assert!(expected.next().is_none());
}
