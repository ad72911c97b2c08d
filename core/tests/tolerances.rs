//! Promise: within a tolerance no value is further off, what is not to be changed is not, and blocks are never longer
//! than lossless ones where that is demanded.

use plimsoll_core::series::*;
use proptest::prelude::*;

/// Points of one column.
struct Points {
    times: Vec<i64>,
    words: Vec<Word>,
}

fn word(kind: Kind, value: f64) -> Word {
    match kind {
        Kind::F32 => Word::from(value as f32),
        Kind::F64 => Word::from(value),
        Kind::I32 => Word::from(value as i32),
        Kind::I64 => Word::from(value as i64),
    }
}

fn number(kind: Kind, word: Word) -> f64 {
    match kind {
        Kind::F32 => f64::from(word.f32()),
        Kind::F64 => word.f64(),
        Kind::I32 => f64::from(word.i32()),
        Kind::I64 => word.i64() as f64,
    }
}

/// Blocks of `column`, never longer than lossless ones or by themselves.
fn blocks<P: Profile>(points: &Points, column: Column, never_longer: bool) -> Vec<u8> {
    let (mut one, mut other) = (vec![0; 4096], vec![0; 4096]);
    let settings = Settings::new(TimeUnit::Seconds, [column]).block_points(300);
    let mut all = Vec::new();
    let mut at = 0;
    if never_longer {
        let mut encoder = NeverLonger::<P, 1>::try_new(settings, &mut one, &mut other).unwrap();
        while at < points.times.len() {
            at += encoder.push_slice(&points.times[at..], &points.words[at..]).unwrap();
            all.extend_from_slice(encoder.seal().unwrap());
        }
        assert_eq!((encoder.points(), encoder.seal()), (0, Err(Unsealed::Empty)));
        // One point at a time makes the same blocks, by an encoder that has learned nothing yet, either: the next block
        // starts with the lattices that the last one ended with.
        let (one, other) = encoder.into_buffers();
        assert_eq!((one.len(), other.len()), (4096, 4096));
        let mut encoder = NeverLonger::<P, 1>::try_new(settings, one, other).unwrap();
        let mut single = Vec::new();
        for (time, word) in points.times.iter().zip(&points.words) {
            if encoder.push(*time, &[*word]).unwrap() == Pushed::Full {
                single.extend_from_slice(encoder.seal().unwrap());
                assert_eq!(encoder.push(*time, &[*word]).unwrap(), Pushed::Taken);
            }
        }
        single.extend_from_slice(encoder.seal().unwrap());
        assert!(single == all);
    } else {
        let mut encoder = Encoder::<P, 1>::try_new(settings, &mut one).unwrap();
        while at < points.times.len() {
            at += encoder.push_slice(&points.times[at..], &points.words[at..]).unwrap();
            all.extend_from_slice(encoder.seal().unwrap());
        }
    }
    all
}

/// All points of some blocks, one by one and many at a time.
fn read(bytes: &[u8]) -> (Vec<i64>, Vec<Word>) {
    let (mut times, mut words) = (Vec::new(), Vec::new());
    for block in Blocks::of(bytes) {
        let block = block.unwrap();
        let count = block.header.points as usize;
        let start = times.len();
        let mut decoder = AnyDecoder::<1>::try_new(block.bytes).unwrap();
        assert_eq!(decoder.left() as usize, count);
        let mut value = [Word::default()];
        while let Some(time) = decoder.next_into(&mut value).unwrap() {
            times.push(time);
            words.push(value[0]);
        }
        let (mut all_times, mut all_words) = (vec![0; count], vec![Word::default(); count]);
        let mut decoder = AnyDecoder::<1>::try_new(block.bytes).unwrap();
        assert_eq!(decoder.decode_into(&mut all_times, &mut all_words), Ok(count));
        assert!(all_times == times[start..] && all_words == words[start..]);
    }
    (times, words)
}

fn check<P: Profile>(points: &Points, column: Column) {
    let lossless = blocks::<P>(points, column.within(Tolerance::Lossless), false);
    let (times, words) = read(&lossless);
    assert!(times == points.times && words == points.words, "{column:?}: lossless");
    for never_longer in [false, true] {
        let bytes = blocks::<P>(points, column, never_longer);
        assert!(
            !never_longer || bytes.len() <= lossless.len(),
            "{column:?}: {} > {}",
            bytes.len(),
            lossless.len()
        );
        let (times, words) = read(&bytes);
        assert!(times == points.times, "{column:?}");
        for (word, became) in points.words.iter().zip(words) {
            let (value, became) = (number(column.kind, *word), number(column.kind, became));
            let most = match column.tolerance {
                Tolerance::Absolute(most) => most,
                Tolerance::Relative(part) => part * value.abs(),
                Tolerance::Lossless => 0.0,
            };
            assert!(
                value.is_nan() && became.is_nan() || value == became || (became - value).abs() <= most,
                "{column:?}: {value} became {became}"
            );
        }
    }
}

/// Series as sensors give them: steps of a grid, walks, jumps, and now and then what is no number.
fn series() -> impl Strategy<Value = Vec<f64>> {
    let step = prop::sample::select(vec![1.0, 0.1, 0.25, 1e-3, 0.3]);
    let walk = (step, -1000i32..1000, prop::collection::vec(-9i32..10, 300..700)).prop_map(
        |(step, start, steps)| {
            let sums = steps.into_iter().scan(start, |sum, by| {
                *sum += by;
                Some(*sum)
            });
            sums.map(|sum| f64::from(sum) * step).collect::<Vec<_>>()
        },
    );
    let rough = prop::collection::vec(-1e4f64..1e4, 300..400);
    let special = prop::sample::select(vec![f64::NAN, f64::INFINITY, -0.0, 1e300, 5e-324]);
    (prop_oneof![walk, rough], prop::collection::vec((any::<prop::sample::Index>(), special), 0..4)).prop_map(
        |(mut values, specials)| {
            for (at, special) in specials {
                let at = at.index(values.len());
                values[at] = special;
            }
            values
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24.min(ProptestConfig::default().cases), ..ProptestConfig::default() })]
    #[test]
    fn no_value_is_further_off_and_no_block_longer(
        values in series(),
        kind in prop::sample::select(Kind::ALL.to_vec()),
        tolerance in prop::sample::select(vec![
            Tolerance::Absolute(0.5), Tolerance::Absolute(3.0), Tolerance::Absolute(1e-9), Tolerance::Relative(0.01), Tolerance::Relative(1e-6),
        ]),
        lattice in prop::sample::select(vec![Lattice::Found, Lattice::Found, Lattice::Decimal(2), Lattice::Bits, Lattice::Ones]),
    ) {
        let times = (0..values.len() as i64).map(|at| 1_700_000_000 + at * 10 + i64::from(at % 37 == 0)).collect();
        let points = Points { times, words: values.iter().map(|value| word(kind, *value)).collect() };
        let column = Column::new(kind).on(lattice).within(tolerance);
        check::<Small>(&points, column);
        check::<Large>(&points, column);
        check::<Rice>(&points, column);
        check::<Pack>(&points, column);
    }
}

#[test]
fn what_no_tolerance_can_be_is_refused() {
    let mut buffer = [0; 1024];
    for tolerance in [
        Tolerance::Absolute(0.0),
        Tolerance::Absolute(f64::NAN),
        Tolerance::Absolute(-1.0),
        Tolerance::Relative(1.0),
    ] {
        let settings = Settings::new(TimeUnit::Seconds, [Column::new(Kind::F64).within(tolerance)]);
        let refused = Encoder::<Small, 1>::try_new(settings, &mut buffer).err();
        assert!(matches!(refused, Some(Misuse::Tolerance(_))), "{tolerance:?}: {refused:?}");
    }
}

#[test]
fn units_of_time_say_how_many_are_a_second() {
    let units = [
        TimeUnit::Ticks,
        TimeUnit::Seconds,
        TimeUnit::Milliseconds,
        TimeUnit::Microseconds,
        TimeUnit::Nanoseconds,
    ];
    assert_eq!(
        units.map(TimeUnit::per_second),
        [None, Some(1), Some(1000), Some(1_000_000), Some(1_000_000_000)]
    );
}
