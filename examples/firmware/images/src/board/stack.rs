//! How deep a call goes: the stack below it is painted, and then looked at.

use core::arch::asm;

const PAINT: u32 = 0xA5C3_3C5A;
/// Words painted.
const WORDS: usize = 2048;
/// Bytes below the stack pointer that are left alone, for the painter itself.
const OWN: usize = 128;

fn pointer() -> usize {
    let at: usize;
    // SAFETY: reads the stack pointer and changes nothing.
    unsafe {
        #[cfg(target_arch = "arm")]
        asm!("mov {}, sp", out(reg) at, options(nomem, nostack, preserves_flags));
        #[cfg(target_arch = "riscv32")]
        asm!("mv {}, sp", out(reg) at, options(nomem, nostack, preserves_flags));
    }
    at
}

/// Runs `work` and says how many bytes of stack it took, its own frame included, beyond its caller's.
///
/// At most 8 KiB are looked at; less than 128 bytes count as 128. Interrupts must be off or nothing but shallow.
#[inline(never)]
pub fn depth<R>(work: impl FnOnce() -> R) -> (R, usize) {
    let top = pointer() & !3;
    let first = top - OWN - 4 * WORDS;
    for word in 0..WORDS {
        // SAFETY: the images that measure have this much room below their stack's pointer, and nothing lives there.
        unsafe { core::ptr::write_volatile((first + 4 * word) as *mut u32, PAINT) };
    }
    let result = call(work);
    // SAFETY: as above.
    let clean = (0..WORDS)
        .take_while(|word| unsafe { core::ptr::read_volatile((first + 4 * word) as *const u32) } == PAINT);
    (result, OWN + 4 * (WORDS - clean.count()))
}

#[inline(never)]
fn call<R>(work: impl FnOnce() -> R) -> R {
    work()
}
