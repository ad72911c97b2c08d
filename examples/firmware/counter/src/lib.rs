//! A QEMU plugin: exact instruction counts between marks, and the lowest address that the stack reached.
//!
//! `-plugin libcounter.so,out=FILE,marks=ADDRESS:ADDRESS:...[,low=ADDRESS,high=ADDRESS]`
//!
//! Marks are functions: what runs after the one at place N is counted to N, up to the next mark. `FILE` gets `phase N
//! COUNT` for each, and `lowest ADDRESS` of all stores from `low` up to `high`. Counts are of instructions, not cycles.
//!
//! Written for the plugin interface of QEMU 4.2 to 8.x (version 1), which needs no header: these are its signatures.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::fmt::Write;
use std::ptr::{addr_of_mut, null_mut};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

#[repr(C)]
struct Block([u8; 0]);
#[repr(C)]
struct Instruction([u8; 0]);

unsafe extern "C" {
    fn qemu_plugin_register_vcpu_tb_trans_cb(id: u64, call: extern "C" fn(u64, *mut Block));
    fn qemu_plugin_register_atexit_cb(id: u64, call: extern "C" fn(u64, *mut c_void), data: *mut c_void);
    fn qemu_plugin_tb_n_insns(block: *const Block) -> usize;
    fn qemu_plugin_tb_get_insn(block: *const Block, at: usize) -> *mut Instruction;
    fn qemu_plugin_insn_vaddr(instruction: *const Instruction) -> u64;
    fn qemu_plugin_register_vcpu_mem_cb(
        instruction: *mut Instruction,
        call: extern "C" fn(u32, u32, u64, *mut c_void),
        flags: c_int,
        access: c_int,
        data: *mut c_void,
    );
    fn qemu_plugin_register_vcpu_insn_exec_cb(
        instruction: *mut Instruction,
        call: extern "C" fn(u32, *mut c_void),
        flags: c_int,
        data: *mut c_void,
    );
    fn qemu_plugin_register_vcpu_insn_exec_inline(
        instruction: *mut Instruction,
        operation: c_int,
        at: *mut c_void,
        add: u64,
    );
}

/// The version of the interface.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals)] // QEMU gives the name.
pub static qemu_plugin_version: c_int = 1;

/// Registers are not looked at in callbacks; stores are.
const NO_REGISTERS: c_int = 0;
const STORES: c_int = 2;
const ADD: c_int = 0;

/// Counted by code that QEMU writes into the guest's, so not an atomic: the guest has one core.
static mut COUNT: u64 = 0;
static LOW: AtomicU64 = AtomicU64::new(0);
static HIGH: AtomicU64 = AtomicU64::new(0);
static LOWEST: AtomicU64 = AtomicU64::new(u64::MAX);
static STATE: Mutex<State> =
    Mutex::new(State { out: String::new(), marks: Vec::new(), counts: Vec::new(), phase: 0, since: 0 });

struct State {
    out: String,
    marks: Vec<u64>,
    counts: Vec<u64>,
    phase: usize,
    since: u64,
}

impl State {
    fn turn(&mut self, phase: usize) {
        // SAFETY: the guest's only core is in this callback, so nothing counts.
        let now = unsafe { addr_of_mut!(COUNT).read_volatile() };
        if let Some(count) = self.counts.get_mut(self.phase) {
            *count += now - self.since;
        }
        (self.phase, self.since) = (phase, now);
    }
}

extern "C" fn stored(_: u32, _: u32, address: u64, _: *mut c_void) {
    if address >= LOW.load(Relaxed) && address < HIGH.load(Relaxed) {
        LOWEST.fetch_min(address, Relaxed);
    }
}

extern "C" fn marked(_: u32, phase: *mut c_void) {
    if let Ok(mut state) = STATE.lock() {
        state.turn(phase as usize);
    }
}

extern "C" fn translated(_: u64, block: *mut Block) {
    let Ok(state) = STATE.lock() else { return };
    // SAFETY: the block is QEMU's and lives through this call, and so do its instructions.
    unsafe {
        for at in 0..qemu_plugin_tb_n_insns(block) {
            let instruction = qemu_plugin_tb_get_insn(block, at);
            let address = qemu_plugin_insn_vaddr(instruction);
            if let Some(phase) = state.marks.iter().position(|mark| *mark == address) {
                qemu_plugin_register_vcpu_insn_exec_cb(
                    instruction,
                    marked,
                    NO_REGISTERS,
                    phase as *mut c_void,
                );
            }
            if HIGH.load(Relaxed) > 0 {
                qemu_plugin_register_vcpu_mem_cb(instruction, stored, NO_REGISTERS, STORES, null_mut());
            }
            qemu_plugin_register_vcpu_insn_exec_inline(instruction, ADD, addr_of_mut!(COUNT).cast(), 1);
        }
    }
}

extern "C" fn ended(_: u64, _: *mut c_void) {
    let Ok(mut state) = STATE.lock() else { return };
    let phase = state.phase;
    state.turn(phase);
    let mut text = String::new();
    for (phase, count) in state.counts.iter().enumerate() {
        let _ = writeln!(text, "phase {phase} {count}");
    }
    if HIGH.load(Relaxed) > 0 {
        let _ = writeln!(text, "lowest {:#x}", LOWEST.load(Relaxed));
    }
    if let Err(error) = std::fs::write(&state.out, text) {
        eprintln!("counter: {}: {error}", state.out);
    }
}

fn number(text: &str) -> Option<u64> {
    u64::from_str_radix(text.trim_start_matches("0x"), 16).ok()
}

/// Called by QEMU, once.
///
/// # Safety
/// `values` are `count` strings, as QEMU gives them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qemu_plugin_install(
    id: u64,
    _: *const c_void,
    count: c_int,
    values: *const *const c_char,
) -> c_int {
    let Ok(mut state) = STATE.lock() else { return 1 };
    for at in 0..count as usize {
        // SAFETY: the caller's promise.
        let value = unsafe { CStr::from_ptr(*values.add(at)) }.to_string_lossy().into_owned();
        match value.split_once('=') {
            Some(("out", path)) => state.out = path.to_owned(),
            Some(("marks", list)) => state.marks = list.split(':').filter_map(number).collect(),
            Some(("low", address)) => LOW.store(number(address).unwrap_or(0), Relaxed),
            Some(("high", address)) => HIGH.store(number(address).unwrap_or(0), Relaxed),
            _ => {
                eprintln!("counter: {value} is none of out=, marks=, low=, high=");
                return 1;
            }
        }
    }
    state.counts = vec![0; state.marks.len().max(1)];
    // SAFETY: QEMU's functions, with QEMU's own number of this plugin.
    unsafe {
        qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
        qemu_plugin_register_atexit_cb(id, ended, null_mut());
    }
    0
}
