//! Any bytes as series blocks: points or a typed error, never a panic, and no more points than the bytes may stand for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_core::series::{AnyDecoder, Blocks, Header, Word};

fuzz_target!(|bytes: &[u8]| {
    for block in Blocks::of(bytes).flatten() {
        let mut decoder = AnyDecoder::<8>::try_new(block.bytes).expect("it was checked");
        read(&mut decoder, block.header.points);
    }
    // What passes no check sum by chance: the payload of a header that is made to fit.
    let Some((head, payload)) = bytes.split_first_chunk::<2>() else { return };
    let coding = (head[0] & 3) | (head[0] >> 5 & 1) << 2;
    let mut block = vec![0xD3, 0x9C, 0x10 | coding, head[0] >> 2 & 7];
    let columns = usize::from(block[3]) + 1;
    for pair in 0..columns.div_ceil(2) {
        let high = if 2 * pair + 1 < columns { head[1] >> 4 & 3 } else { 0 };
        block.push((head[1] & 3) | high << 4);
    }
    let payload = &payload[..payload.len().min(5000)];
    block.extend([payload.len() as u8 | 0x80, (payload.len() >> 7) as u8 & 0x7F]);
    if payload.len() < 128 {
        block.truncate(block.len() - 2);
        block.push(payload.len() as u8);
    }
    block.extend([100, 0, 0, 0]);
    block.push(crc(&block) as u8);
    block.extend(payload);
    block.extend(crc(&block).to_le_bytes());
    if Header::read(&block).is_ok() {
        if let Ok(mut decoder) = AnyDecoder::<8>::try_new(&block) {
            read(&mut decoder, 100);
        }
    }
});

fn read(decoder: &mut AnyDecoder<'_, 8>, stated: u32) {
    let (mut values, mut points) = ([Word::default(); 8], 0);
    while let Ok(Some(_)) = decoder.next_into(&mut values) {
        points += 1;
    }
    assert!(points <= stated);
}

/// CRC-32C, bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    let mut register = u32::MAX;
    for byte in bytes {
        register ^= u32::from(*byte);
        for _ in 0..8 {
            register = register >> 1 ^ if register & 1 == 1 { 0x82F6_3B78 } else { 0 };
        }
    }
    !register
}
