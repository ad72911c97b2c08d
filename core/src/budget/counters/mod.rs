//! The numbers of a shared budget, kept in the way that the target allows. The caller sees no difference.

#[cfg(all(not(feature = "critical-section"), target_has_atomic = "ptr", target_has_atomic = "32"))]
mod atomic;
#[cfg(feature = "critical-section")]
mod guarded;
#[cfg(all(not(feature = "critical-section"), not(all(target_has_atomic = "ptr", target_has_atomic = "32"))))]
mod single;

#[cfg(all(not(feature = "critical-section"), target_has_atomic = "ptr", target_has_atomic = "32"))]
pub(super) use atomic::Counters;
#[cfg(feature = "critical-section")]
pub(super) use guarded::Counters;
#[cfg(all(
    not(feature = "critical-section"),
    not(all(target_has_atomic = "ptr", target_has_atomic = "32"))
))]
pub(super) use single::Counters;
