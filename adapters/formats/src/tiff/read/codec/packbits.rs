//! PackBits (TIFF 6.0 section 9): runs of literal bytes and of one repeated byte.

use super::Progress;

/// A decoder: what is left of the run it is in.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::tiff::read) struct PackBits {
    /// Literal bytes still to copy.
    literal: usize,
    /// Copies still to write of `value`, or of the next input byte if there is none.
    repeat: usize,
    value: Option<u8>,
}

impl PackBits {
    pub(super) fn step(&mut self, mut input: &[u8], mut output: &mut [u8]) -> Progress {
        let (input_bytes, output_bytes) = (input.len(), output.len());
        while !output.is_empty() {
            if self.literal > 0 {
                let n = self.literal.min(input.len()).min(output.len());
                if n == 0 {
                    break;
                }
                let (from, rest) = input.split_at(n);
                let (into, free) = output.split_at_mut(n);
                into.copy_from_slice(from);
                (input, output) = (rest, free);
                self.literal -= n;
                continue;
            }
            let Some((byte, rest)) = input.split_first() else {
                // A repeated byte may still be owed although the input is used up.
                let written = self.pay(&mut output);
                if written == 0 {
                    break;
                }
                continue;
            };
            if self.repeat > 0 {
                if self.value.is_none() {
                    self.value = Some(*byte);
                    input = rest;
                }
                self.pay(&mut output);
                continue;
            }
            input = rest;
            match *byte as i8 {
                // No operation.
                -128 => {}
                n if n < 0 => (self.repeat, self.value) = (1 + usize::from(n.unsigned_abs()), None),
                n => self.literal = 1 + n as usize,
            }
        }
        Progress { read: input_bytes - input.len(), written: output_bytes - output.len(), ended: false }
    }

    /// Writes copies of the repeated byte. Returns how many.
    fn pay(&mut self, output: &mut &mut [u8]) -> usize {
        let Some(value) = self.value else { return 0 };
        let n = self.repeat.min(output.len());
        let (into, free) = core::mem::take(output).split_at_mut(n);
        into.fill(value);
        *output = free;
        self.repeat -= n;
        if self.repeat == 0 {
            self.value = None;
        }
        n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of TIFF 6.0 section 9.
    const PACKED: [u8; 15] =
        [0xfe, 0xaa, 0x02, 0x80, 0x00, 0x2a, 0xfd, 0xaa, 0x03, 0x80, 0x00, 0x2a, 0x22, 0xf7, 0xaa];

    #[test]
    fn the_standards_example_comes_out_for_every_cut() {
        let mut expected =
            vec![0xaa, 0xaa, 0xaa, 0x80, 0x00, 0x2a, 0xaa, 0xaa, 0xaa, 0xaa, 0x80, 0x00, 0x2a, 0x22];
        expected.extend([0xaa; 10]);
        for read in 1..=PACKED.len() {
            for write in 1..=expected.len() {
                let (mut codec, mut output, mut at) = (PackBits::default(), Vec::new(), 0);
                while output.len() < expected.len() {
                    let mut piece = vec![0; write.min(expected.len() - output.len())];
                    let end = PACKED.len().min(at + read);
                    let progress = codec.step(&PACKED[at..end], &mut piece);
                    assert!(progress.read + progress.written > 0, "stuck at {at}");
                    at += progress.read;
                    output.extend_from_slice(&piece[..progress.written]);
                }
                assert_eq!(output, expected, "cut {read} and {write}");
            }
        }
    }
}
