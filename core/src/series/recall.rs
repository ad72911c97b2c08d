//! Values that come back: the latest different indices, and the residual to the nearest of them where that is much
//! shorter than to what the predictors expect. Sensors behind a coarse converter and machines with a few states are
//! like that.

use super::arith::prob::Prob;
use super::coder::{Coder, Residuals};
use super::lane::Lane;
use super::rice::Rice;

/// Remembers indices, or does not.
pub(crate) trait Recall<L: Lane>: Copy + core::fmt::Debug {
    /// Remembers nothing yet.
    fn new() -> Self;
    /// Codes `index` by way of a remembered one if that pays; none if it does not and nothing but that was said.
    fn code<C: Coder>(&mut self, coder: &mut C, index: L, expected: L) -> Option<L>;
    /// Learns `index`, which was `expected` at another place.
    fn learn(&mut self, index: L, expected: L);
}

impl<L: Lane> Recall<L> for () {
    fn new() -> Self {}

    #[inline(always)]
    fn code<C: Coder>(&mut self, _: &mut C, _: L, _: L) -> Option<L> {
        None
    }

    #[inline(always)]
    fn learn(&mut self, _: L, _: L) {}
}

/// The latest indices, each once, latest first.
#[derive(Clone, Copy, Debug)]
pub struct Latest<L, M, const COUNT: usize> {
    indices: [L; COUNT],
    known: u8,
    /// Whether the last three came by way of one of them.
    history: u8,
    /// What going by way of them would have saved of late, in 16ths of a bit a point.
    gain: i16,
    by: [Prob; 8],
    which: [Prob; COUNT],
    model: M,
}

#[allow(private_bounds)] // The parts' traits stay inside: only the names of profiles go out.
impl<L: Lane, M: Residuals, const COUNT: usize> Latest<L, M, COUNT> {
    /// Bits that saying which one costs about.
    const NAMING: u32 = COUNT.ilog2() + 1;

    /// Whether a residual of `near` bits and saying which one is shorter than one of `far` bits.
    #[inline(always)]
    fn pays(near: u32, far: u32) -> bool {
        near + Self::NAMING < far
    }

    /// The nearest one, and how many bits the distance to it has.
    #[inline]
    fn nearest(&self, index: L) -> (usize, u32) {
        let (mut nearest, mut shortest) = (0, L::MOST);
        let known = self.indices.get(..usize::from(self.known)).unwrap_or_default();
        for (at, other) in known.iter().enumerate() {
            let distance = index.minus(*other).magnitude();
            if distance < shortest {
                (nearest, shortest) = (at, distance);
                if distance == L::LEAST {
                    break;
                }
            }
        }
        // Of none, all bits.
        (nearest, L::bits_of(shortest))
    }

    /// Brings the one at `at` to the front, as `index`.
    fn touch(&mut self, at: usize, index: L) {
        let mut newer = index;
        for each in self.indices.get_mut(..=at).unwrap_or_default() {
            core::mem::swap(each, &mut newer);
        }
    }
}

/// The residuals to remembered indices where there is little room for a model: mostly none, else about as long as of
/// late.
#[derive(Clone, Copy, Debug)]
pub struct Near {
    /// Whether it is not zero.
    away: Prob,
    spread: Rice,
}

impl Residuals for Near {
    type Times = Self;

    const NEW: Self = Near { away: Prob::EVEN, spread: Rice::NEW };

    #[inline]
    fn code<L: Lane, C: Coder>(&mut self, coder: &mut C, residual: L) -> L {
        match coder.bit(&mut self.away, residual != L::default()) {
            false => L::default(),
            true => self.spread.code(coder, residual),
        }
    }
}

impl<L: Lane, M: Residuals, const COUNT: usize> Recall<L> for Latest<L, M, COUNT> {
    fn new() -> Self {
        Latest {
            indices: [L::default(); COUNT],
            known: 0,
            history: 0,
            gain: 0,
            by: [Prob::EVEN; 8],
            which: [Prob::EVEN; COUNT],
            model: M::NEW,
        }
    }

    #[inline]
    fn code<C: Coder>(&mut self, coder: &mut C, index: L, expected: L) -> Option<L> {
        if self.gain <= 0 {
            return None;
        }
        let (mut at, mut by) = (0, false);
        if C::WRITES {
            let near = self.nearest(index);
            at = near.0;
            by = Self::pays(near.1, index.minus(expected).magnitude_bits());
        }
        let by = coder.bit(&mut self.by[usize::from(self.history & 7)], by);
        self.history = self.history << 1 | u8::from(by);
        if !by {
            return None;
        }
        let mut node = 1_usize;
        for level in (0..COUNT.ilog2()).rev() {
            let bit = coder.bit(&mut self.which[node & (COUNT - 1)], at >> level & 1 == 1);
            node = node << 1 | usize::from(bit);
        }
        let near = self.indices[node & (COUNT - 1)];
        Some(near.plus(self.model.code(coder, index.minus(near))))
    }

    #[inline]
    fn learn(&mut self, index: L, expected: L) {
        let (at, near) = self.nearest(index);
        let far = index.minus(expected).magnitude_bits();
        let by = self.known > 0 && Self::pays(near, far);
        // A way that is seldom taken costs a little each time that it is not.
        let saved = if by { 16 * (far as i16 - near as i16 - Self::NAMING as i16) } else { -12 };
        self.gain += (saved - self.gain) >> 4;
        if self.known > 0 && (by || near == 0) {
            self.touch(at, index);
        } else {
            self.known = (self.known + 1).min(COUNT as u8);
            self.touch(usize::from(self.known) - 1, index);
        }
    }
}
