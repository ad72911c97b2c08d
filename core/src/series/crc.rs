//! CRC-32C (Castagnoli, reflected polynomial 0x82F63B78; RFC 3720, section 12.1): eight bytes at a time from 8 KiB of
//! tables on hosts, a byte at a time from 1 KiB on cores of 32 bits.

/// `TABLES[k][b]`: what byte `b` does to the register when `k` bytes follow it.
static TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut register = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            register = (register >> 1) ^ if register & 1 == 1 { 0x82F6_3B78 } else { 0 };
            bit += 1;
        }
        tables[0][byte] = register;
        byte += 1;
    }
    let mut k = 1;
    while k < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[k - 1][byte];
            tables[k][byte] = (before >> 8) ^ tables[0][(before & 255) as usize];
            byte += 1;
        }
        k += 1;
    }
    tables
}

/// Of `bytes`.
pub fn crc32c(bytes: &[u8]) -> u32 {
    if cfg!(target_pointer_width = "64") { by_eight(bytes) } else { by_one(bytes) }
}

/// The first of the tables, for those who need no other.
static TABLE: [u32; 256] = tables()[0];

/// Of its own, for small cores have few registers; four bytes a round, for they have no cheap loops either.
#[inline(never)]
fn by_one(bytes: &[u8]) -> u32 {
    let next = |register: u32, byte: u8| (register >> 8) ^ TABLE[usize::from(register as u8 ^ byte)];
    let (fours, rest) = bytes.as_chunks::<4>();
    let mut register = u32::MAX;
    for [a, b, c, d] in fours {
        register = next(next(next(next(register, *a), *b), *c), *d);
    }
    !rest.iter().fold(register, |register, byte| next(register, *byte))
}

fn by_eight(bytes: &[u8]) -> u32 {
    let mut register = u32::MAX;
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word) ^ u64::from(register);
        register = 0;
        for (k, table) in TABLES.iter().rev().enumerate() {
            register ^= table[usize::from((word >> (8 * k)) as u8)];
        }
    }
    for byte in rest {
        register = (register >> 8) ^ TABLES[0][usize::from(register as u8 ^ byte)];
    }
    !register
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_gives_the_values_of_rfc_3720() {
        // RFC 3720, appendix B.4.
        for crc32c in [crc32c, by_eight, by_one] {
            assert_eq!(crc32c(&[0; 32]), 0x8A91_36AA);
            assert_eq!(crc32c(&[0xFF; 32]), 0x62A8_AB43);
            let rising: std::vec::Vec<u8> = (0..32).collect();
            assert_eq!(crc32c(&rising), 0x46DD_794E);
            assert_eq!(crc32c(b"123456789"), 0xE306_9283);
            assert_eq!(crc32c(b""), 0);
        }
    }
}
