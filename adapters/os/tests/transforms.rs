//! Transforms by their names, as the command gives them.

use plimsoll_core::pipeline::StageError;
use plimsoll_core::shape::{SampleKind, Shape};
use plimsoll_os::cpu::build;

#[test]
fn a_name_becomes_stages_that_ask_for_what_they_need() {
    let shape = Shape::new(100, 100, 1, SampleKind::U8);
    let invert = build("invert", "", shape, &[]).unwrap();
    assert_eq!((invert.stages.len(), invert.asked.len()), (1, 0));
    assert_eq!(build("thumbnail", "10", shape, &[]).unwrap().stages.len(), 2);
    assert_eq!(build("normalize", "", shape, &[]).unwrap().asked.len(), 1);
    assert!(matches!(build("blur", "-1", shape, &[]), Err(StageError::Setting { .. })));
}
