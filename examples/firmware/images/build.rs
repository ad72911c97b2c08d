//! The memory of the board that BOARD names, as the linker wants it.

use std::{env, fs, path::PathBuf};

/// Where flash and RAM of a board begin, and their KiB. Boards whose emulation has far more are held to 256 and 64.
fn memory(board: &str) -> (u32, u32, u32, u32) {
    match board {
        "lm3s6965evb" => (0, 256, 0x2000_0000, 64),
        "microbit" => (0, 256, 0x2000_0000, 16),
        "mps2-an386" => (0, 256, 0x2000_0000, 64),
        "virt" => (0x8000_0000, 256, 0x8004_0000, 64),
        other => panic!("BOARD is {other}, but none of lm3s6965evb, microbit, mps2-an386, virt"),
    }
}

fn main() {
    println!("cargo:rerun-if-env-changed=BOARD");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(small_ram)");
    let target = env::var("TARGET").expect("cargo says it");
    let usual = match target.as_str() {
        "thumbv6m-none-eabi" => "microbit",
        "thumbv7m-none-eabi" => "lm3s6965evb",
        "thumbv7em-none-eabihf" => "mps2-an386",
        _ => "virt",
    };
    let board = env::var("BOARD").unwrap_or_else(|_| usual.to_owned());
    let (flash, flash_kib, ram, ram_kib) = memory(&board);
    let mut script = format!(
        "MEMORY {{\n  FLASH : ORIGIN = {flash:#x}, LENGTH = {flash_kib}K\n  RAM : ORIGIN = {ram:#x}, LENGTH = {ram_kib}K\n}}\n"
    );
    if target.starts_with("riscv") {
        for (region, memory) in [
            ("TEXT", "FLASH"),
            ("RODATA", "FLASH"),
            ("DATA", "RAM"),
            ("BSS", "RAM"),
            ("HEAP", "RAM"),
            ("STACK", "RAM"),
        ] {
            script += &format!("REGION_ALIAS(\"REGION_{region}\", {memory});\n");
        }
    }
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says it"));
    fs::write(folder.join("memory.x"), script).expect("the folder is there");
    println!("cargo:rustc-link-search={}", folder.display());
    // Every image logs, but the one that proves that it cannot panic.
    for image in [
        "frame",
        "logger",
        "interrupts",
        "survey",
        "series_small",
        "series_narrow",
        "series_lean",
        "series_large",
        "series_rice",
        "series_pack",
        "stack",
    ] {
        println!("cargo:rustc-link-arg-bin={image}=-Tdefmt.x");
    }
    if ram_kib < 64 {
        println!("cargo:rustc-cfg=small_ram");
    }
}
