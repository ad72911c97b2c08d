//! The smallest budget that works, for work whose plan depends on its budget in more ways than by the rows of its
//! strips: several passes, sides of tiles, bands that are set upright, an output that is read back.

use super::budget::Budgeted;
use super::plan::JobPlan;
use crate::failure::Failure;
use crate::size::Bytes;
use plimsoll_core::pipeline::plan::Consumer;

/// A budget under which everything that can be planned is.
pub(crate) const PLENTY_BYTES: u64 = 1 << 50;

/// Plans the work within so many bytes.
pub(crate) type Plan<'a> = &'a dyn Fn(u64) -> Result<JobPlan, Failure>;

/// What a plan needs: at its peak, and in the smallest budget that it claims for the way that it chose.
#[derive(Clone, Copy, Debug)]
struct Claim {
    peak: u64,
    smallest: u64,
}

/// The smallest budget for which `plan` gives one: it does, and with one byte less it does not.
///
/// # Errors
/// Those of `plan`, [`Failure::Refused`] if no budget is enough.
pub(crate) fn smallest(plan: Plan<'_>) -> Result<u64, Failure> {
    let claim = |bytes: u64| {
        let plan = plan(bytes)?;
        Ok(Claim { peak: plan.peak_bytes(), smallest: plan.smallest_bytes() })
    };
    edge(&claim)
}

/// Follows claims down: within what one way claims, another may be chosen that needs less. A claim that does not hold
/// is taken for a lower end.
fn edge(claim: &dyn Fn(u64) -> Result<Claim, Failure>) -> Result<u64, Failure> {
    let fits = |bytes: u64| match claim(bytes) {
        Ok(claim) => Ok(Some(claim)),
        Err(Failure::Refused(_)) => Ok(None),
        Err(failure) => Err(failure),
    };
    let mut chosen = claim(PLENTY_BYTES)?;
    let mut works = chosen.peak;
    loop {
        if chosen.smallest < works {
            if fits(chosen.smallest)?.is_none() {
                return between(&|bytes| Ok(fits(bytes)?.is_some()), chosen.smallest, works);
            }
            works = chosen.smallest;
        }
        let Some(less) = works.checked_sub(1) else { return Ok(0) };
        match fits(less)? {
            Some(other) => (chosen, works) = (other, less),
            None => return Ok(works),
        }
    }
}

/// The smallest budget that works, of more than `refused` and not more than `works`.
fn between(
    fits: &dyn Fn(u64) -> Result<bool, Failure>,
    mut refused: u64,
    mut works: u64,
) -> Result<u64, Failure> {
    while works - refused > 1 {
        let middle = refused + (works - refused) / 2;
        if fits(middle)? { works = middle } else { refused = middle }
    }
    Ok(works)
}

/// The smallest budget of work that was refused, and the line that refuses it: whichever of its passes did not fit
/// first, what all of it needs. A list of a batch may take `list` bytes beside.
///
/// # Errors
/// As [`smallest`].
pub(crate) fn price(budget: &Budgeted, list: u64, plan: Plan<'_>) -> Result<(u64, String), Failure> {
    let smallest = smallest(plan)?;
    let least = plan(smallest)?;
    let largest = least.dominant().and_then(|pass| pass.plan.largest());
    Ok((smallest, line(largest, smallest, list, budget)))
}

/// The line that refuses: `largest` is the consumer that holds the most in the smallest plan.
pub(super) fn line(largest: Option<Consumer>, smallest: u64, list: u64, budget: &Budgeted) -> String {
    let largest = largest.map_or_else(String::new, |consumer| {
        format!("{consumer} needs {} ({} bytes), ", Bytes(consumer.bytes), consumer.bytes)
    });
    let with = if list == 0 { "" } else { " with the list of the batch" };
    let needed = smallest.saturating_add(list);
    format!(
        "does not fit: {largest}the smallest plan{with} is {} ({needed} bytes) and the budget is {} ({} bytes, from \
         {}): {} bytes are missing. The cheapest change that works: --within {needed}B",
        Bytes(needed),
        Bytes(budget.bytes),
        budget.bytes,
        budget.reason,
        needed.saturating_sub(budget.bytes),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ways of `(peak, smallest)`, the best first: the first that fits is chosen, and claims what is smallest for it.
    fn ways(ways: &[(u64, u64)], bytes: u64) -> Result<Claim, Failure> {
        let fitting = ways.iter().find(|(_, smallest)| *smallest <= bytes);
        let claim = fitting.map(|(peak, smallest)| Claim { peak: (*peak).min(bytes), smallest: *smallest });
        claim.ok_or_else(|| Failure::Refused(String::new()))
    }

    #[test]
    fn claims_are_followed_down_to_the_edge() {
        let falling = [(90_000, 33_000), (14_000, 12_700), (6_700, 6_700), (6_000, 4_900), (4_500, 4_500)];
        assert_eq!(edge(&|bytes| ways(&falling, bytes)).unwrap(), 4_500);
        assert_eq!(edge(&|bytes| ways(&falling[..1], bytes)).unwrap(), 33_000);
        assert_eq!(edge(&|bytes| ways(&[(0, 0)], bytes)).unwrap(), 0);
        assert!(matches!(edge(&|bytes| ways(&[], bytes)), Err(Failure::Refused(_))));
    }

    #[test]
    fn claims_of_one_pass_are_not_believed_where_another_needs_more() {
        let low = |bytes: u64| match bytes >= 7_777 {
            true => Ok(Claim { peak: 9_000, smallest: 1_000 }),
            false => Err(Failure::Refused(String::new())),
        };
        assert_eq!(edge(&low).unwrap(), 7_777);
    }

    #[test]
    fn other_failures_are_not_taken_for_refusals() {
        let fails = |bytes: u64| match bytes == PLENTY_BYTES {
            true => Ok(Claim { peak: 9_000, smallest: 1_000 }),
            false => Err(Failure::Io("gone".to_owned())),
        };
        assert!(matches!(edge(&fails), Err(Failure::Io(_))));
    }
}
