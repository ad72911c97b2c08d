//! Bits of a packet's header: after a byte of all ones the next one has seven (ISO/IEC 15444-1, B.10.1).

/// Takes bits from the front. Beyond the end they are zero, as the codec has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bits<'a> {
    rest: &'a [u8],
    byte: u8,
    left: u8,
}

impl<'a> Bits<'a> {
    /// Over `bytes`, from the first one on.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, byte: 0, left: 0 }
    }

    fn load(&mut self) {
        self.left = if self.byte == 0xFF { 7 } else { 8 };
        self.byte = 0;
        if let [byte, rest @ ..] = self.rest {
            (self.byte, self.rest) = (*byte, rest);
        }
    }

    /// The next bit.
    pub(super) fn bit(&mut self) -> bool {
        if self.left == 0 {
            self.load();
        }
        self.left -= 1;
        self.byte >> self.left & 1 == 1
    }

    /// The next `bits` of them: 32 at most.
    pub(super) fn number(&mut self, bits: u32) -> u32 {
        (0..bits).fold(0, |number, _| number << 1 | u32::from(self.bit()))
    }

    /// What follows the header: it ends with a whole byte, and never with one of all ones.
    pub(super) fn finish(mut self) -> &'a [u8] {
        if self.byte == 0xFF {
            self.load();
        }
        self.rest
    }

    /// The number of coding passes (table B.4).
    pub(super) fn passes(&mut self) -> u32 {
        if !self.bit() {
            return 1;
        }
        if !self.bit() {
            return 2;
        }
        match self.number(2) {
            3 => {}
            more => return 3 + more,
        }
        match self.number(5) {
            31 => 37 + self.number(7),
            more => 6 + more,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_of_ones_is_followed_by_seven_bits() {
        let mut bits = Bits::new(&[0xFF, 0b0101_0000, 0xAB]);
        assert_eq!((bits.number(8), bits.number(3)), (0xFF, 0b101));
        assert_eq!(bits.finish(), [0xAB]);
        let mut bits = Bits::new(&[0xFF, 0x00, 0xAB]);
        assert_eq!(bits.number(8), 0xFF);
        assert_eq!(bits.finish(), [0xAB], "the stuffed bit belongs to the header");
        assert_eq!(Bits::new(&[]).number(9), 0);
    }

    /// The rows of table B.4.
    #[test]
    fn numbers_of_passes_are_those_of_the_table() {
        let read = |code: u32, len: u32| {
            // No run of ones here crosses a byte.
            let code = code << (32 - len);
            Bits::new(&code.to_be_bytes()).passes()
        };
        assert_eq!([read(0b0, 1), read(0b10, 2), read(0b1100, 4), read(0b1110, 4)], [1, 2, 3, 5]);
        assert_eq!([read(0b1_1110_0000, 9), read(0b1_1111_1110, 9)], [6, 36]);
    }
}
