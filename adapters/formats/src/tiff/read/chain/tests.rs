use super::*;
use crate::tiff::read::made::{Counted, Made};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Directories one behind the other; the last one names the one of index `back`, or none.
fn chain(pages: u32, back: Option<u32>) -> (File, Vec<u64>, Arc<Counted>) {
    let mut made = Made::new(false, false);
    let places: Vec<u64> = (0..u64::from(pages)).map(|page| made.0.at() + 18 * page).collect();
    for page in 0..pages as usize {
        let last = back.map_or(0, |back| places[back as usize]);
        made.directory(&[(256, 4, 1, &[1, 0, 0, 0])], places.get(page + 1).copied().unwrap_or(last));
    }
    let (file, _, memory) = made.open_counted();
    (file, places, memory)
}

#[test]
fn each_page_is_found_from_wherever_the_walk_is() {
    let (file, places, _) = chain(40, None);
    let mut walk = Walk::new(places[0]);
    assert!(walk.begins_at(places[0]) && !walk.begins_at(places[1]));
    for index in [0, 1, 2, 39, 3, 3, 17, 16, 38, 0, 40, 5, 41, 39] {
        let found = walk.go(&file, index).expect("the chain is sound");
        assert_eq!(found, places.get(index as usize).copied(), "page {index}");
        assert!(walk.begins_at(places[0]));
    }
}

#[test]
fn going_on_costs_a_step_and_staying_nothing() {
    let (file, places, memory) = chain(40, None);
    let mut walk = Walk::new(places[0]);
    let mut reads = |index| {
        let before = memory.calls.load(Ordering::Relaxed);
        assert_eq!(walk.go(&file, index).expect("sound"), Some(places[index as usize]));
        memory.calls.load(Ordering::Relaxed) - before
    };
    assert_eq!(reads(0), 0);
    let step = reads(1);
    assert!((1..=2).contains(&step), "{step} reads");
    for index in 2..40 {
        assert_eq!((reads(index), reads(index)), (step, 0), "page {index}");
    }
    assert_eq!(reads(30), 30 * step, "back is from the start");
}

#[test]
fn every_loop_is_noticed_soon_wherever_it_begins() {
    for pages in 1..20 {
        for back in 0..pages {
            let (file, places, _) = chain(pages, Some(back));
            let mut walk = Walk::new(places[0]);
            // Every page is there before the loop is noticed.
            for index in 0..pages {
                assert_eq!(
                    walk.go(&file, index).expect("not yet"),
                    Some(places[index as usize]),
                    "{pages} pages back to {back}"
                );
            }
            let error = walk.go(&file, u32::MAX).expect_err("it never ends").to_string();
            assert!(error.contains("the chain of pages comes back to byte"), "{error}");
            // Brent: no later than three times the way into the loop and the loop's length, and a few.
            assert!(walk.index <= 3 * pages + 3, "{pages} pages back to {back}: {} steps", walk.index);
        }
    }
}

#[test]
fn a_chain_that_leaves_the_file_ends_in_an_error() {
    let mut made = Made::new(false, false);
    let first = made.0.at();
    made.directory(&[(256, 4, 1, &[1, 0, 0, 0])], 1 << 30);
    let file = made.open().0;
    let mut walk = Walk::new(first);
    assert_eq!(walk.go(&file, 1).expect("its offset is read, not yet it"), Some(1 << 30));
    assert!(matches!(walk.go(&file, 2), Err(FormatError::Malformed { .. })));
}
