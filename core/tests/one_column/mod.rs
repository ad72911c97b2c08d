//! Series of one column of any kind: into blocks, back, and how far off the values may be.

use plimsoll_core::series::*;

/// Points of one column.
pub(crate) struct Points {
    pub(crate) times: Vec<i64>,
    pub(crate) words: Vec<Word>,
}

impl Points {
    /// `values` as ones of `kind`.
    pub(crate) fn of(kind: Kind, times: &[i64], values: &[f64]) -> Self {
        Points { times: times.to_vec(), words: values.iter().map(|value| word(kind, *value)).collect() }
    }

    /// Blocks of up to `points` and `bytes`.
    pub(crate) fn blocks<P: Profile>(&self, column: Column, points: u32, bytes: usize) -> Vec<u8> {
        let mut buffer = vec![0; bytes];
        let mut encoder = Encoder::<P, 1>::try_new(settings(column, points), &mut buffer).unwrap();
        let (mut all, mut taken) = (Vec::new(), 0);
        while taken < self.times.len() {
            taken += encoder.push_slice(&self.times[taken..], &self.words[taken..]).unwrap();
            all.extend_from_slice(encoder.seal().expect("it has points"));
        }
        all
    }

    /// The same, none longer than a lossless one.
    pub(crate) fn blocks_never_longer<P: Profile>(
        &self,
        column: Column,
        points: u32,
        bytes: usize,
    ) -> Vec<u8> {
        let (mut one, mut other) = (vec![0; bytes], vec![0; bytes]);
        let settings = settings(column, points);
        let mut encoder = NeverLonger::<P, 1>::try_new(settings, &mut one, &mut other).unwrap();
        let (mut all, mut taken) = (Vec::new(), 0);
        while taken < self.times.len() {
            taken += encoder.push_slice(&self.times[taken..], &self.words[taken..]).unwrap();
            all.extend_from_slice(encoder.seal().expect("it has points"));
        }
        assert_eq!((encoder.points(), encoder.seal()), (0, Err(Unsealed::Empty)));
        all
    }

    /// That `bytes` are blocks of these points within the tolerance of `column`.
    pub(crate) fn check_against(&self, bytes: &[u8], column: Column, name: &str) {
        let (times, words) = read(bytes);
        assert!(times == self.times, "{name}: {column:?}");
        assert_eq!(words.len(), self.words.len(), "{name}: {column:?}");
        for (word, became) in self.words.iter().zip(words) {
            if column.tolerance == Tolerance::Lossless {
                assert_eq!(*word, became, "{name}: {column:?}");
                continue;
            }
            let (value, became) = (number(column.kind, *word), number(column.kind, became));
            let most = match column.tolerance {
                Tolerance::Absolute(most) => most,
                Tolerance::Relative(part) => part * value.abs(),
                Tolerance::Lossless => 0.0,
            };
            assert!(
                value.is_nan() && became.is_nan() || value == became || (became - value).abs() <= most,
                "{name}: {column:?}: {value} became {became}"
            );
        }
    }
}

pub(crate) fn settings(column: Column, points: u32) -> Settings<1> {
    Settings::new(TimeUnit::Seconds, [column]).block_points(points)
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

fn word(kind: Kind, value: f64) -> Word {
    match kind {
        Kind::F32 => Word::from(value as f32),
        Kind::F64 => Word::from(value),
        Kind::I32 => Word::from(value as i32),
        Kind::I64 => Word::from(value as i64),
    }
}

pub(crate) fn number(kind: Kind, word: Word) -> f64 {
    match kind {
        Kind::F32 => f64::from(word.f32()),
        Kind::F64 => word.f64(),
        Kind::I32 => f64::from(word.i32()),
        Kind::I64 => word.i64() as f64,
    }
}
