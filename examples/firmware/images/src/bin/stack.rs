//! How much stack each entry point of core takes beyond its caller's buffers: one log line for each.
#![no_std]
#![no_main]

use board::stack::depth;
use core::hint::black_box;
use plimsoll_core::budget::Budget;
use plimsoll_core::bytes::{ReadRows, WriteRows};
use plimsoll_core::journal::{From, Journal, Policy, RamFlash};
use plimsoll_core::pipeline::{Chain, Job, Stage};
use plimsoll_core::series::{
    Column, Decoder, Encoder, Kind, Large, Lean, Narrow, Pack, Profile, Rice, Settings, Small, TimeUnit, Word,
};
use plimsoll_core::shape::{SampleKind, Shape};
use plimsoll_core::transform::{invert::Invert, sharpen::sharpen};

board::start!(run);

/// Logs the depth of an expression as that of an entry point.
macro_rules! measured {
    ($name:literal, $work:expr) => {{
        let (result, bytes) = depth(|| $work);
        defmt::info!("stack {=str} {=usize}", $name, bytes);
        result
    }};
}

macro_rules! series {
    ($profile:ty, $new:literal, $push:literal, $seal:literal, $open:literal, $next:literal) => {
        #[inline(never)]
        pub(crate) fn measure() -> Option<()> {
            let mut buffer = [0; 512];
            let settings = black_box(Settings::new(TimeUnit::Ticks, [Column::new(Kind::I32)]));
            let mut slot = None;
            measured!($new, slot = Encoder::<$profile, 1>::try_new(settings, &mut buffer).ok());
            let encoder = slot.as_mut()?;
            // The deepest push is one that codes a group.
            let pushed = measured!($push, push(encoder, 96));
            let block = measured!($seal, encoder.seal()).ok()?;
            let mut slot = None;
            measured!($open, slot = Decoder::<$profile, 1>::try_new(block).ok());
            let decoder = slot.as_mut()?;
            measured!(
                $next,
                while decoder.next_into(&mut [Word::default()]).is_ok_and(|next| next.is_some()) {}
            );
            (pushed == 96).then_some(())
        }
    };
}

fn push<P: Profile>(encoder: &mut Encoder<'_, P, 1>, points: u32) -> u32 {
    let mut taken = 0;
    for point in 0..points {
        let value = Word::from(stories::sensor::value(point));
        taken += u32::from(encoder.push(i64::from(point), &[value]).is_ok());
    }
    taken
}

mod small {
    use super::*;
    series!(Small, "small_new", "small_push", "small_seal", "small_open", "small_next");
}

mod narrow {
    use super::*;
    series!(Narrow, "narrow_new", "narrow_push", "narrow_seal", "narrow_open", "narrow_next");
}

mod lean {
    use super::*;
    series!(Lean, "lean_new", "lean_push", "lean_seal", "lean_open", "lean_next");
}

mod large {
    use super::*;
    series!(Large, "large_new", "large_push", "large_seal", "large_open", "large_next");
}

mod rice {
    use super::*;
    series!(Rice, "rice_new", "rice_push", "rice_seal", "rice_open", "rice_next");
}

mod pack {
    use super::*;
    series!(Pack, "pack_new", "pack_push", "pack_seal", "pack_open", "pack_next");
}

/// A journal of 2 KiB.
#[inline(never)]
fn journal() -> Option<()> {
    let mut bytes = [0; 2048];
    let mut buffer = [0; 64];
    let mut slot = None;
    let mut flash = RamFlash::new(&mut bytes, 512, 4);
    measured!("journal_format", slot = Journal::format(&mut flash, Policy::Keep).ok());
    let journal = slot.as_mut()?;
    measured!("journal_append", journal.append(1, 0..=9, black_box(b"a sealed block"))).ok()?;
    let mut slot = None;
    measured!("journal_mount", slot = Journal::mount(&mut flash, Policy::Keep).ok());
    let journal = slot.as_mut()?;
    let mut records = journal.iterate(From::Sequence(0));
    measured!("journal_next", records.next(&mut buffer).is_ok_and(|record| record.is_some())).then_some(())?;
    measured!("journal_discard", journal.discard(1)).ok()
}

/// A chain of two stages over 32 x 16 samples.
#[inline(never)]
fn pipeline(arena: &mut [u8]) -> Option<()> {
    let shape = black_box(Shape::new(16, 32, 1, SampleKind::U8));
    let (invert, sharpen) = (Invert::<u8>::new(), sharpen::<u8>().ok()?);
    let stages: [&dyn Stage; 2] = [&invert, &sharpen];
    let mut slot = None;
    measured!("chain_new", slot = Chain::new(&stages, shape).ok());
    let chain = slot.as_ref()?;
    let input = [7; 16 * 32];
    let mut output = [0; 16 * 32];
    let mut budget = Budget::new(arena);
    let (source, sink) = (ReadRows::new(&input[..], shape), WriteRows::new(&mut output[..]));
    let mut slot = None;
    measured!("job_new", slot = Job::new(chain, 4, &mut budget, source, sink).ok());
    let mut job = slot?;
    measured!("job_run", job.run().is_ok()).then_some(())?;
    measured!("job_finish", job.finish().is_ok()).then_some(())
}

fn run() -> i32 {
    let mut arena = [0; 1024];
    let done = small::measure()
        .and_then(|()| narrow::measure())
        .and_then(|()| lean::measure())
        .and_then(|()| large::measure())
        .and_then(|()| rice::measure())
        .and_then(|()| pack::measure())
        .and_then(|()| journal())
        .and_then(|()| pipeline(&mut arena));
    i32::from(done.is_none())
}
