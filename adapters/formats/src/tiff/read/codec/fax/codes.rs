//! The codes of ITU-T T.4 (tables 2, 3a and 3b): runs of white and of black pixels, as tables by their first bits.

/// Bits of the longest code.
pub(super) const MOST_BITS: u32 = 13;

/// One entry for each value of the next 13 bits: the code's length in the high four bits, its run below. Zero where no
/// code begins so.
pub(super) type Codes = [u16; 1 << MOST_BITS];

/// Runs from this on are followed by another code of the same colour.
pub(super) const MAKE_UP: u16 = 64;

/// The codes of white runs.
pub(super) static WHITE: Codes = table(WHITE_ENDS, WHITE_MAKE_UPS);

/// The codes of black runs.
pub(super) static BLACK: Codes = table(BLACK_ENDS, BLACK_MAKE_UPS);

/// Splits an entry: length of the code in bits, and its run.
pub(super) fn entry(codes: &Codes, next: u32) -> (u32, u16) {
    let entry = codes.get(next as usize).copied().unwrap_or(0);
    (u32::from(entry >> 12), entry & 0x0fff)
}

const fn table(ends: &[&str], make_ups: &[&str]) -> Codes {
    let mut codes = [0; 1 << MOST_BITS];
    let mut run = 0;
    while run < ends.len() {
        put(&mut codes, ends[run], run as u16);
        run += 1;
    }
    let mut index = 0;
    while index < make_ups.len() {
        put(&mut codes, make_ups[index], MAKE_UP * (index as u16 + 1));
        index += 1;
    }
    let mut index = 0;
    while index < LONG_MAKE_UPS.len() {
        put(&mut codes, LONG_MAKE_UPS[index], MAKE_UP * (index as u16 + 28));
        index += 1;
    }
    codes
}

const fn put(codes: &mut Codes, code: &str, run: u16) {
    let code = code.as_bytes();
    let mut first = 0;
    let mut bit = 0;
    while bit < code.len() {
        first = first << 1 | (code[bit] - b'0') as usize;
        bit += 1;
    }
    let unused = MOST_BITS as usize - code.len();
    let mut at = first << unused;
    // Two codes that begin alike would not be codes: this stops the build.
    while at < (first + 1) << unused {
        assert!(codes[at] == 0);
        codes[at] = (code.len() as u16) << 12 | run;
        at += 1;
    }
}

const WHITE_ENDS: &[&str] = &[
    "00110101", "000111", "0111", "1000", "1011", "1100", "1110", "1111", "10011", "10100", "00111", "01000",
    "001000", "000011", "110100", "110101", "101010", "101011", "0100111", "0001100", "0001000", "0010111",
    "0000011", "0000100", "0101000", "0101011", "0010011", "0100100", "0011000", "00000010", "00000011",
    "00011010", "00011011", "00010010", "00010011", "00010100", "00010101", "00010110", "00010111",
    "00101000", "00101001", "00101010", "00101011", "00101100", "00101101", "00000100", "00000101",
    "00001010", "00001011", "01010010", "01010011", "01010100", "01010101", "00100100", "00100101",
    "01011000", "01011001", "01011010", "01011011", "01001010", "01001011", "00110010", "00110011",
    "00110100",
];

const WHITE_MAKE_UPS: &[&str] = &[
    "11011",
    "10010",
    "010111",
    "0110111",
    "00110110",
    "00110111",
    "01100100",
    "01100101",
    "01101000",
    "01100111",
    "011001100",
    "011001101",
    "011010010",
    "011010011",
    "011010100",
    "011010101",
    "011010110",
    "011010111",
    "011011000",
    "011011001",
    "011011010",
    "011011011",
    "010011000",
    "010011001",
    "010011010",
    "011000",
    "010011011",
];

const BLACK_ENDS: &[&str] = &[
    "0000110111",
    "010",
    "11",
    "10",
    "011",
    "0011",
    "0010",
    "00011",
    "000101",
    "000100",
    "0000100",
    "0000101",
    "0000111",
    "00000100",
    "00000111",
    "000011000",
    "0000010111",
    "0000011000",
    "0000001000",
    "00001100111",
    "00001101000",
    "00001101100",
    "00000110111",
    "00000101000",
    "00000010111",
    "00000011000",
    "000011001010",
    "000011001011",
    "000011001100",
    "000011001101",
    "000001101000",
    "000001101001",
    "000001101010",
    "000001101011",
    "000011010010",
    "000011010011",
    "000011010100",
    "000011010101",
    "000011010110",
    "000011010111",
    "000001101100",
    "000001101101",
    "000011011010",
    "000011011011",
    "000001010100",
    "000001010101",
    "000001010110",
    "000001010111",
    "000001100100",
    "000001100101",
    "000001010010",
    "000001010011",
    "000000100100",
    "000000110111",
    "000000111000",
    "000000100111",
    "000000101000",
    "000001011000",
    "000001011001",
    "000000101011",
    "000000101100",
    "000001011010",
    "000001100110",
    "000001100111",
];

const BLACK_MAKE_UPS: &[&str] = &[
    "0000001111",
    "000011001000",
    "000011001001",
    "000001011011",
    "000000110011",
    "000000110100",
    "000000110101",
    "0000001101100",
    "0000001101101",
    "0000001001010",
    "0000001001011",
    "0000001001100",
    "0000001001101",
    "0000001110010",
    "0000001110011",
    "0000001110100",
    "0000001110101",
    "0000001110110",
    "0000001110111",
    "0000001010010",
    "0000001010011",
    "0000001010100",
    "0000001010101",
    "0000001011010",
    "0000001011011",
    "0000001100100",
    "0000001100101",
];

/// Both colours, from 1792 on.
const LONG_MAKE_UPS: &[&str] = &[
    "00000001000",
    "00000001100",
    "00000001101",
    "000000010010",
    "000000010011",
    "000000010100",
    "000000010101",
    "000000010110",
    "000000010111",
    "000000011100",
    "000000011101",
    "000000011110",
    "000000011111",
];
