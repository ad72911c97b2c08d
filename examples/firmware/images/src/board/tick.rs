//! A periodic interrupt: SysTick on Cortex-M, the machine timer on RISC-V.

use core::cell::Cell;
use critical_section::Mutex;

/// What every tick calls, in the interrupt.
static WORK: Mutex<Cell<Option<fn()>>> = Mutex::new(Cell::new(None));

fn tick() {
    if let Some(work) = critical_section::with(|section| WORK.borrow(section).get()) {
        work();
    }
}

/// Calls `work` from an interrupt, about every `cycles` cycles of the timer's clock (at most 2^24), from now on.
pub fn every(cycles: u32, work: fn()) {
    critical_section::with(|section| WORK.borrow(section).set(Some(work)));
    timer::start(cycles);
}

/// Sleeps until the next interrupt.
pub fn sleep() {
    #[cfg(target_arch = "arm")]
    cortex_m::asm::wfi();
    #[cfg(target_arch = "riscv32")]
    riscv::asm::wfi();
}

#[cfg(target_arch = "arm")]
mod timer {
    use cortex_m::peripheral::{Peripherals, syst::SystClkSource};

    pub(super) fn start(cycles: u32) {
        if let Some(mut core) = Peripherals::take() {
            core.SYST.set_clock_source(SystClkSource::Core);
            core.SYST.set_reload(cycles - 1);
            core.SYST.clear_current();
            core.SYST.enable_interrupt();
            core.SYST.enable_counter();
        }
    }

    #[cortex_m_rt::exception]
    fn SysTick() {
        super::tick();
    }
}

#[cfg(target_arch = "riscv32")]
mod timer {
    use core::sync::atomic::{AtomicU32, Ordering};
    use riscv::interrupt::Interrupt;

    // The timer of the emulated board, as its CLINT has it.
    const COMPARE: *mut u32 = 0x0200_4000 as *mut u32;
    const NOW: *const u32 = 0x0200_BFF8 as *const u32;

    static CYCLES: AtomicU32 = AtomicU32::new(0);

    fn arm() {
        let cycles = CYCLES.load(Ordering::Relaxed);
        // SAFETY: registers of the board's timer. Runs last seconds: the high word of the time stays zero.
        unsafe {
            let next = NOW.read_volatile().wrapping_add(cycles);
            COMPARE.add(1).write_volatile(0);
            COMPARE.write_volatile(next);
        }
    }

    pub(super) fn start(cycles: u32) {
        CYCLES.store(cycles, Ordering::Relaxed);
        arm();
        // SAFETY: the handler below is ready.
        unsafe {
            riscv::register::mie::set_mtimer();
            riscv::interrupt::enable();
        }
    }

    #[riscv_rt::core_interrupt(Interrupt::MachineTimer)]
    fn timer() {
        arm();
        super::tick();
    }
}
