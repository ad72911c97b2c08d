//! What is pushed into blocks comes back bit for bit, and damaged blocks give errors.

use plimsoll_core::series::*;
use proptest::prelude::*;

/// Points of a series, and what its values are.
#[derive(Clone, Debug)]
struct Series {
    columns: Vec<Column>,
    times: Vec<i64>,
    /// As many as columns for each time.
    words: Vec<Word>,
}

impl Series {
    fn of(kind: Kind, times: Vec<i64>, words: Vec<Word>) -> Self {
        Series { columns: vec![Column::new(kind)], times, words }
    }

    fn settings<const COLUMNS: usize>(&self) -> Settings<COLUMNS> {
        let mut columns = [Column::default(); COLUMNS];
        columns[..self.columns.len()].copy_from_slice(&self.columns);
        Settings { columns_used: self.columns.len(), ..Settings::new(TimeUnit::Milliseconds, columns) }
    }
}

/// The blocks of `series` in a buffer of `bytes`, one after the other.
fn encode<P: Profile, const COLUMNS: usize>(
    series: &Series,
    settings: Settings<COLUMNS>,
    bytes: usize,
) -> Vec<Vec<u8>> {
    encode_at::<P, COLUMNS>(0, series, settings, bytes)
}

/// The same in a buffer that begins `skip` bytes into another one.
fn encode_at<P: Profile, const COLUMNS: usize>(
    skip: usize,
    series: &Series,
    settings: Settings<COLUMNS>,
    bytes: usize,
) -> Vec<Vec<u8>> {
    let mut buffer = vec![0xA5; skip + bytes];
    let mut encoder = Encoder::<P, COLUMNS>::try_new(settings, &mut buffer[skip..]).unwrap();
    let mut blocks = Vec::new();
    for (time, words) in series.times.iter().zip(series.words.chunks(series.columns.len())) {
        if encoder.push(*time, words).unwrap() == Pushed::Full {
            blocks.push(encoder.seal().expect("a full block has points").to_vec());
            assert_eq!(encoder.push(*time, words).unwrap(), Pushed::Taken, "an empty block takes a point");
        }
    }
    blocks.extend(encoder.seal().map(<[u8]>::to_vec));
    assert_eq!(encoder.seal(), Err(Unsealed::Empty));
    blocks
}

fn decode<P: Profile, const COLUMNS: usize>(blocks: &[Vec<u8>]) -> (Vec<i64>, Vec<Word>) {
    let (mut times, mut all) = (Vec::new(), Vec::new());
    for block in blocks {
        let header = Header::read(block).unwrap();
        assert_eq!(header.block_bytes(), block.len());
        let mut decoder = Decoder::<P, COLUMNS>::try_new(block).unwrap();
        let mut values = [Word::default(); COLUMNS];
        let start = times.len();
        while let Some(time) = decoder.next_into(&mut values).unwrap() {
            times.push(time);
            all.extend_from_slice(&values[..header.columns]);
        }
        let times = &times[start..];
        assert_eq!(times.len(), header.points as usize);
        assert_eq!(times.first(), Some(&header.first));
        assert_eq!(times.iter().min(), Some(&header.min_time));
        assert_eq!(times.iter().max(), Some(&header.max_time));
    }
    (times, all)
}

fn round_trip<P: Profile, const COLUMNS: usize>(series: &Series, points: u32, bytes: usize) {
    let settings = series.settings::<COLUMNS>().block_points(points);
    let blocks = encode::<P, COLUMNS>(series, settings, bytes);
    assert!(blocks.iter().all(|block| block.len() <= bytes));
    let (times, words) = decode::<P, COLUMNS>(&blocks);
    assert_eq!(times, series.times);
    assert_eq!(words, series.words);
}

fn special_f64() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0.0_f64.to_bits()),
        Just((-0.0_f64).to_bits()),
        Just(f64::INFINITY.to_bits()),
        Just(f64::NEG_INFINITY.to_bits()),
        Just(0x7FF0_0000_0000_0001), // a signalling NaN
        Just(0xFFF8_0000_DEAD_BEEF),
        Just(1),
        Just(f64::MAX.to_bits()),
        Just(f64::MIN_POSITIVE.to_bits()),
        any::<u64>(),
        (-1000_i32..1000).prop_map(|x| (f64::from(x) / 10.0).to_bits()),
        (-1000_i32..1000).prop_map(|x| (f64::from(x) * 0.1).to_bits()),
    ]
}

fn special_i64() -> impl Strategy<Value = i64> {
    prop_oneof![
        Just(i64::MIN),
        Just(i64::MAX),
        Just(0),
        any::<i64>(),
        -100_i64..100,
        any::<i32>().prop_map(i64::from),
        (-1000_i64..1000).prop_map(|x| x * 3600),
    ]
}

/// The most points of a series: seven runs of one kind or another. The interpreter is slow.
const MOST: usize = if cfg!(miri) { 28 } else { 560 };

/// Timestamps on a beat, with steps of the clock of all sizes.
fn times(count: usize) -> impl Strategy<Value = Vec<i64>> {
    let step = prop_oneof![
        20 => Just(0),
        2 => -3_i64..3,
        1 => Just(-3300),
        1 => Just(3300),
        1 => Just(-86_400 * 365 * 20),
        1 => Just(86_400 * 365 * 136),
        1 => any::<i64>(),
    ];
    (any::<i64>(), 0_i64..100_000, proptest::collection::vec(step, count)).prop_map(|(first, beat, steps)| {
        let mut time = first;
        steps
            .iter()
            .map(|step| {
                time = time.wrapping_add(beat).wrapping_add(*step);
                time
            })
            .collect()
    })
}

/// Runs of one value, walks, and anything.
fn runs<T: Clone + std::fmt::Debug + 'static>(
    one: impl Strategy<Value = T> + Clone + 'static,
    walk: fn(&T, i32) -> T,
) -> impl Strategy<Value = Vec<T>> {
    let run = (one, 1..=MOST / 7, 0_i32..3, any::<u32>()).prop_map(move |(first, length, kind, seed)| {
        let (mut value, mut random) = (first, seed | 1);
        (0..length)
            .map(|_| {
                random ^= random << 13;
                random ^= random >> 17;
                random ^= random << 5;
                if kind > 0 {
                    value = walk(&value, random as i32 % 100);
                }
                value.clone()
            })
            .collect::<Vec<_>>()
    });
    proptest::collection::vec(run, 1..8).prop_map(|runs| runs.concat())
}

fn floats() -> impl Strategy<Value = Vec<Word>> {
    runs(special_f64().boxed(), |bits, by| {
        let value = f64::from_bits(*bits);
        let walked = ((value * 100.0).round() + f64::from(by)) / 100.0;
        if walked.is_finite() { walked.to_bits() } else { *bits }
    })
    .prop_map(|bits| bits.into_iter().map(Word).collect())
}

fn integers() -> impl Strategy<Value = Vec<i64>> {
    runs(special_i64().boxed(), |value, by| value.wrapping_add(i64::from(by)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 1 } else { 128 }))]

    #[test]
    fn doubles_come_back(words in floats(), clock in times(MOST), points in 1_u32..600, bytes in 140_usize..4000) {
        let series = Series::of(Kind::F64, clock[..words.len()].to_vec(), words);
        round_trip::<Small, 1>(&series, points, bytes);
        round_trip::<Large, 2>(&series, points, bytes);
        round_trip::<Pack, 2>(&series, points, bytes);
        round_trip::<Rice, 2>(&series, points, bytes);
    }

    #[test]
    fn singles_come_back(words in floats(), clock in times(MOST), bytes in 140_usize..4000) {
        let words = words.iter().map(|word| Word::from(word.f64() as f32)).collect::<Vec<_>>();
        let series = Series::of(Kind::F32, clock[..words.len()].to_vec(), words);
        round_trip::<Small, 1>(&series, 512, bytes);
        round_trip::<Lean, 1>(&series, 512, bytes);
        round_trip::<Pack, 1>(&series, 512, bytes);
        round_trip::<Rice, 1>(&series, 512, bytes);
    }

    #[test]
    fn integers_come_back(values in integers(), clock in times(MOST), bytes in 140_usize..4000) {
        let words = values.iter().map(|value| Word::from(*value)).collect::<Vec<_>>();
        let series = Series::of(Kind::I64, clock[..words.len()].to_vec(), words);
        round_trip::<Small, 1>(&series, 512, bytes);
        round_trip::<Lean, 1>(&series, 512, bytes);
        round_trip::<Pack, 1>(&series, 512, bytes);
        round_trip::<Rice, 1>(&series, 512, bytes);
        round_trip::<Large, 1>(&series, 512, bytes);
        round_trip::<Larger, 1>(&series, 512, bytes);
        let words = values.iter().map(|value| Word::from(*value as i32)).collect::<Vec<_>>();
        let series = Series::of(Kind::I32, series.times, words);
        round_trip::<Lean, 1>(&series, 512, bytes);
        let narrow = encode::<Narrow, 1>(&series, series.settings(), bytes);
        let small = encode::<Small, 1>(&series, series.settings(), bytes);
        prop_assert_eq!(&narrow, &small);
        let read = (series.times, series.words);
        prop_assert_eq!(decode::<Narrow, 1>(&small), read.clone());
        prop_assert_eq!(decode::<Small, 1>(&narrow), read);
    }

    #[test]
    fn columns_of_all_kinds_come_back(
        words in floats(), values in integers(), clock in times(MOST), bytes in 400_usize..4000,
    ) {
        let rows = words.len().min(values.len());
        let kinds = [Kind::F64, Kind::I64, Kind::F32, Kind::I32, Kind::F64];
        let mut all = Vec::new();
        for (word, value) in words.iter().zip(&values) {
            all.extend([*word, Word::from(*value), Word::from(word.f64() as f32), Word::from(*value as i32)]);
            all.push(Word::from(*value as f64 / 1000.0));
        }
        let columns = kinds.map(Column::new).to_vec();
        let series = Series { columns, times: clock[..rows].to_vec(), words: all };
        round_trip::<Small, 5>(&series, 300, bytes);
        round_trip::<Large, 8>(&series, 300, bytes);
        round_trip::<Larger, 8>(&series, 300, bytes);
        round_trip::<Lean, 8>(&series, 300, bytes);
        round_trip::<Pack, 8>(&series, 300, bytes);
        round_trip::<Rice, 8>(&series, 300, bytes);
    }

    #[test]
    fn no_bit_can_flip_and_no_byte_can_be_missing(words in floats(), clock in times(MOST)) {
        let count = words.len().min(40);
        let series = Series::of(Kind::F64, clock[..count].to_vec(), words[..count].to_vec());
        for block in encode::<Small, 1>(&series, series.settings(), 4096) {
            for length in (0..block.len()).step_by(if cfg!(miri) { 13 } else { 1 }) {
                prop_assert!(Decoder::<Small, 1>::try_new(&block[..length]).is_err());
            }
            let mut damaged = block.clone();
            for bit in (0..block.len() * 8).step_by(if cfg!(miri) { 97 } else { 1 }) {
                damaged[bit / 8] ^= 1 << (bit % 8);
                prop_assert!(Decoder::<Small, 1>::try_new(&damaged).is_err(), "bit {bit}");
                damaged[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }

    #[test]
    fn so_many_points_fit_into_the_bound(words in proptest::collection::vec(any::<u64>(), 1..MOST), seed in any::<u64>()) {
        let mut random = seed | 1;
        let clock = words.iter().map(|_| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random as i64
        }).collect();
        let series = Series::of(Kind::F64, clock, words.into_iter().map(Word).collect());
        let count = series.times.len() as u32;
        let bytes = bound::block_bytes(count, &series.columns, false);
        prop_assert_eq!(encode::<Small, 1>(&series, series.settings(), bytes).len(), 1);
        prop_assert_eq!(encode::<Pack, 1>(&series, series.settings(), bytes).len(), 1);
        prop_assert_eq!(encode::<Rice, 1>(&series, series.settings(), bytes).len(), 1);
    }
}

/// Points wait in whole words at the end of the buffer, wherever it lies in memory; groups are stored, narrow and wide.
#[test]
fn blocks_do_not_depend_on_where_their_buffer_lies() {
    fn check<P: Profile>(columns: &[Column]) {
        let mut noise = 1_u64;
        let points = if cfg!(miri) { 70 } else { 600 };
        let words = (0..points * columns.len() as u64).map(|at| {
            noise = noise.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(at | 1);
            let value = if at / 300 % 2 == 0 { noise } else { at };
            Word(if columns[at as usize % columns.len()].kind.bits() == 32 { value >> 32 } else { value })
        });
        let words = words.collect();
        let series =
            Series { columns: columns.to_vec(), times: (0..points as i64).map(|at| 7 * at).collect(), words };
        for bytes in [113, 256, 4096].into_iter().take(if cfg!(miri) { 1 } else { 3 }) {
            let blocks = encode_at::<P, 2>(0, &series, series.settings(), bytes);
            assert_eq!(decode::<P, 2>(&blocks), (series.times.clone(), series.words.clone()));
            for skip in 1..if cfg!(miri) { 3 } else { 8 } {
                assert_eq!(encode_at::<P, 2>(skip, &series, series.settings(), bytes), blocks, "{skip}");
            }
        }
    }
    for kinds in [[Kind::I32, Kind::F64], [Kind::F64, Kind::F32]] {
        let columns = kinds.map(Column::new);
        check::<Pack>(&columns);
        check::<Rice>(&columns);
        check::<Small>(&columns);
        check::<Lean>(&columns);
        check::<Pack>(&columns[..1]);
    }
}

#[test]
fn state_keeps_within_what_is_promised() {
    const { assert!(Encoder::<Small, 1>::STATE_BYTES <= 1024 && Decoder::<Small, 1>::STATE_BYTES <= 1024) };
    const { assert!(Encoder::<Narrow, 1>::STATE_BYTES <= 1024 && Decoder::<Narrow, 1>::STATE_BYTES <= 1024) };
    const { assert!(Encoder::<Lean, 1>::STATE_BYTES <= 1024 && Decoder::<Lean, 1>::STATE_BYTES <= 1024) };
    const { assert!(Encoder::<Large, 1>::STATE_BYTES <= 2048 && Decoder::<Large, 1>::STATE_BYTES <= 2048) };
    const { assert!(Encoder::<Larger, 1>::STATE_BYTES <= 4096 && Decoder::<Larger, 1>::STATE_BYTES <= 4096) };
    const { assert!(Encoder::<Rice, 1>::STATE_BYTES <= 1024 && Decoder::<Rice, 1>::STATE_BYTES <= 1024) };
    const { assert!(Encoder::<Pack, 1>::STATE_BYTES <= 1024 && Decoder::<Pack, 1>::STATE_BYTES <= 1024) };
}

/// A block of `count` points from `first` on.
fn block(first: i64, count: i64) -> Vec<u8> {
    let times = (first..first + count).collect();
    let words = (0..count).map(|i| Word::from(i as f64 / 4.0)).collect();
    let series = Series::of(Kind::F64, times, words);
    encode::<Small, 1>(&series, series.settings().with_ranges(), 4096).concat()
}

#[test]
fn what_is_sound_is_found_behind_damage() {
    let mut bytes = [block(0, 50), block(100, 60), block(200, 70)].concat();
    let (second, third) = (block(0, 50).len(), block(0, 50).len() + block(100, 60).len());
    bytes[second + 30] ^= 1;
    let found: Vec<_> = Blocks::of(&bytes).collect();
    assert_eq!(found.len(), 3);
    assert_eq!(found[0].unwrap().header.points, 50);
    let lost = found[1].unwrap_err();
    assert_eq!((lost.offset, lost.bytes), (second, third - second));
    assert_eq!(found[2].unwrap().header.first, 200);
    // A tail that is cut off costs only itself.
    let cut = Blocks::of(&bytes[..bytes.len() - 1]).filter_map(Result::ok).count();
    assert_eq!(cut, 1);
}

#[test]
fn ranges_are_those_of_what_is_decoded() {
    let bytes = block(-5, 101);
    let header = Header::read(&bytes).unwrap();
    let range = header.ranges().unwrap()[0];
    assert_eq!((range.min.f64(), range.max.f64(), range.sum), (0.0, 25.0, 1262.5));
    assert_eq!((header.first, header.min_time, header.max_time), (-5, -5, 95));
}

#[test]
fn what_cannot_be_is_refused() {
    let mut buffer = [0; 4096];
    let settings = Settings::new(TimeUnit::Ticks, [Column::new(Kind::F64)]);
    let none = Settings { columns_used: 0, ..settings };
    assert!(matches!(Encoder::<Small, 1>::try_new(none, &mut buffer), Err(Misuse::Columns { .. })));
    let none = settings.block_points(0);
    assert!(matches!(Encoder::<Small, 1>::try_new(none, &mut buffer), Err(Misuse::BlockPoints(0))));
    let short = &mut buffer[..40];
    assert!(matches!(Encoder::<Small, 1>::try_new(settings, short), Err(Misuse::Buffer { .. })));
    assert!(matches!(Encoder::<Narrow, 1>::try_new(settings, &mut buffer), Err(Misuse::Kind { column: 0 })));
    for tolerance in [Tolerance::Absolute(0.0), Tolerance::Absolute(f64::NAN), Tolerance::Relative(1.0)] {
        let column = Column::new(Kind::F64).within(tolerance);
        let settings = Settings::new(TimeUnit::Ticks, [column]);
        assert!(matches!(Encoder::<Small, 1>::try_new(settings, &mut buffer), Err(Misuse::Tolerance(_))));
    }
    let mut encoder = Encoder::<Small, 1>::try_new(settings, &mut buffer).unwrap();
    let wrong = Misuse::Values { values: 2, columns: 1 };
    assert_eq!(encoder.push(0, &[Word(0), Word(0)]), Err(wrong));
    assert_eq!(encoder.seal(), Err(Unsealed::Empty));
}
