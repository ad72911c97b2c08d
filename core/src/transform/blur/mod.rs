//! Gaussian blur of any width, separable: down the rows, then across what came of it.
//!
//! For each output row the input rows around it are summed into one row of memory, whose ends get the missing columns,
//! and that row is summed to the output. Nothing is kept from row to row, so the cut cannot show.

mod arithmetic;
mod gauss;
mod pass;

use super::edge::{Part, neighbour};
use super::{Args, Host, Words};
use crate::budget::{Budget, Exhausted, Layout};
use crate::pipeline::{Stage, StageError, View};
use crate::shape::{Region, SampleKind, Shape};
use crate::strip::{Strip, StripMut};
pub use arithmetic::Blurred;
pub use gauss::Gauss;
pub use pass::{Pass, Scale};

/// The narrowest blur.
pub const MIN_SIGMA: f64 = 0.1;

/// The widest blur.
pub const MAX_SIGMA: f64 = 200.0;

/// Blurs each band with a Gaussian. Beyond the borders the edge sample is repeated.
///
/// The weights are the Gaussian itself, sampled at whole steps, cut where what is left out on both sides weighs at
/// most 1/960 of the whole for `u8` (a radius of about 3.3 sigma; 6 for sigma 2) and 1/262144 for other kinds (about
/// 4.6 sigma): half a level of the range, both directions together.
///
/// Accuracy against the endless Gaussian in real numbers: `u8` and `u16` come out at most one level from the rounded
/// true value, in fixed point; rounding is to nearest, halves upwards. For floats the sums are taken in the samples'
/// own precision from the middle outwards: at most 2^-17 of the largest sample around from cutting the Gaussian, and
/// `(radius + 3)` half units in the last place for each direction.
///
/// Memory: one row with its halo (2 bytes a sample for `u8`, 4 for `u16` and `f32`), the weights, beyond radius 6 two
/// blocks of 16 KiB for sums, and where the radius is no multiple of 6 two of up to 16 KiB of zeroes. `u8` up to radius
/// 6: 14 KiB of weights and 2 KiB for sums.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blur<T> {
    gauss: Gauss,
    /// Down and across.
    scales: [Scale; 2],
    kind: core::marker::PhantomData<fn(T)>,
}

/// Bytes of the sums of one block.
const BLOCK_BYTES: usize = 16 << 10;

type Sum<P> = <P as Pass>::Sum;
type Weight<P> = <P as Pass>::Weight;

/// What a blur holds in its memory.
struct Held<'m, T: Blurred> {
    down: &'m mut [Weight<T::Down>],
    across: &'m mut [Weight<T::Across>],
    down_few: &'m mut [Weight<T::DownFew>],
    across_few: &'m mut [Weight<T::AcrossFew>],
    row: &'m mut [T::Middle],
    down_sums: &'m mut [Sum<T::Down>],
    across_sums: &'m mut [Sum<T::Across>],
    down_few_sums: &'m mut [Sum<T::DownFew>],
    across_few_sums: &'m mut [Sum<T::AcrossFew>],
    no_samples: &'m [T],
    no_middles: &'m [T::Middle],
}

/// How many samples each part of it is for.
struct Lengths {
    /// The weights of one direction, unless they are those below.
    weights: u64,
    /// The weights of one direction, each of them in many lanes, for one group with an arithmetic of its own.
    few: u64,
    /// The row with its halo.
    row: u64,
    /// One block.
    block: u64,
    /// The sums of a block, if there are several groups of taps.
    sums: u64,
    /// The sums of as many samples as there are lanes, for those weights.
    few_sums: u64,
    /// What stands in for the taps that the last group lacks.
    zeroes: u64,
}

impl<T: Blurred> Blur<T> {
    /// A blur of `sigma` samples (0.1 to 200).
    ///
    /// # Errors
    /// [`StageError::Setting`] if `sigma` is outside its range.
    pub fn new(sigma: f64) -> Result<Self, StageError> {
        if !(MIN_SIGMA..=MAX_SIGMA).contains(&sigma) {
            return Err(StageError::Setting { stage: "blur", setting: "SIGMA", needed: "from 0.1 to 200" });
        }
        let gauss = Gauss::new(sigma, T::TAIL);
        Ok(Self { gauss, scales: T::scales(&gauss), kind: core::marker::PhantomData })
    }

    /// Rows and columns looked at on each side.
    pub fn radius(&self) -> u32 {
        self.gauss.radius
    }

    /// All pairs are one group, and there is an arithmetic for that.
    #[inline(always)]
    fn is_few(&self) -> bool {
        T::FEW && (1..=pass::GROUP as u32).contains(&self.gauss.radius)
    }

    /// How many samples of what is held.
    fn lengths(&self, view: &View) -> Lengths {
        let cols = u64::from(view.output.cols.len()) + 2 * u64::from(self.gauss.radius);
        let row = cols * u64::from(view.input_shape.bands);
        let widest = size_of::<Sum<T::Down>>().max(size_of::<Sum<T::Across>>());
        let block = row.min((BLOCK_BYTES / widest) as u64);
        let radius = self.gauss.radius as usize;
        // The middle weight, and groups that zeroes fill up.
        let weights = 1 + radius.next_multiple_of(pass::GROUP) as u64;
        let (weights, few) = if self.is_few() { (0, pass::FEW as u64) } else { (weights, 0) };
        Lengths {
            weights,
            few,
            row,
            block,
            sums: if radius > pass::GROUP { block } else { 0 },
            few_sums: if self.is_few() { block.min(pass::LANES as u64) } else { 0 },
            zeroes: if radius.is_multiple_of(pass::GROUP) { 0 } else { block },
        }
    }

    fn held<'m>(&self, view: &View, memory: &'m mut [u8]) -> Result<Held<'m, T>, Exhausted> {
        let lengths = self.lengths(view);
        let [weights, few, few_sums] = [lengths.weights, lengths.few, lengths.few_sums].map(|n| n as usize);
        let [row, sums, zeroes] = [lengths.row, lengths.sums, lengths.zeroes].map(|n| n as usize);
        let mut budget = Budget::new(memory);
        Ok(Held {
            down: budget.lease("weights of a blur", weights)?,
            across: budget.lease("weights of a blur", weights)?,
            down_few: budget.lease("weights of a blur", few)?,
            across_few: budget.lease("weights of a blur", few)?,
            row: budget.lease("row of a blur", row)?,
            down_sums: budget.lease("sums of a blur", sums)?,
            across_sums: budget.lease("sums of a blur", sums)?,
            down_few_sums: budget.lease("sums of a blur", few_sums)?,
            across_few_sums: budget.lease("sums of a blur", few_sums)?,
            no_samples: budget.lease("zeroes of a blur", zeroes)?,
            no_middles: budget.lease("zeroes of a blur", zeroes)?,
        })
    }
}

/// Writes the weights, each of them `LANES` times; what rounding took from 1 goes to the middle.
fn fill_weights<P: Pass, const LANES: usize>(gauss: &Gauss, bits: u32, weights: &mut [P::Weight]) {
    let (weights, _) = weights.as_chunks_mut::<LANES>();
    let Some((middle, pairs)) = weights.split_first_mut() else { return };
    let mut rest = 1.0;
    for (same, step) in pairs.iter_mut().zip(1..=gauss.radius) {
        let weight = P::weight(gauss.weight(step), bits);
        same.fill(weight);
        rest -= 2.0 * P::value(weight, bits);
    }
    middle.fill(P::weight(rest, bits));
}

impl<T: Blurred> Stage for Blur<T> {
    fn name(&self) -> &'static str {
        "blur"
    }

    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        if input.kind == T::KIND {
            Ok(input)
        } else {
            Err(StageError::Kind { stage: "blur", kind: input.kind })
        }
    }

    fn input(&self, output: Region, input: Shape) -> Region {
        output.grown(self.gauss.radius, &input)
    }

    fn reach(&self, _input: Shape) -> u32 {
        2 * self.gauss.radius + 1
    }

    fn memory(&self, view: &View) -> u64 {
        let Lengths { weights, few, row, sums, few_sums, zeroes, .. } = self.lengths(view);
        Layout::new()
            .with::<Weight<T::Down>>(weights)
            .with::<Weight<T::Across>>(weights)
            .with::<Weight<T::DownFew>>(few)
            .with::<Weight<T::AcrossFew>>(few)
            .with::<T::Middle>(row)
            .with::<Sum<T::Down>>(sums)
            .with::<Sum<T::Across>>(sums)
            .with::<Sum<T::DownFew>>(few_sums)
            .with::<Sum<T::AcrossFew>>(few_sums)
            .with::<T>(zeroes)
            .with::<T::Middle>(zeroes)
            .bytes()
    }

    fn begin(&self, view: &View, memory: &mut [u8]) -> Result<(), StageError> {
        let held = self.held(view, memory)?;
        let [down, across] = self.scales.map(|scale| scale.bits);
        fill_weights::<T::Down, 1>(&self.gauss, down, held.down);
        fill_weights::<T::Across, 1>(&self.gauss, across, held.across);
        fill_weights::<T::DownFew, { pass::LANES }>(&self.gauss, down, held.down_few);
        fill_weights::<T::AcrossFew, { pass::LANES }>(&self.gauss, across, held.across_few);
        Ok(())
    }

    #[inline(always)]
    fn process(
        &self,
        view: &View,
        memory: &mut [u8],
        input: &Strip<'_>,
        output: &mut StripMut<'_>,
    ) -> Result<(), StageError> {
        let held = self.held(view, memory)?;
        let Held { down, across, down_few, across_few, row: padded, no_samples, no_middles, .. } = held;
        let Held { down_sums, across_sums, down_few_sums, across_few_sums, .. } = held;
        let [down_scale, across_scale] = self.scales;
        let few = self.is_few();
        let bands = usize::from(view.input_shape.bands);
        let radius = self.gauss.radius as i32;
        let part = Part::new(view, self.gauss.radius, view.output.cols);
        let block = (self.lengths(view).block as usize).max(1);
        for row in output.rows().iter() {
            let mut start = 0;
            for middle in part.inside(padded).chunks_mut(block) {
                let tap = |step: i32| match step.abs() <= radius {
                    true => neighbour::<T>(input, row, step).get(start..).unwrap_or_default(),
                    false => no_samples,
                };
                match few {
                    true => pass::few::<T::DownFew>(down_few, down_scale, tap, down_few_sums, middle),
                    false => pass::block::<T::Down>(down, down_scale, tap, down_sums, middle),
                }
                start += block;
            }
            part.repeat_edges(padded, bands);
            let mut start = 0;
            for out in output.row_mut::<T>(row).chunks_mut(block) {
                let tap = |step: i32| match step.abs() <= radius {
                    true => padded.get(start + (radius + step) as usize * bands..).unwrap_or_default(),
                    false => no_middles,
                };
                match few {
                    true => pass::few::<T::AcrossFew>(across_few, across_scale, tap, across_few_sums, out),
                    false => pass::block::<T::Across>(across, across_scale, tap, across_sums, out),
                }
                start += block;
            }
        }
        Ok(())
    }
}

/// `blur`
#[derive(Debug)]
pub struct Op;

impl super::Op for Op {
    const WORDS: Words = Words {
        name: "blur",
        settings: "SIGMA",
        about: "Gaussian blur with a standard deviation of SIGMA pixels, 0.1 to 200",
        example: "blur:2",
    };

    fn build<H: Host>(args: Args<'_>, input: Shape, host: &mut H) -> Result<H::Built, StageError> {
        let mut args = args.of("blur");
        let sigma = args.required("SIGMA", "from 0.1 to 200", |_| true)?;
        args.end()?;
        Ok(match input.kind {
            SampleKind::U8 => host.accept(Blur::<u8>::new(sigma)?),
            SampleKind::U16 => host.accept(Blur::<u16>::new(sigma)?),
            SampleKind::F32 => host.accept(Blur::<f32>::new(sigma)?),
            SampleKind::F64 => host.accept(Blur::<f64>::new(sigma)?),
            kind => return Err(StageError::Kind { stage: "blur", kind }),
        })
    }
}

#[cfg(test)]
mod tests;
