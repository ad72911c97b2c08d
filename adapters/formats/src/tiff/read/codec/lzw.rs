//! LZW as TIFF 6.0 section 13 has it, and in the bit order that was usual before.
//!
//! Our own, as rows of noisy pictures are mostly strings of one to three bytes and the time goes into single codes:
//! here a string of up to eight bytes is one table entry and one write. Invariant: entries below `next` are complete,
//! their links lead to smaller codes, and nothing from `next` on is ever looked at.

use super::{Progress, Trouble};

const CLEAR: usize = 256;
const END: usize = 257;
const FIRST: usize = 258;
const ENTRIES: usize = 4096;
const LEAST_BITS: u32 = 9;
const MOST_BITS: u32 = 12;

/// Bytes of a string that one entry holds.
const BLOCK: usize = 8;

/// A decoder that keeps its tables from unit to unit.
pub(in crate::tiff::read) struct Lzw {
    strings: Box<Strings>,
    /// Least significant bit first, codes grow when they must; otherwise most significant first, one entry early.
    old: bool,
    /// Bits of the input that are not yet used, at the end where the next code begins; zero beyond `held`.
    bits: u64,
    held: u32,
    /// Bits of the next code.
    width: u32,
    /// The entry that the next code completes.
    next: usize,
    /// The code before, none after a clear code.
    last: Option<usize>,
    /// A string that did not fit the output, and how much of it was written.
    owed: Option<(usize, usize)>,
    ended: bool,
}

/// The strings of all codes. A string is a chain of blocks: the entry holds the last one, of 1 to 8 bytes, and the code
/// of the string before it, whose blocks are full.
struct Strings {
    /// The last block, first byte in the lowest bits.
    blocks: [u64; ENTRIES],
    facts: [Fact; ENTRIES],
}

/// What is known of a string, in one word: 12 bits of the code before its last block, 12 bits of its length, and its
/// first byte. The longest string has 4096 - 258 + 1 bytes.
#[derive(Clone, Copy)]
struct Fact(u32);

impl Fact {
    #[inline(always)]
    fn link(self) -> usize {
        self.0 as usize % ENTRIES
    }

    #[inline(always)]
    fn len(self) -> usize {
        (self.0 >> 12) as usize % ENTRIES
    }

    #[inline(always)]
    fn first(self) -> u8 {
        (self.0 >> 24) as u8
    }

    /// Of the string of code `of`, one byte longer.
    #[inline(always)]
    fn longer(self, of: usize) -> Self {
        let link = if self.len().is_multiple_of(BLOCK) { of } else { self.link() };
        Self((self.0 & 0xff00_0000) | (self.len() as u32 + 1) << 12 | link as u32)
    }
}

impl Strings {
    /// Entry `next` is the string of `last` and one more byte.
    #[inline(always)]
    fn push(&mut self, next: usize, last: usize, byte: u8) {
        let fact = self.facts[last % ENTRIES];
        let filled = fact.len() % BLOCK;
        let before = if filled == 0 { 0 } else { self.blocks[last % ENTRIES] };
        self.blocks[next % ENTRIES] = before | u64::from(byte) << (8 * filled);
        self.facts[next % ENTRIES] = fact.longer(last % ENTRIES);
    }

    #[inline(always)]
    fn fact(&self, code: usize) -> Fact {
        self.facts[code % ENTRIES]
    }

    /// Writes the string of `code`, `len` bytes, into `into`, which has room for a block more.
    #[inline(always)]
    fn write(&self, mut code: usize, len: usize, into: &mut [u8]) {
        let mut at = len.saturating_sub(1) / BLOCK * BLOCK;
        loop {
            if let Some(block) = into.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
                *block = self.blocks[code % ENTRIES].to_le_bytes();
            }
            if at == 0 {
                return;
            }
            at -= BLOCK;
            code = self.fact(code).link();
        }
    }

    /// Writes the string of `code` from byte `from` on, as much as fits. Returns how much that is.
    fn write_part(&self, mut code: usize, from: usize, into: &mut [u8]) -> usize {
        let len = self.fact(code).len();
        let end = len.min(from + into.len());
        let mut at = len.saturating_sub(1) / BLOCK * BLOCK;
        loop {
            let block = self.blocks[code % ENTRIES].to_le_bytes();
            for (byte, place) in block.iter().zip(at..) {
                if (from..end).contains(&place) {
                    into[place - from] = *byte;
                }
            }
            if at <= from {
                return end.saturating_sub(from);
            }
            at -= BLOCK;
            code = self.fact(code).link();
        }
    }
}

impl Lzw {
    /// Bytes of its tables on the heap, all taken when it is made. `tests/tiff_memory.rs` proves it.
    pub(super) const HEAP_BYTES: u64 = size_of::<Strings>() as u64;

    /// A decoder for TIFF 6.0.
    pub(super) fn new() -> Self {
        Self::with_order(false)
    }

    /// A decoder for the order of bits that was usual before TIFF 6.0.
    pub(super) fn old() -> Self {
        Self::with_order(true)
    }

    fn with_order(old: bool) -> Self {
        let mut strings = Box::new(Strings { blocks: [0; ENTRIES], facts: [Fact(0); ENTRIES] });
        for byte in 0..=u8::MAX {
            let code = usize::from(byte);
            strings.blocks[code] = u64::from(byte);
            strings.facts[code] = Fact(u32::from(byte) << 24 | 1 << 12);
        }
        Self {
            strings,
            old,
            bits: 0,
            held: 0,
            width: LEAST_BITS,
            next: FIRST,
            last: None,
            owed: None,
            ended: false,
        }
    }

    pub(super) fn reset(&mut self) {
        (self.width, self.next, self.last) = (LEAST_BITS, FIRST, None);
        (self.bits, self.held) = (0, 0);
        (self.owed, self.ended) = (None, false);
    }

    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, Trouble> {
        match self.old {
            true => self.run::<true>(input, output),
            false => self.run::<false>(input, output),
        }
    }

    fn run<const OLD: bool>(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, Trouble> {
        let (mut read, mut written) = (0, 0);
        if let Some((code, from)) = self.owed.take() {
            written = self.strings.write_part(code, from, output);
            if from + written < self.strings.fact(code).len() {
                self.owed = Some((code, from + written));
            }
        }
        // Locals, so that they stay in registers.
        let (mut bits, mut held, mut width) = (self.bits, self.held, self.width);
        let (mut next, mut last) = (self.next, self.last);
        while written < output.len() && !self.ended {
            if held < width {
                read += refill::<OLD>(&mut bits, &mut held, &input[read..]);
                if held < width {
                    break;
                }
            }
            let code = if OLD { bits & ((1 << width) - 1) } else { bits >> (64 - width) } as usize;
            bits = if OLD { bits >> width } else { bits << width };
            held -= width;
            if code == CLEAR {
                (width, next, last) = (LEAST_BITS, FIRST, None);
                continue;
            }
            if code == END {
                self.ended = true;
                break;
            }
            match last {
                None if code > END => return Err(Trouble::Damaged),
                None => {}
                Some(last) => {
                    if code > next {
                        return Err(Trouble::Damaged);
                    }
                    if next < ENTRIES {
                        // A code that is only just being defined repeats the first byte of the one before.
                        let from = if code == next { last } else { code };
                        self.strings.push(next, last, self.strings.fact(from).first());
                        next += 1;
                        let grows = next >= (1 << width) - usize::from(!OLD);
                        width += u32::from(grows && width < MOST_BITS);
                    }
                }
            }
            last = Some(code);
            let len = self.strings.fact(code).len();
            let room = &mut output[written..];
            if room.len() >= len + BLOCK {
                self.strings.write(code, len, room);
                written += len;
            } else {
                let part = self.strings.write_part(code, 0, room);
                written += part;
                if part < len {
                    self.owed = Some((code, part));
                }
            }
        }
        (self.bits, self.held, self.width) = (bits, held, width);
        (self.next, self.last) = (next, last);
        Ok(Progress { read, written, ended: self.ended })
    }
}

/// Takes as many whole bytes of the input as fit beside the bits that are held, fewer than a code. Returns how many.
#[inline(always)]
fn refill<const OLD: bool>(bits: &mut u64, held: &mut u32, input: &[u8]) -> usize {
    let room = ((64 - *held) / 8) as usize;
    if let Some(bytes) = input.first_chunk::<8>() {
        // Eight bytes at once, cut to those that fit whole.
        let taken = room as u32 * 8;
        if OLD {
            let fresh = u64::from_le_bytes(*bytes) & (u64::MAX >> (64 - taken));
            *bits |= fresh << *held;
        } else {
            let fresh = u64::from_be_bytes(*bytes) >> (64 - taken) << (64 - taken);
            *bits |= fresh >> *held;
        }
        *held += taken;
        return room;
    }
    let taken = room.min(input.len());
    for byte in &input[..taken] {
        *bits |= if OLD { u64::from(*byte) << *held } else { u64::from(*byte) << (56 - *held) };
        *held += 8;
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use weezl::BitOrder;
    use weezl::encode::Encoder;

    /// Decodes `packed` in pieces of the given sizes.
    fn decoded(
        mut codec: Lzw,
        packed: &[u8],
        len: usize,
        read: usize,
        write: usize,
    ) -> Result<Vec<u8>, Trouble> {
        let (mut output, mut at) = (Vec::new(), 0);
        loop {
            let mut piece = vec![0x55; write.min(len - output.len())];
            let end = packed.len().min(at + read);
            let progress = codec.step(&packed[at..end], &mut piece)?;
            at += progress.read;
            output.extend_from_slice(&piece[..progress.written]);
            let stuck = progress.read + progress.written == 0;
            if output.len() == len || progress.ended || stuck {
                return Ok(output);
            }
        }
    }

    /// The words of `weezl`'s encoder in both orders come out for any cut.
    fn check(bytes: &[u8], read: usize, write: usize) {
        let packed =
            Encoder::with_tiff_size_switch(BitOrder::Msb, 8).encode(bytes).expect("bytes can be coded");
        assert_eq!(decoded(Lzw::new(), &packed, bytes.len(), read, write).as_deref(), Ok(bytes));
        let packed = Encoder::new(BitOrder::Lsb, 8).encode(bytes).expect("bytes can be coded");
        assert_eq!(decoded(Lzw::old(), &packed, bytes.len(), read, write).as_deref(), Ok(bytes));
    }

    #[test]
    fn the_standards_example_is_decoded() {
        // TIFF 6.0 section 13: the codes 256 7 258 8 8 258 6 6 257 stand for the bytes 7 7 7 8 8 7 7 6 6.
        let codes = [256u64, 7, 258, 8, 8, 258, 6, 6, 257];
        let bits: String = codes.iter().map(|code| format!("{code:09b}")).collect();
        let packed: Vec<u8> = bits
            .as_bytes()
            .chunks(8)
            .map(|byte| byte.iter().enumerate().fold(0, |sum, (at, bit)| sum | (bit - b'0') << (7 - at)))
            .collect();
        for (read, write) in [(1, 1), (2, 3), (100, 100)] {
            let output = decoded(Lzw::new(), &packed, 9, read, write);
            assert_eq!(output.as_deref(), Ok(&[7, 7, 7, 8, 8, 7, 7, 6, 6][..]));
        }
    }

    #[test]
    fn long_strings_and_full_tables_come_out() {
        let mut seed = 1u32;
        let noise: Vec<u8> = (0..20_000)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 24) as u8
            })
            .collect();
        for (read, write) in [(1, 1), (3, 7), (64, 1000), (usize::MAX >> 1, usize::MAX >> 1)] {
            check(&vec![9; 100_000], read, write);
            check(&noise, read, write);
            check(&[&noise[..5000], &[0; 30_000], &noise[..9000]].concat(), read, write);
        }
    }

    proptest! {
        #[test]
        fn what_was_encoded_comes_out(
            bytes in prop::collection::vec(prop_oneof![0u8..3, any::<u8>()], 1..3000),
            read in 1usize..40,
            write in 1usize..40,
        ) {
            check(&bytes, read, write);
        }

        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..400), old in any::<bool>(), write in 1usize..40) {
            let codec = if old { Lzw::old() } else { Lzw::new() };
            let _ = decoded(codec, &bytes, 100_000, 7, write);
        }
    }
}
