//! Which of the compiled levels this machine uses.
// The attribute writes one call of a function with a target feature, behind its run-time check.
#![allow(unsafe_code)]

use multiversion::multiversion;
use multiversion::target::match_target;

/// The level that [`Dispatched`](super::Dispatched) uses on this machine: `avx2` or `baseline`. For the receipt.
#[multiversion(targets("x86_64+avx+avx2+bmi1+bmi2"), dispatcher = "direct")]
pub fn level() -> &'static str {
    match_target! {
        "x86_64+avx+avx2+bmi1+bmi2" => "avx2",
        _ => "baseline",
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    #[test]
    fn the_level_is_the_machines() {
        let wide = std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("bmi1")
            && std::arch::is_x86_feature_detected!("bmi2");
        assert_eq!(super::level(), if wide { "avx2" } else { "baseline" });
    }
}
