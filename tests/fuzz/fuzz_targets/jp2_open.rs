//! Any bytes as a JPEG 2000 file of boxes, or as a codestream where they begin like one: rows or an error.
//!
//! The codec takes and gives back blocks while it runs, so the heap is not watched here (`tests/jp2_memory.rs` does). Its
//! panics are errors by contract, and what it holds then is lost: `-detect_leaks=0`.
#![no_main]

#[path = "../../../adapters/formats/tests/rows/mod.rs"]
mod rows;

use libfuzzer_sys::fuzz_target;
use plimsoll_core::budget::Budget;
use plimsoll_core::pipeline::plan::Place;
use plimsoll_core::shape::Rows;
use plimsoll_core::strip::StripMut;
use plimsoll_formats::{Format, Jpeg2000, Page};

/// Memory and samples that a page may have, to keep the fuzzer quick.
const MOST_BYTES: u64 = 8 << 20;

fuzz_target!(init: let_the_codec_panic(), |content: &[u8]| {
    let format = if content.starts_with(&[0xFF, 0x4F]) { Jpeg2000::J2k } else { Jpeg2000::Jp2 };
    let Ok(picture) = format.open(rows::file(content)) else { return };
    if let Ok(Some(page)) = picture.page(0) {
        read(&*page);
    }
});

/// All panics but the codec's, which are caught, end the run.
fn let_the_codec_panic() {
    let end = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic.location().is_some_and(|place| place.file().contains("openjp2")) {
            end(panic);
        }
    }));
}

fn read(page: &dyn Page) {
    let shape = page.facts().shape;
    let needs = page.needs(shape.region());
    let (arena, heap) = (rows::bytes_in(&needs, Place::Arena), rows::bytes_in(&needs, Place::Heap));
    if arena.saturating_add(heap) > MOST_BYTES || shape.image_bytes() > MOST_BYTES {
        return;
    }
    rows::with_arena(arena, |arena| {
        let Ok(mut source) = page.source(shape.region(), &mut Budget::new(arena)) else { return };
        let mut row = vec![0u8; shape.row_bytes() as usize];
        for at in shape.all_rows().iter() {
            let region = shape.region().with_rows(Rows::one(at));
            let Some(mut strip) = StripMut::new(&mut row, region, shape) else { return };
            if source.read(&mut strip).is_err() {
                return;
            }
        }
    });
}
