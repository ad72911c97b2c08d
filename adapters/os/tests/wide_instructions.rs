//! Nothing warns when a kernel behind the dispatch is compiled for the baseline after all, so this looks at the
//! machine code of its own program: the dispatched `Invert<u8>` must hold 256-bit instructions.
//!
//! `Invert<u8>` and `Stubborn` are the only stages dispatched in this program, so the functions with 256-bit registers
//! among the instances of `cpu::stage::process` can be no others.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use plimsoll_core::pipeline::{Stage, StageError, View};
use plimsoll_core::shape::{Region, SampleKind, Shape};
use plimsoll_core::strip::{Strip, StripMut};
use plimsoll_core::transform::invert::Invert;
use plimsoll_os::cpu::Dispatched;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// Does what `Invert<u8>` does, but cannot be compiled again: what a kernel without `#[inline(always)]` comes to.
struct Stubborn;

impl Stage for Stubborn {
    fn name(&self) -> &'static str {
        "stubborn"
    }
    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        Ok(input)
    }
    fn input(&self, output: Region, _input: Shape) -> Region {
        output
    }
    #[inline(never)]
    fn process(
        &self,
        view: &View,
        memory: &mut [u8],
        input: &Strip<'_>,
        output: &mut StripMut<'_>,
    ) -> Result<(), StageError> {
        Invert::<u8>::new().process(view, memory, input, output)
    }
}

/// Inverts a row through the object that a pipeline holds.
fn run(stage: &dyn Stage) {
    let shape = Shape::new(1, 1000, 1, SampleKind::U8);
    let region = shape.region();
    let view = View { input_shape: shape, output_shape: shape, input: region, output: region };
    let from: Vec<u8> = (0..1000).map(|x| x as u8).collect();
    let mut to = vec![0; 1000];
    let input = Strip::new(&from, region, shape).unwrap();
    stage.process(&view, &mut [], &input, &mut StripMut::new(&mut to, region, shape).unwrap()).unwrap();
    assert!(to.iter().zip(&from).all(|(to, from)| *to == !from));
}

/// Instructions with 256-bit registers in each function whose name has all of `words`, by `objdump`.
fn wide_instructions(words: &[&str]) -> Option<Vec<(String, usize)>> {
    let mut objdump = Command::new("objdump")
        .args(["--disassemble", "--demangle", "--no-show-raw-insn", "--section=.text"])
        .arg(std::env::current_exe().unwrap())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut functions: Vec<(String, usize)> = Vec::new();
    let mut inside = false;
    for line in BufReader::new(objdump.stdout.take().unwrap()).split(b'\n') {
        let line = String::from_utf8_lossy(&line.unwrap()).into_owned();
        if let Some(name) = line.strip_suffix(">:") {
            inside = words.iter().all(|word| name.contains(word));
            if inside {
                functions.push((name.to_string(), 0));
            }
        } else if let Some((_, count)) = functions.last_mut().filter(|_| inside && line.contains("%ymm")) {
            *count += 1;
        }
    }
    assert!(objdump.wait().unwrap().success());
    Some(functions)
}

#[test]
fn the_dispatched_kernel_has_wide_instructions() {
    let invert: Box<dyn Stage> = Box::new(Dispatched::new(Invert::<u8>::new()));
    let stubborn: Box<dyn Stage> = Box::new(Dispatched::new(Stubborn));
    run(invert.as_ref());
    run(stubborn.as_ref());
    let Some(instances) = wide_instructions(&["plimsoll_os::cpu::stage::process"]) else {
        println!("skipped: objdump is not installed, so there is nothing to look at the machine code with");
        return;
    };
    println!("{instances:#?}");
    let wide = instances.iter().filter(|(_, count)| *count > 0).count();
    assert_eq!(wide, 1, "one dispatched kernel is wide: {instances:#?}");
    // The gate can tell: where inlining is forbidden, the kernel is baseline code.
    let stubborn = wide_instructions(&["Stubborn", "process"]).unwrap();
    assert!(!stubborn.is_empty() && stubborn.iter().all(|(_, count)| *count == 0), "{stubborn:#?}");
}
