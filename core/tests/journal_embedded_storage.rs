//! The journal on an `embedded-storage` flash.
#![cfg(feature = "embedded-storage")]

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};
use plimsoll_core::journal::{Flash, From, Geometry, Journal, Nor, Policy};

/// Eight sectors of 2 KiB, written in 8 bytes and read in 4; the trait's own checks stand before each access.
struct Chip(Vec<u8>);

impl ErrorType for Chip {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Chip {
    const READ_SIZE: usize = 4;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        bytes.copy_from_slice(&self.0[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.len()
    }
}

impl NorFlash for Chip {
    const WRITE_SIZE: usize = 8;
    const ERASE_SIZE: usize = 2048;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        self.0[from as usize..to as usize].fill(0xFF);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        let cells = &mut self.0[offset as usize..][..bytes.len()];
        assert!(cells.iter().all(|cell| *cell == 0xFF), "written once between two erases");
        cells.copy_from_slice(bytes);
        Ok(())
    }
}

#[test]
fn a_journal_lives_on_it() {
    let chip = Nor(Chip(vec![0; 16 * 1024]));
    let sizes = Geometry { capacity_bytes: 16 * 1024, sector_bytes: 2048, word_bytes: 8, erased: 0xFF };
    assert_eq!(chip.geometry(), sizes);
    let mut journal = Journal::format(chip, Policy::Overwrite).expect("it fits");
    for number in 0..300u32 {
        assert_eq!(journal.append(7, number.into()..=number.into(), &[number as u8; 70]), Ok(number));
        if number % 50 == 0 {
            journal = Journal::mount(journal.into_flash(), Policy::Overwrite).expect("it is there");
        }
    }
    let mut buffer = [0; 70];
    let mut records = journal.iterate(From::Time(290));
    for number in 290..300u32 {
        let record = records.next(&mut buffer).expect("it reads").expect("it is there");
        assert_eq!((record.sequence, record.bytes), (number, &[number as u8; 70][..]));
    }
    assert_eq!(records.next(&mut buffer), Ok(None));
}
