//! A flash that fights back: it cuts the power at any byte, leaves weak bits behind, has bad sectors, counts what it
//! does, and panics when it is used against the rules.

use plimsoll_core::journal::{Flash, Geometry};
use std::cell::Cell;
use std::rc::Rc;

/// A small generator of numbers (SplitMix64): the same on every machine.
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// What a cut leaves of the operation under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The bytes before the cut, and nothing of those behind.
    Clean,
    /// The bytes before the cut, and of the word at the cut each bit or not.
    Torn,
    /// As torn, and the bits of that word read either way from now on.
    WeakWord,
    /// Every bit of the operation that would change reads either way.
    WeakAll,
    /// Every word of the operation is done, untouched, torn or weak, in no order.
    Scattered,
}

pub(crate) const CUTS: [Cut; 5] = [Cut::Clean, Cut::Torn, Cut::WeakWord, Cut::WeakAll, Cut::Scattered];

/// Why the flash did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The power is off.
    Off,
    /// The sector is bad.
    Bad,
    /// Weak bits in a word that the device checks.
    Ecc,
}

#[derive(Clone, Debug)]
pub(crate) struct SimFlash {
    geometry: Geometry,
    cells: Vec<u8>,
    /// Bits that read either way.
    weak: Vec<u8>,
    /// Whether a word was programmed since its last erase, even by an attempt that cannot be seen.
    touched: Vec<bool>,
    pub(crate) dice: Dice,
    /// Bytes that can still change until the power goes.
    pub(crate) fuel: Option<u64>,
    pub(crate) cut: Cut,
    /// Whether a word with weak bits is an error to read.
    pub(crate) ecc: bool,
    /// Shared with whoever watches, and with every clone.
    pub(crate) off: Rc<Cell<bool>>,
    pub(crate) bad_erase: Vec<bool>,
    pub(crate) bad_program: Vec<bool>,
    pub(crate) bad_read: Vec<bool>,
    pub(crate) erases: Vec<u32>,
    /// Shared, too.
    pub(crate) reads: Rc<Cell<u64>>,
    pub(crate) programs: Rc<Cell<u64>>,
    pub(crate) changed_bytes: u64,
}

impl SimFlash {
    pub(crate) fn new(sectors: u32, sector_bytes: u32, word_bytes: u32, erased: u8, seed: u64) -> Self {
        let capacity_bytes = sectors * sector_bytes;
        let geometry = Geometry { capacity_bytes, sector_bytes, word_bytes, erased };
        let mut dice = Dice(seed);
        let sectors = sectors as usize;
        Self {
            geometry,
            // As it comes: whatever was there before.
            cells: (0..capacity_bytes).map(|_| dice.next() as u8).collect(),
            weak: vec![0; capacity_bytes as usize],
            touched: vec![true; (capacity_bytes / word_bytes) as usize],
            dice,
            fuel: None,
            cut: Cut::Clean,
            ecc: false,
            off: Rc::default(),
            bad_erase: vec![false; sectors],
            bad_program: vec![false; sectors],
            bad_read: vec![false; sectors],
            erases: vec![0; sectors],
            reads: Rc::default(),
            programs: Rc::default(),
            changed_bytes: 0,
        }
    }

    /// The power is back.
    pub(crate) fn power_on(&mut self) {
        self.off.set(false);
        self.fuel = None;
    }

    /// Makes a bit read either way, as a cut would leave it.
    pub(crate) fn weaken(&mut self, byte: usize, bits: u8) {
        self.weak[byte] |= bits;
    }

    fn sector(&self, offset: u32) -> usize {
        (offset / self.geometry.sector_bytes) as usize
    }

    /// How many of `len` bytes are changed before the power goes.
    fn burn(&mut self, len: usize) -> usize {
        let Some(fuel) = self.fuel else { return len };
        let done = fuel.min(len as u64);
        self.fuel = Some(fuel - done);
        self.off.set(done < len as u64);
        done as usize
    }

    /// Leaves the bytes from `start` on as a cut after `done` of them does, on the way to `target`.
    fn tear(&mut self, start: usize, target: &[u8], done: usize) {
        let word = self.geometry.word_bytes as usize;
        for (word_index, wanted) in target.chunks(word).enumerate() {
            let begin = word_index * word;
            let here = (begin..begin + word).contains(&done);
            // 0 done, 1 untouched, 2 torn, 3 weak
            let fate = match self.cut {
                Cut::WeakAll => 3,
                Cut::Scattered => self.dice.below(4),
                Cut::Torn if here => 2,
                Cut::WeakWord if here => 3,
                _ if begin + word <= done => 0,
                _ if here => 4,
                _ => 1,
            };
            for (at, want) in wanted.iter().enumerate() {
                let cell = start + begin + at;
                let changes = self.cells[cell] ^ want | self.weak[cell];
                let noise = self.dice.next() as u8;
                let before_cut = begin + at < done;
                match fate {
                    0 => (self.cells[cell], self.weak[cell]) = (*want, 0),
                    4 if before_cut => (self.cells[cell], self.weak[cell]) = (*want, 0),
                    2 => self.cells[cell] ^= changes & noise & (self.cells[cell] ^ want),
                    3 => self.weak[cell] |= changes,
                    _ => {}
                }
            }
        }
    }
}

impl Flash for SimFlash {
    type Error = Fault;

    fn geometry(&self) -> Geometry {
        self.geometry
    }

    fn read(&mut self, offset: u32, into: &mut [u8]) -> Result<(), Fault> {
        let word = self.geometry.word_bytes;
        assert!(
            offset.is_multiple_of(word) && (into.len() as u32).is_multiple_of(word),
            "a read of part of a word"
        );
        assert!(offset as usize + into.len() <= self.cells.len(), "a read past the end");
        self.reads.set(self.reads.get() + 1);
        if self.off.get() {
            return Err(Fault::Off);
        }
        if self.bad_read[self.sector(offset)] {
            return Err(Fault::Bad);
        }
        let mut weak = false;
        for (at, byte) in into.iter_mut().enumerate() {
            let cell = offset as usize + at;
            *byte = self.cells[cell];
            if self.weak[cell] != 0 {
                weak = true;
                *byte ^= self.weak[cell] & self.dice.next() as u8;
            }
        }
        if weak && self.ecc { Err(Fault::Ecc) } else { Ok(()) }
    }

    fn program(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Fault> {
        let word = self.geometry.word_bytes;
        assert!(offset.is_multiple_of(word), "a program at {offset}, which is no word boundary");
        assert!(
            (bytes.len() as u32).is_multiple_of(word) && !bytes.is_empty(),
            "a program of part of a word"
        );
        if self.off.get() {
            return Err(Fault::Off);
        }
        self.programs.set(self.programs.get() + 1);
        let start = offset as usize;
        let words = start / word as usize..(start + bytes.len()) / word as usize;
        for index in words.clone() {
            assert!(!self.touched[index], "word {index} is programmed twice between two erases");
        }
        for cell in start..start + bytes.len() {
            assert!(
                self.cells[cell] == self.geometry.erased && self.weak[cell] == 0,
                "byte {cell} is not erased"
            );
        }
        let done = self.burn(bytes.len());
        self.changed_bytes += bytes.len() as u64;
        self.touched[words].fill(true);
        if self.off.get() {
            self.tear(start, bytes, done);
            return Err(Fault::Off);
        }
        if self.bad_program[self.sector(offset)] {
            // Half of it sticks; sometimes the device does not even notice.
            self.cells[start..start + bytes.len() / 2].copy_from_slice(&bytes[..bytes.len() / 2]);
            return if self.dice.one_in(2) { Err(Fault::Bad) } else { Ok(()) };
        }
        self.cells[start..start + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn erase(&mut self, offset: u32) -> Result<(), Fault> {
        let Geometry { sector_bytes, word_bytes, erased, .. } = self.geometry;
        assert!(offset.is_multiple_of(sector_bytes), "an erase at {offset}, which is no sector");
        if self.off.get() {
            return Err(Fault::Off);
        }
        let (start, len) = (offset as usize, sector_bytes as usize);
        let sector = self.sector(offset);
        self.erases[sector] += 1;
        let done = self.burn(len);
        self.changed_bytes += len as u64;
        let words = start / word_bytes as usize..(start + len) / word_bytes as usize;
        if self.off.get() {
            self.touched[words].fill(true);
            self.tear(start, &vec![erased; len], done);
            return Err(Fault::Off);
        }
        if self.bad_erase[sector] {
            // It stays as it was, or keeps a few bits; sometimes the device does not notice.
            if self.dice.one_in(2) {
                self.cells[start..start + len].fill(erased);
                self.cells[start + len / 2] = !erased;
                self.touched[words].fill(true);
            }
            return if self.dice.one_in(2) { Err(Fault::Bad) } else { Ok(()) };
        }
        self.cells[start..start + len].fill(erased);
        self.weak[start..start + len].fill(0);
        self.touched[words].fill(false);
        Ok(())
    }
}
