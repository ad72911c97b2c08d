//! CRC-32 (ISO-HDLC, as in Ethernet and zip), four bits a step: a table of 64 bytes, for parts that count flash.

const TABLE: [u32; 16] = {
    let mut table = [0u32; 16];
    let mut at = 0;
    while at < 16 {
        let mut crc = at as u32;
        let mut bit = 0;
        while bit < 4 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[at] = crc;
        at += 1;
    }
    table
};

/// A checksum under way.
#[derive(Clone, Copy)]
pub(super) struct Crc(u32);

impl Crc {
    pub(super) const fn new() -> Self {
        Self(!0)
    }

    #[must_use]
    pub(super) fn of(self, bytes: &[u8]) -> Self {
        let nibble = |crc: u32| (crc >> 4) ^ TABLE.get((crc & 15) as usize).copied().unwrap_or(0);
        Self(bytes.iter().fold(self.0, |crc, byte| nibble(nibble(crc ^ u32::from(*byte)))))
    }

    pub(super) const fn finish(self) -> u32 {
        !self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Crc;

    #[test]
    fn it_is_the_published_one() {
        assert_eq!(Crc::new().of(b"123456789").finish(), 0xCBF4_3926);
        assert_eq!(Crc::new().of(b"1234").of(b"56789").finish(), 0xCBF4_3926);
    }
}
