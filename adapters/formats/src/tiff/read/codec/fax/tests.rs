//! What another encoder made comes out; rows of runs in every frame; any bytes end.

use super::*;
use ::fax::encoder::Encoder;
use ::fax::{Color, VecWriter};
use proptest::prelude::*;

fn decoded(
    variant: Variant,
    cols: u32,
    packed: &[u8],
    len: usize,
    cut: (usize, usize),
) -> Result<Vec<u8>, Trouble> {
    let mut codec = Fax::new(variant, cols);
    // What an earlier unit left must not show.
    codec.row.fill(0x55);
    codec.reset();
    let (mut output, mut at) = (Vec::new(), 0);
    while output.len() < len {
        let mut piece = vec![0x55; cut.1.min(len - output.len())];
        let end = packed.len().min(at + cut.0);
        let progress = codec.step(&packed[at..end], &mut piece)?;
        at += progress.read;
        output.extend_from_slice(&piece[..progress.written]);
        if progress.ended || progress.read + progress.written == 0 && at == packed.len() {
            break;
        }
    }
    Ok(output)
}

fn rows_of(bits: &[bool], cols: usize) -> Vec<u8> {
    let byte =
        |bits: &[bool]| bits.iter().zip(0..).fold(0, |sum, (bit, at)| sum | u8::from(*bit) << (7 - at));
    bits.chunks_exact(cols).flat_map(|row| row.chunks(8).map(byte)).collect()
}

/// The bits of a run, from the tables' text: what an encoder of runs does.
fn runs(row: &[bool]) -> String {
    let mut text = String::new();
    let (mut black, mut at) = (false, 0);
    while at < row.len() {
        let mut run = row[at..].iter().take_while(|bit| **bit == black).count();
        at += run;
        let mut push = |run: usize| {
            let codes = if black { &BLACK } else { &WHITE };
            let (first, bits) = (0..1 << MOST_BITS)
                .map(|next| (next, entry(codes, next)))
                .find(|(_, (bits, found))| *bits > 0 && usize::from(*found) == run)
                .map(|(next, (bits, _))| (next, bits))
                .expect("a code for every run");
            text.push_str(&format!("{first:013b}")[..bits as usize]);
        };
        while run >= 64 {
            let part = run.min(2560) / 64 * 64;
            push(part);
            run -= part;
        }
        push(run);
        black = !black;
    }
    text
}

fn packed(text: &str) -> Vec<u8> {
    let byte = |bits: &[u8]| bits.iter().zip(0..).fold(0, |sum, (bit, at)| sum | (bit - b'0') << (7 - at));
    text.as_bytes().chunks(8).map(byte).collect()
}

proptest! {
    /// Group 4 against another program's encoder.
    #[test]
    fn what_was_encoded_comes_out(
        runs in prop::collection::vec(prop_oneof![0usize..4, 0usize..40, 60usize..140, 1500usize..6000], 1..60),
        cols in prop_oneof![1usize..20, 60usize..200, 2000usize..5500],
        cut in (1usize..40, 1usize..40),
    ) {
        let mut bits: Vec<bool> = runs.iter().zip(0..).flat_map(|(run, at)| vec![at % 2 == 1; *run]).collect();
        bits.resize(bits.len().next_multiple_of(cols).max(cols), false);
        let mut encoder = Encoder::new(VecWriter::new());
        for row in bits.chunks(cols) {
            let pixels = row.iter().map(|bit| if *bit { Color::Black } else { Color::White });
            encoder.encode_line(pixels, cols as u16).expect("a vector takes all");
        }
        let coded = encoder.finish().expect("a vector takes all").finish();
        let expected = rows_of(&bits, cols);
        let found = decoded(Variant::Group4, cols as u32, &coded, expected.len(), cut);
        prop_assert_eq!(found.as_deref(), Ok(&expected[..]));
    }

    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..400), cols in 1u32..300, kind in 0usize..5) {
        let variant = [
            Variant::Group4,
            Variant::Group3,
            Variant::Group3Mixed,
            Variant::Huffman { align: 8 },
            Variant::Huffman { align: 16 },
        ][kind];
        let _ = decoded(variant, cols, &bytes, 100_000, (7, 5));
    }
}

#[test]
fn rows_of_runs_come_out_in_every_frame() {
    let cols = 3000;
    let bits: Vec<bool> = (0..cols * 7).map(|at| (at / 37 + at / 301 + at / 2999) % 3 == 0).collect();
    let expected = rows_of(&bits, cols);
    let rows: Vec<String> = bits.chunks(cols).map(runs).collect();
    let aligned = |align: usize| {
        rows.iter()
            .map(|row| format!("{row:0<width$}", width = row.len().next_multiple_of(align)))
            .collect::<String>()
    };
    let ended = |end: &str| rows.iter().map(|row| format!("{end}{row}")).collect::<String>();
    let cases = [
        (Variant::Huffman { align: 8 }, aligned(8)),
        (Variant::Huffman { align: 16 }, aligned(16)),
        (Variant::Group3, ended("000000000001")),
        (Variant::Group3, ended("00000000000000001")),
        (Variant::Group3, ended("000000000001") + &"000000000001".repeat(6)),
        (Variant::Group3Mixed, ended("0000000000011") + &"0000000000011".repeat(6)),
    ];
    for (variant, text) in cases {
        for cut in [(1, 1), (3, 1000), (10_000, 10_000)] {
            let found = decoded(variant, cols as u32, &packed(&text), expected.len(), cut);
            assert!(found.as_deref() == Ok(&expected[..]), "{variant:?} {cut:?}");
        }
    }
}
