//! Room for all of core at once: these images are linked and never run.

use std::{env, fs, path::PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says it"));
    let memory = "MEMORY {\n  FLASH : ORIGIN = 0, LENGTH = 4M\n  RAM : ORIGIN = 0x20000000, LENGTH = 4M\n}\n";
    fs::write(folder.join("memory.x"), memory).expect("the folder is there");
    println!("cargo:rustc-link-search={}", folder.display());
}
