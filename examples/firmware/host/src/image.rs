//! What is in an image: section sizes as `size` counts them, and symbols.

use crate::Failure;
use object::{Object, ObjectSection, ObjectSymbol, SectionFlags, elf};
use std::fs;
use std::path::Path;

/// Prints `text T`, `data D` and `bss B`, in bytes. The linker's reserves for stack and heap are none of them.
pub(crate) fn sizes(path: &Path) -> Result<(), Failure> {
    let bytes = fs::read(path)?;
    let file = object::File::parse(&*bytes)?;
    let (mut text, mut data, mut bss) = (0, 0, 0);
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags } = section.flags() else { continue };
        let reserve = matches!(section.name()?, ".stack" | ".heap");
        if sh_flags & u64::from(elf::SHF_ALLOC) == 0 || reserve {
            continue;
        }
        let writes = sh_flags & u64::from(elf::SHF_WRITE) != 0;
        let total = match section.kind() {
            object::SectionKind::UninitializedData => &mut bss,
            _ if writes => &mut data,
            _ => &mut text,
        };
        *total += section.size();
    }
    println!("text {text}\ndata {data}\nbss {bss}");
    Ok(())
}

/// Prints the address (of functions without the bit that says Thumb) and the name of every symbol.
pub(crate) fn symbols(path: &Path) -> Result<(), Failure> {
    let bytes = fs::read(path)?;
    let file = object::File::parse(&*bytes)?;
    for symbol in file.symbols() {
        let odd = u64::from(
            symbol.kind() == object::SymbolKind::Text && file.architecture() == object::Architecture::Arm,
        );
        println!("{:#x} {}", symbol.address() & !odd, symbol.name().unwrap_or("?"));
    }
    Ok(())
}
