//! Huffman codes and the bits they come in (ITU-T T.81 sections C and F.2.2).

use super::Trouble;

/// Codes up to this long are found in one step.
const QUICK_BITS: u32 = 9;

/// A table of codes.
pub(super) struct Codes {
    /// By the next bits: length and value of the code that begins so; zero where it is longer.
    quick: [u16; 1 << QUICK_BITS],
    /// The code behind the last one of each length, moved to 16 bits.
    ends: [u32; 17],
    /// What added to a code of a length gives its place among the values.
    places: [i32; 17],
    values: [u8; 256],
    count: usize,
}

impl Codes {
    /// A table without codes.
    pub(super) const EMPTY: Self =
        Self { quick: [0; 1 << QUICK_BITS], ends: [0; 17], places: [0; 17], values: [0; 256], count: 0 };

    /// Whether there is no code.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Forgets all codes.
    pub(super) fn clear(&mut self) {
        *self = Self::EMPTY;
    }

    /// Reads a table from the start of a segment: how many codes of each length, then their values. Returns the
    /// bytes it had.
    pub(super) fn read(&mut self, segment: &[u8]) -> Result<usize, Trouble> {
        let (lengths, rest) = segment.split_first_chunk::<16>().ok_or(Trouble::Damaged)?;
        let count = lengths.iter().map(|n| usize::from(*n)).sum::<usize>();
        let values = rest.get(..count).filter(|values| values.len() <= 256).ok_or(Trouble::Damaged)?;
        self.clear();
        self.count = count;
        self.values[..count].copy_from_slice(values);
        let (mut code, mut at) = (0u32, 0);
        for (bits, codes) in (1..=16u32).zip(lengths) {
            self.places[bits as usize] = at as i32 - code as i32;
            for _ in 0..*codes {
                if code >= 1 << bits {
                    return Err(Trouble::Damaged);
                }
                if bits <= QUICK_BITS {
                    let unused = QUICK_BITS - bits;
                    let entry = (bits as u16) << 8 | u16::from(self.values[at]);
                    self.quick[(code << unused) as usize..((code + 1) << unused) as usize].fill(entry);
                }
                (code, at) = (code + 1, at + 1);
            }
            self.ends[bits as usize] = code << (16 - bits);
            code <<= 1;
        }
        Ok(16 + count)
    }
}

/// The bits between two markers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bits {
    /// The next bits, at the high end; zero beyond `held`.
    window: u64,
    held: u32,
}

impl Bits {
    /// Takes bytes from `input`, from `at` on, up to a marker.
    #[inline]
    fn refill(&mut self, input: &[u8], at: &mut usize) {
        while self.held <= 56 {
            let Some(byte) = input.get(*at) else { return };
            *at += match (byte, input.get(*at + 1)) {
                (0xff, Some(0)) => 2,
                (0xff, _) => return,
                _ => 1,
            };
            self.window |= u64::from(*byte) << (56 - self.held);
            self.held += 8;
        }
    }

    #[inline]
    fn take(&mut self, bits: u32) -> Result<(), Trouble> {
        if bits > self.held {
            return Err(Trouble::Damaged);
        }
        self.window <<= bits;
        self.held -= bits;
        Ok(())
    }

    /// The value of the next code.
    #[inline]
    fn code(&mut self, codes: &Codes) -> Result<u8, Trouble> {
        let quick = codes.quick[(self.window >> (64 - QUICK_BITS)) as usize];
        if quick != 0 {
            self.take(u32::from(quick >> 8))?;
            return Ok(quick as u8);
        }
        let next = (self.window >> 48) as u32;
        for bits in QUICK_BITS + 1..=16 {
            if next < codes.ends[bits as usize] {
                let place = (next >> (16 - bits)) as i32 + codes.places[bits as usize];
                self.take(bits)?;
                let value = usize::try_from(place).ok().and_then(|place| codes.values.get(place));
                return value.copied().ok_or(Trouble::Damaged);
            }
        }
        Err(Trouble::Damaged)
    }

    /// A number of `bits` bits whose first bit tells its sign (T.81 section F.2.2.1).
    #[inline]
    fn signed(&mut self, bits: u32) -> Result<i32, Trouble> {
        if bits == 0 {
            return Ok(0);
        }
        let value = (self.window >> (64 - bits)) as i32;
        self.take(bits)?;
        let negative = value >> (bits - 1) == 0;
        Ok(if negative { value - (1 << bits) + 1 } else { value })
    }

    /// Decodes a block of coefficients, times their steps, into `block`, which is zero. `dc` is that of the block
    /// before. Returns whether there is anything beside the first coefficient.
    pub(super) fn block(
        &mut self,
        (input, at): (&[u8], &mut usize),
        (dc_codes, ac_codes): (&Codes, &Codes),
        steps: &[u16; 64],
        dc: &mut i32,
        block: &mut [i32; 64],
    ) -> Result<bool, Trouble> {
        self.refill(input, at);
        let bits = u32::from(self.code(dc_codes)?);
        if bits > 15 {
            return Err(Trouble::Damaged);
        }
        *dc = dc.wrapping_add(self.signed(bits)?);
        block[0] = scaled(*dc, steps[0]);
        let (mut place, mut any) = (1, false);
        while place < 64 {
            // A code and its number have at most 31 bits.
            self.refill(input, at);
            let code = self.code(ac_codes)?;
            let (zeros, bits) = (usize::from(code >> 4), u32::from(code & 15));
            if bits == 0 {
                if zeros < 15 {
                    break;
                }
                place += 16;
                continue;
            }
            place += zeros;
            let value = self.signed(bits)?;
            let (Some(natural), Some(step)) = (ORDER.get(place), steps.get(place)) else {
                return Err(Trouble::Damaged);
            };
            block[usize::from(*natural)] = scaled(value, *step);
            any = true;
            place += 1;
        }
        Ok(any)
    }

    /// Drops the bits before a marker.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// A coefficient times its step, as libjpeg's fast versions have it: of 16 bits.
#[inline]
fn scaled(value: i32, step: u16) -> i32 {
    i32::from(value.wrapping_mul(i32::from(step)) as i16)
}

/// Where the coefficient of each place of a block stands (T.81 figure A.6).
const ORDER: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];
