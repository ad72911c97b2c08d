//! Plain bits, lowest first: each decision is one bit, whatever its probability.

use super::arith::prob::Prob;
use super::coder::{Coder, Ends};

/// Bits that are not yet bytes, and where the bytes go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BitState {
    /// Bits below `count` are in flight.
    held: u32,
    count: u32,
    pub(crate) at: u32,
    /// Whether a byte had no room, or was not there.
    pub(crate) over: bool,
}

impl BitState {
    pub(crate) const fn at(at: usize) -> Self {
        BitState { held: 0, count: 0, at: at as u32, over: false }
    }

    /// Where the bytes end if nothing more comes.
    pub(crate) fn end(&self) -> usize {
        self.at as usize + usize::from(self.count > 0)
    }
}

/// Writes bits to `out`.
pub(crate) struct BitWriter<'a> {
    pub(crate) state: BitState,
    pub(crate) out: &'a mut [u8],
}

impl<'a> BitWriter<'a> {
    pub(crate) fn new(state: BitState, out: &'a mut [u8]) -> Self {
        BitWriter { state, out }
    }

    /// Zeros up to the next whole byte.
    pub(crate) fn align(&mut self) {
        if self.state.count > 0 {
            self.state.count = 8;
            self.whole();
        }
    }

    #[inline(always)]
    fn whole(&mut self) {
        while self.state.count >= 8 {
            match self.out.get_mut(self.state.at as usize) {
                Some(place) => *place = self.state.held as u8,
                None => self.state.over = true,
            }
            self.state.at += 1;
            self.state.held >>= 8;
            self.state.count -= 8;
        }
    }

    /// Whole bytes; the bits before them must be whole bytes, too.
    #[inline(always)]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        let at = self.state.at as usize;
        match self.out.get_mut(at..at + bytes.len()) {
            Some(place) => place.copy_from_slice(bytes),
            None => self.state.over = true,
        }
        self.state.at += bytes.len() as u32;
    }

    /// The first `used` of eight bytes, in one go where there is room.
    #[inline(always)]
    pub(crate) fn word(&mut self, word: u64, used: usize) {
        let at = self.state.at as usize;
        let bytes = word.to_le_bytes();
        match self.out.get_mut(at..at + 8) {
            Some(place) => {
                place.copy_from_slice(&bytes);
                self.state.at += used as u32;
            }
            None => self.bytes(bytes.get(..used).unwrap_or_default()),
        }
    }
}

impl Coder for BitWriter<'_> {
    const WRITES: bool = true;
    const PLAIN: bool = true;

    #[inline(always)]
    fn bit(&mut self, _: &mut Prob, bit: bool) -> bool {
        self.raw(u32::from(bit), 1) == 1
    }

    #[inline(always)]
    fn raw(&mut self, value: u32, bits: u32) -> u32 {
        self.state.held |= value << self.state.count;
        self.state.count += bits;
        self.whole();
        value
    }
}

/// Reads bits from `payload`; after its end there are zeros.
pub(crate) struct BitReader<'a> {
    pub(crate) state: BitState,
    payload: &'a [u8],
}

impl<'a> BitReader<'a> {
    pub(crate) fn new(state: BitState, payload: &'a [u8]) -> Self {
        BitReader { state, payload }
    }

    /// Goes on at the next whole byte.
    pub(crate) fn align(&mut self) {
        (self.state.held, self.state.count) = (0, 0);
    }
}

impl Coder for BitReader<'_> {
    const WRITES: bool = false;
    const PLAIN: bool = true;

    #[inline(always)]
    fn bit(&mut self, _: &mut Prob, _: bool) -> bool {
        self.raw(0, 1) == 1
    }

    #[inline(always)]
    fn raw(&mut self, _: u32, bits: u32) -> u32 {
        while self.state.count < bits {
            let byte = self.payload.get(self.state.at as usize).copied();
            self.state.over |= byte.is_none();
            self.state.held |= u32::from(byte.unwrap_or(0)) << self.state.count;
            self.state.at = self.state.at.saturating_add(1);
            self.state.count += 8;
        }
        let value = self.state.held & ((1 << bits) - 1);
        self.state.held >>= bits;
        self.state.count -= bits;
        value
    }
}

/// Both ends.
#[derive(Clone, Copy, Debug)]
pub struct BitEnds;

impl Ends for BitEnds {
    type WriteState = BitState;
    type ReadState = BitState;
    type Writer<'a> = BitWriter<'a>;
    type Reader<'a> = BitReader<'a>;

    fn write_at(at: usize) -> BitState {
        BitState::at(at)
    }

    fn end_bound(state: &BitState) -> usize {
        state.end()
    }

    #[inline(always)]
    fn writer(state: BitState, out: &mut [u8]) -> BitWriter<'_> {
        BitWriter::new(state, out)
    }

    #[inline(always)]
    fn written(writer: &BitWriter<'_>) -> (BitState, bool) {
        (writer.state, !writer.state.over)
    }

    fn finish(mut writer: BitWriter<'_>, _: usize) -> Option<usize> {
        writer.align();
        (!writer.state.over).then_some(writer.state.end())
    }

    fn read(_: &[u8]) -> BitState {
        BitState::at(0)
    }

    #[inline(always)]
    fn reader(state: BitState, payload: &[u8]) -> BitReader<'_> {
        BitReader::new(state, payload)
    }

    #[inline(always)]
    fn read_so_far(reader: &BitReader<'_>) -> BitState {
        reader.state
    }
}
