//! Promise: within a tolerance no value is further off, what is not to be changed is not, and blocks are never longer
//! than lossless ones where that is demanded.

mod one_column;

use one_column::{Points, settings};
use plimsoll_core::series::*;
use proptest::prelude::*;

const POINTS: u32 = 300;
const BYTES: usize = 4096;

/// The blocks of `points`, none longer than a lossless one, pushed one by one by an encoder that has learned nothing
/// yet, either: the next block starts with the lattices that the last one ended with.
fn one_by_one<P: Profile>(points: &Points, column: Column) -> Vec<u8> {
    let (mut one, mut other) = (vec![0; BYTES], vec![0; BYTES]);
    let mut encoder = NeverLonger::<P, 1>::try_new(settings(column, POINTS), &mut one, &mut other).unwrap();
    let mut all = Vec::new();
    for (time, word) in points.times.iter().zip(&points.words) {
        if encoder.push(*time, &[*word]).unwrap() == Pushed::Full {
            all.extend_from_slice(encoder.seal().unwrap());
            assert_eq!(encoder.push(*time, &[*word]).unwrap(), Pushed::Taken);
        }
    }
    all.extend_from_slice(encoder.seal().unwrap());
    let (one, other) = encoder.into_buffers();
    assert_eq!((one.len(), other.len()), (BYTES, BYTES));
    all
}

fn check<P: Profile>(points: &Points, column: Column) {
    let exact = column.within(Tolerance::Lossless);
    let lossless = points.blocks::<P>(exact, POINTS, BYTES);
    points.check_against(&lossless, exact, "lossless");
    let never_longer = points.blocks_never_longer::<P>(column, POINTS, BYTES);
    assert!(never_longer.len() <= lossless.len(), "{column:?}: {} > {}", never_longer.len(), lossless.len());
    assert!(one_by_one::<P>(points, column) == never_longer, "{column:?}: one by one");
    points.check_against(&never_longer, column, "never longer");
    points.check_against(&points.blocks::<P>(column, POINTS, BYTES), column, "by itself");
}

/// How many points they have. The interpreter is slow.
const LENGTHS: core::ops::Range<usize> = if cfg!(miri) { 5..20 } else { 300..700 };

/// Series as sensors give them: steps of a grid, walks, jumps, and now and then what is no number.
fn series() -> impl Strategy<Value = Vec<f64>> {
    let step = prop::sample::select(vec![1.0, 0.1, 0.25, 1e-3, 0.3]);
    let walk =
        (step, -1000i32..1000, prop::collection::vec(-9i32..10, LENGTHS)).prop_map(|(step, start, steps)| {
            let sums = steps.into_iter().scan(start, |sum, by| {
                *sum += by;
                Some(*sum)
            });
            sums.map(|sum| f64::from(sum) * step).collect::<Vec<_>>()
        });
    let rough = prop::collection::vec(-1e4f64..1e4, LENGTHS);
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
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 1 } else { 24 }.min(ProptestConfig::default().cases), ..ProptestConfig::default() })]
    #[test]
    fn no_value_is_further_off_and_no_block_longer(
        values in series(),
        kind in prop::sample::select(Kind::ALL.to_vec()),
        tolerance in prop::sample::select(vec![
            Tolerance::Absolute(0.5), Tolerance::Absolute(3.0), Tolerance::Absolute(1e-9), Tolerance::Relative(0.01), Tolerance::Relative(1e-6),
        ]),
        lattice in prop::sample::select(vec![Lattice::Found, Lattice::Found, Lattice::Decimal(2), Lattice::Bits, Lattice::Ones]),
    ) {
        let times: Vec<i64> =
            (0..values.len() as i64).map(|at| 1_700_000_000 + at * 10 + i64::from(at % 37 == 0)).collect();
        let points = Points::of(kind, &times, &values);
        let column = Column::new(kind).on(lattice).within(tolerance);
        check::<Small>(&points, column);
        check::<Large>(&points, column);
        check::<Larger>(&points, column);
        check::<Lean>(&points, column);
        check::<Rice>(&points, column);
        check::<Pack>(&points, column);
    }
}

/// Below the least normal number a product is rounded to a multiple of 5e-324, which may be more than was allowed: here
/// values are counted in these.
#[test]
fn a_part_of_the_least_numbers_is_no_more_than_that() {
    let counts: Vec<u64> = (0..if cfg!(miri) { 24 } else { 2000_u64 })
        .map(|at| match at % 8 {
            0 => (at * at) % 61,
            // Others of all bits, for whose sake many are given up.
            _ => 1.0_f64.to_bits() | at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 12,
        })
        .collect();
    let values: Vec<f64> = counts.iter().map(|count| f64::from_bits(*count)).collect();
    let times: Vec<i64> = (0..values.len() as i64).collect();
    let points = Points::of(Kind::F64, &times, &values);
    for part in [0.99, 0.5, 0.3, 0.01] {
        let column = Column::new(Kind::F64).within(Tolerance::Relative(part));
        let mut at = 0;
        for block in Blocks::of(&points.blocks::<Small>(column, POINTS, BYTES)) {
            let mut decoder = Decoder::<Small, 1>::try_new(block.unwrap().bytes).unwrap();
            let mut became = [Word::default()];
            while decoder.next_into(&mut became).unwrap().is_some() {
                let (count, became) = (counts[at], became[0].f64().to_bits());
                let off = count.abs_diff(became) as f64;
                let least = count < f64::MIN_POSITIVE.to_bits();
                assert!(!least || off <= part * count as f64, "{count} became {became} within {part}");
                at += 1;
            }
        }
        assert_eq!(at, counts.len());
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
