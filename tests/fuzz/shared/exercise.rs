//! Opens a file as one format and reads every page of it in a small arena, counting the heap.

#[path = "../../../adapters/formats/tests/rows/mod.rs"]
mod rows;

use plimsoll_core::budget::Budget;
use plimsoll_core::pipeline::plan::Place;
use plimsoll_formats::{Format, Page, UprightPage};
use std::sync::Arc;

/// Arena that a page may have.
const ARENA_BYTES: u64 = 1 << 20;

/// Heap that its codecs may have; what states more would be refused by a plan.
const HEAP_BYTES: u64 = 8 << 20;

/// Samples that are read at most, to keep the fuzzer quick.
const MOST_BYTES: u64 = 4 << 20;

/// Runs all of it. `strip_rows` are 1 to 8.
pub fn exercise(format: &dyn Format, content: &[u8], strip_rows: u32) {
    let file = rows::file(content);
    let (picture, heap) = rows::heap(|| format.open(file));
    assert!(heap.peak < 16 << 10, "{} bytes to open", heap.peak);
    let Ok(picture) = picture else { return };
    for index in 0..8 {
        match picture.page(index) {
            Ok(Some(page)) => read_all(&page, strip_rows),
            _ => break,
        }
        for below in 0..2 {
            if let Ok(Some(page)) = picture.page_at(&[index, below]) {
                read_all(&page, strip_rows);
            }
        }
    }
}

/// As it is stored, as it should be seen, and a smaller version.
fn read_all(page: &Arc<dyn Page>, strip_rows: u32) {
    read(&**page, strip_rows);
    if !page.orientation().is_upright() {
        read(&UprightPage::new(Arc::clone(page), u64::from(strip_rows) * 100), strip_rows);
    }
    if let Ok(Some(smaller)) = page.reduced(1) {
        read(&*smaller, strip_rows);
    }
}

fn read(page: &dyn Page, strip_rows: u32) {
    let shape = page.facts().shape;
    let region = shape.region();
    let arena = rows::bytes_in(&page.needs(region), Place::Arena);
    if arena > ARENA_BYTES {
        rows::with_arena(ARENA_BYTES, |arena| {
            assert!(
                page.source(region, &mut Budget::new(arena)).is_err(),
                "it does with less than it states"
            );
        });
    } else if shape.image_bytes() <= MOST_BYTES
        && rows::bytes_in(&page.needs(region), Place::Heap) <= HEAP_BYTES
    {
        let _ = rows::read(page, region, strip_rows);
    }
}
