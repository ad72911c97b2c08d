//! A sampled Gaussian: how far it reaches and what each step from its middle weighs.

/// The weights `exp(-k^2 / 2 sigma^2)` for steps `k` up to a radius, together 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gauss {
    /// Its standard deviation in samples.
    pub sigma: f64,
    /// Steps to each side.
    pub radius: u32,
    sum: f64,
}

impl Gauss {
    /// The Gaussian of `sigma`, as far as what is left out weighs no more than `tail` of the whole.
    pub(super) fn new(sigma: f64, tail: f64) -> Self {
        let whole = Self { sigma, radius: 0, sum: 1.0 };
        let far = libm::ceil(sigma * 9.0) as u32 + 1;
        let total: f64 = 1.0 + 2.0 * (1..=far).rev().map(|step| whole.height(step)).sum::<f64>();
        let (mut radius, mut outside) = (far, 0.0);
        while radius > 0 && 2.0 * (outside + whole.height(radius)) <= tail * total {
            outside += whole.height(radius);
            radius -= 1;
        }
        Self { radius, sum: total - 2.0 * outside, ..whole }
    }

    fn height(&self, step: u32) -> f64 {
        let x = f64::from(step) / self.sigma;
        libm::exp(-0.5 * x * x)
    }

    /// The weight of the sample `step` away from the middle, to one side.
    pub(super) fn weight(&self, step: u32) -> f64 {
        self.height(step) / self.sum
    }

    /// The most bits from `least` to `most` with which the middle weight is at most `largest`.
    pub(super) fn bits(&self, least: u32, most: u32, largest: f64) -> u32 {
        (least..most)
            .rev()
            .map(|bits| bits + 1)
            .find(|bits| self.weight(0) * f64::from(1u32 << bits) <= largest)
            .unwrap_or(least)
    }
}
