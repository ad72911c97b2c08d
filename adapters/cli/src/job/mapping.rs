//! Where the pixels of an output lie in the input, as far as steps say it in numbers.

use crate::failure::Failure;
use crate::stages::{Stages, Step};
use plimsoll_core::shape::Shape;

/// Along each side: a pixel of the output is `scale` pixels of the input long, and the first one begins at `start`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mapping {
    pub(super) across: Along,
    pub(super) down: Along,
}

/// One side of a [`Mapping`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Along {
    pub(super) scale: f64,
    pub(super) start: f64,
}

impl Along {
    fn then(self, scale: f64, start: f64) -> Self {
        Self { scale: self.scale * scale, start: self.start + self.scale * start }
    }
}

impl Mapping {
    const SAME: Self =
        Self { across: Along { scale: 1.0, start: 0.0 }, down: Along { scale: 1.0, start: 0.0 } };

    /// Whether every pixel stays what and where it is.
    pub(super) fn is_same(&self) -> bool {
        *self == Self::SAME
    }
}

/// What steps do to a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Effect {
    /// Where pixels go; `None` if a step turns or mirrors the picture, or does what is not known here.
    pub(super) mapping: Option<Mapping>,
    /// Whether samples are computed from what they were, be it as averages.
    pub(super) new_values: bool,
    /// Whether a sample still means what it meant: averages do, inverted ones do not.
    pub(super) same_meaning: bool,
}

impl Effect {
    /// The effect of `steps` on a picture of shape `source`.
    ///
    /// # Errors
    /// The steps' own.
    pub(super) fn of(steps: &[Step], source: Shape) -> Result<Self, Failure> {
        let mut effect = Self { mapping: Some(Mapping::SAME), new_values: false, same_meaning: true };
        let mut shape = source;
        for (index, step) in steps.iter().enumerate() {
            let before = shape;
            shape = Stages::build(steps.get(..=index).unwrap_or(steps), source, &[])?.output();
            let ratio = |from: u32, to: u32| f64::from(from) / f64::from(to.max(1));
            let scaled = |across: f64, down: f64| {
                move |map: Mapping| Mapping {
                    across: map.across.then(across, 0.0),
                    down: map.down.then(down, 0.0),
                }
            };
            match step.name() {
                "crop" => {
                    let mut places = step.args().split(',').map(|word| word.trim().parse::<f64>().ok());
                    let (left, top) = (places.next().flatten(), places.next().flatten());
                    effect.mapping = effect.mapping.zip(left.zip(top)).map(|(map, (left, top))| Mapping {
                        across: map.across.then(1.0, left),
                        down: map.down.then(1.0, top),
                    });
                }
                "shrink" => {
                    let block = step.args().trim().parse::<f64>().ok();
                    effect.mapping = effect.mapping.zip(block).map(|(map, block)| scaled(block, block)(map));
                    effect.new_values = true;
                }
                "resize" | "thumbnail" => {
                    let (across, down) = (ratio(before.cols, shape.cols), ratio(before.rows, shape.rows));
                    effect.mapping = effect.mapping.map(scaled(across, down));
                    effect.new_values = true;
                }
                "flip" => effect.mapping = None,
                "blur" | "median" | "sharpen" => effect.new_values = true,
                "bands" => {}
                "invert" | "linear" | "gamma" | "levels" | "to" | "gray" | "conv" | "normalize" => {
                    (effect.new_values, effect.same_meaning) = (true, false);
                }
                _ => effect = Self { mapping: None, new_values: true, same_meaning: false },
            }
        }
        Ok(effect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_core::shape::SampleKind;

    #[test]
    fn crops_and_scales_add_up() {
        let source = Shape::new(1000, 2000, 1, SampleKind::U8);
        let effect = |steps: &[&str]| {
            let steps: Vec<Step> = steps.iter().map(|text| text.parse().unwrap()).collect();
            Effect::of(&steps, source).unwrap()
        };
        assert!(effect(&["invert"]).mapping.unwrap().is_same());
        let map = effect(&["crop:100,50,900,600", "shrink:4", "crop:10,0,100,100"]).mapping.unwrap();
        // Column 0 of the output is column 10 of what was shrunk: 40 columns into the first crop.
        assert_eq!(map.across, Along { scale: 4.0, start: 140.0 });
        assert_eq!(map.down, Along { scale: 4.0, start: 50.0 });
        assert_eq!(effect(&["resize:0.5"]).mapping.unwrap().across.scale, 2.0);
        assert_eq!(effect(&["flip"]).mapping, None);
        assert!(!effect(&["crop:0,0,9,9"]).new_values && effect(&["gamma:2"]).new_values);
    }
}
