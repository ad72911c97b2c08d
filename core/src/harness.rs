//! For tests: images in memory, and one call that runs a chain with every cut and demands one answer.

use crate::budget::Budget;
use crate::measure::Tap;
use crate::pipeline::{Chain, Job, Sink, Source, Stage, Staged};
use crate::shape::{Region, Rows, Sample, SampleKind, Shape, Span};
use crate::strip::{Strip, StripMut};
use std::vec;
use std::vec::Vec;

/// A whole image: what no product code ever holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Image<T> {
    pub(crate) shape: Shape,
    pub(crate) samples: Vec<T>,
}

impl<T: Sample> Image<T> {
    pub(crate) fn new(rows: u32, cols: u32, bands: u16, sample: impl Fn(u32, u32, u16) -> T) -> Self {
        let shape = Shape::new(rows, cols, bands, T::KIND);
        let mut samples = Vec::new();
        for y in 0..rows {
            for x in 0..cols {
                samples.extend((0..bands).map(|b| sample(y, x, b)));
            }
        }
        Self { shape, samples }
    }

    /// Repeatable noise over the whole range of the kind (floats: 0.0 to 1.0).
    pub(crate) fn noise(rows: u32, cols: u32, bands: u16, seed: u32) -> Self {
        let unit = |y: u32, x: u32, b: u16| {
            let mut h = seed ^ y.wrapping_mul(0x9e37_79b9) ^ x.wrapping_mul(0x85eb_ca6b) ^ u32::from(b) << 13;
            for _ in 0..3 {
                h = (h ^ (h >> 15)).wrapping_mul(0x2c1b_3c6d).wrapping_add(seed);
            }
            f64::from(h) / f64::from(u32::MAX)
        };
        let (low, high) = match T::KIND.is_float() {
            true => (0.0, 1.0),
            false => (if T::from_f64(-1.0).to_f64() < 0.0 { -T::KIND.white() } else { 0.0 }, T::KIND.white()),
        };
        Self::new(rows, cols, bands, |y, x, b| match T::KIND {
            // No double has all the bits of these.
            SampleKind::U64 | SampleKind::I64 => {
                let bits = unit(y, x, b).to_bits().wrapping_mul(0x9e37_79b9_7f4a_7c15);
                bytemuck::pod_read_unaligned(&bits.to_ne_bytes())
            }
            _ => T::from_f64(low + unit(y, x, b) * (high - low)),
        })
    }

    /// The sample at a place that may lie outside: the nearest edge sample is repeated.
    pub(crate) fn at(&self, row: i64, col: i64, band: u16) -> T {
        let row = row.clamp(0, i64::from(self.shape.rows) - 1) as usize;
        let col = col.clamp(0, i64::from(self.shape.cols) - 1) as usize;
        let bands = self.shape.bands as usize;
        self.samples[(row * self.shape.cols as usize + col) * bands + band as usize]
    }

    fn region(&self, region: Region) -> Vec<T> {
        let bands = self.shape.bands as usize;
        let cols = self.shape.cols as usize;
        let mut out = Vec::new();
        for row in region.rows.iter() {
            let start = (row as usize * cols + region.cols.start() as usize) * bands;
            out.extend_from_slice(&self.samples[start..start + region.cols.len() as usize * bands]);
        }
        out
    }
}

struct Memory<'a, T>(&'a Image<T>, u32);

impl<T: Sample> Source for Memory<'_, T> {
    type Error = core::convert::Infallible;
    fn shape(&self) -> Shape {
        self.0.shape
    }
    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), Self::Error> {
        assert!(strip.rows().start() >= self.1, "row {} was read twice", strip.rows().start());
        self.1 = strip.rows().end();
        for row in strip.rows().iter() {
            let samples = self.0.region(Region::new(Rows::one(row), strip.cols()));
            strip.row_mut::<T>(row).copy_from_slice(&samples);
        }
        Ok(())
    }
}

struct Collect<T>(Vec<T>, Option<u32>);

impl<T: Sample> Sink for Collect<T> {
    type Error = core::convert::Infallible;
    fn write(&mut self, strip: &Strip<'_>) -> Result<(), Self::Error> {
        assert!(self.1.is_none_or(|next| next == strip.rows().start()), "rows came out of order");
        self.1 = Some(strip.rows().end());
        for row in strip.rows().iter() {
            self.0.extend_from_slice(strip.row::<T>(row));
        }
        Ok(())
    }
}

/// Makes one region of a chain's output with strips of one height, in an arena of exactly what the chain asks for.
pub(crate) fn region<A: Sample, B: Sample>(
    stages: &[&dyn Stage],
    image: &Image<A>,
    strip_rows: u32,
    region: Option<Region>,
) -> Image<B> {
    let chain = Chain::new(stages, image.shape).expect("the chain fits the image");
    let sink = Collect::<B>(Vec::new(), None);
    let sink = into_sink(stages, Memory(image, 0), strip_rows, region, sink);
    Image { shape: chain.output_shape(), samples: sink.0 }
}

/// Makes some rows of a chain's output with its first `at` stages in the source, where strips have `first_rows` rows.
/// Asserts that each row is read once, that memory is as stated, and that at most `first_rows` rows are read at once.
pub(crate) fn staged<A: Sample, B: Sample>(
    stages: &[&dyn Stage],
    at: usize,
    image: &Image<A>,
    (first_rows, strip_rows): (u32, u32),
    rows: Option<Rows>,
) -> Vec<B> {
    let (first, rest) = stages.split_at(at);
    let middle = Chain::new(first, image.shape).expect("the chain fits the image").output_shape();
    let output = Chain::new(rest, middle).expect("the chain fits the image").output_shape();
    let wanted = output.region().with_rows(rows.unwrap_or(output.all_rows()));
    let region = Chain::for_region(rest, middle, wanted).expect("the region fits the output").input();
    let chain = Chain::for_region(first, image.shape, region).expect("the region fits the output");
    let bytes = Staged::<Narrow<'_, A>>::bytes(&chain, first_rows) as usize;
    let mut arena = vec![0u8; bytes + crate::budget::ALIGN];
    let skip = arena.as_ptr().align_offset(crate::budget::ALIGN);
    let mut budget = Budget::new(&mut arena[skip..skip + bytes]);
    let source = Narrow(Memory(image, 0), first_rows);
    let source = Staged::new(&chain, first_rows, &mut budget, source).expect("planned");
    assert_eq!(budget.stats().peak, bytes, "a staged source leases what it states");
    into_sink(rest, source, strip_rows, Some(wanted), Collect::<B>(Vec::new(), None)).0
}

/// A source that is asked for few rows at once.
struct Narrow<'a, T>(Memory<'a, T>, u32);

impl<T: Sample> Source for Narrow<'_, T> {
    type Error = core::convert::Infallible;
    fn shape(&self) -> Shape {
        self.0.shape()
    }
    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), Self::Error> {
        assert!(strip.rows().len() <= self.1, "{} rows were read at once", strip.rows().len());
        self.0.read(strip)
    }
}

/// Runs a chain over one region of its output into a sink, in an arena of exactly what the chain asks for.
fn into_sink<S: Source, K: Sink>(
    stages: &[&dyn Stage],
    source: S,
    strip_rows: u32,
    region: Option<Region>,
    sink: K,
) -> K
where
    S::Error: core::fmt::Debug,
    K::Error: core::fmt::Debug,
{
    let chain = match region {
        Some(region) => {
            Chain::for_region(stages, source.shape(), region).expect("the region fits the output")
        }
        None => Chain::new(stages, source.shape()).expect("the chain fits the image"),
    };
    let bytes = chain.bytes(strip_rows) as usize;
    let mut arena = vec![0u8; bytes + crate::budget::ALIGN];
    let skip = arena.as_ptr().align_offset(crate::budget::ALIGN);
    let mut budget = Budget::new(&mut arena[skip..skip + bytes]);
    let mut job = Job::new(&chain, strip_rows, &mut budget, source, sink).expect("planned");
    assert_eq!(budget.stats().peak, bytes, "the job leases what the chain planned");
    job.run().expect("nothing here fails");
    job.finish().expect("nothing here fails").1
}

/// Runs a chain into sinks of `make`: with many strip heights, and with its output split among two to four workers
/// whose sinks are merged forwards, backwards and from the middle. All that is returned must say the same.
pub(crate) fn every_split<A: Sample, K: Sink>(
    stages: &[&dyn Stage],
    image: &Image<A>,
    make: impl Fn() -> K,
    merge: impl Fn(&mut K, &K),
) -> Vec<K>
where
    K::Error: core::fmt::Debug,
{
    let output = Chain::new(stages, image.shape).expect("the chain fits the image").output_shape();
    let run = |strip_rows, rows| {
        let region = output.region().with_rows(rows);
        into_sink(stages, Memory(image, 0), strip_rows, Some(region), make())
    };
    // Under the interpreter a few cuts must do: it is a thousand times slower.
    let (heights, most) = if cfg!(miri) { (2, 2) } else { (6, 4u32) };
    let mut all: Vec<K> = [output.rows.max(1), 2, 1, 3, 5, 64]
        .into_iter()
        .take(heights)
        .map(|height| run(height, output.all_rows()))
        .collect();
    for workers in 2..=most {
        let parts: Vec<K> = (0..workers)
            .map(|at| Span::new(output.rows * at / workers, output.rows * (at + 1) / workers))
            .map(|rows| run(2, rows))
            .collect();
        let orders: [Vec<usize>; 3] = [
            (0..parts.len()).collect(),
            (0..parts.len()).rev().collect(),
            (0..parts.len()).map(|at| (at + parts.len() / 2) % parts.len()).collect(),
        ];
        for order in orders.into_iter().take(workers as usize) {
            let mut sum = make();
            order.into_iter().for_each(|at| merge(&mut sum, &parts[at]));
            all.push(sum);
        }
    }
    all
}

/// Runs a chain into `sink` while `tap` sees the source's rows.
pub(crate) fn tapped<A: Sample, T: Sink, K: Sink>(
    stages: &[&dyn Stage],
    image: &Image<A>,
    strip_rows: u32,
    tap: T,
    sink: K,
) where
    T::Error: core::fmt::Debug,
    K::Error: core::fmt::Debug,
{
    into_sink(stages, Tap { source: Memory(image, 0), sink: tap }, strip_rows, None, sink);
}

/// Runs a chain with many strip heights and over many regions, asserts that the answer is always the same, and
/// returns it. This is the cut-invariance test of every transform.
pub(crate) fn every_cut<A: Sample, B: Sample>(stages: &[&dyn Stage], image: &Image<A>) -> Image<B> {
    let whole = region::<A, B>(stages, image, image.shape.rows, None);
    let heights: &[u32] = if cfg!(miri) { &[2] } else { &[1, 2, 3, 5, 8, 64] };
    for strip_rows in heights.iter().copied() {
        let cut = region::<A, B>(stages, image, strip_rows, None);
        assert!(same(&cut.samples, &whole.samples), "strips of {strip_rows} rows change the answer");
    }
    let Shape { rows, cols, .. } = whole.shape;
    let spans = |n: u32| {
        [Span::new(0, n.div_ceil(3)), Span::new(n / 3, n), Span::new(n / 2, n / 2 + 1), Span::new(0, n)]
    };
    let most = if cfg!(miri) { 1 } else { 4 };
    for rows in spans(rows).into_iter().take(most) {
        for cols in spans(cols).into_iter().take(most) {
            let wanted = Region::new(rows, cols);
            let part = region::<A, B>(stages, image, 2, Some(wanted));
            assert!(
                same(&part.samples, &whole.region(wanted)),
                "the region {wanted} alone gives another answer"
            );
        }
    }
    // What a stage says about its input must be true of every row.
    let mut shape = image.shape;
    for stage in stages {
        let output = stage.output(shape).expect("the chain fits the image");
        let reach = stage.reach(shape);
        let mut before = Rows::default();
        for row in output.all_rows().iter() {
            let needs = stage.input(output.region().with_rows(Rows::one(row)), shape).rows;
            assert!(needs.len() <= reach, "{} reaches {} rows, says {reach}", stage.name(), needs.len());
            assert!(
                needs.start() >= before.start() && needs.end() >= before.end(),
                "{} goes back",
                stage.name()
            );
            assert!(needs.end() <= shape.rows, "{} leaves the image", stage.name());
            before = needs;
        }
        shape = output;
    }
    whole
}

/// Bit-equal, so that NaN equals itself.
fn same<T: Sample>(a: &[T], b: &[T]) -> bool {
    bytemuck::cast_slice::<T, u8>(a) == bytemuck::cast_slice::<T, u8>(b)
}
