//! Blocks: where the payload starts, and header and check sum around it.

use super::super::back::WriteSide;
use super::super::crc::crc32c;
use super::super::error::Unsealed;
use super::super::header::{CHECK_BYTES, Header, POINTS_PER_BYTE, header_bytes};
use super::super::profile::Profile;
use super::super::settings::{MAX_COLUMNS, Tolerance};
use super::super::slide::slide;
use super::super::summary::Summary;
use super::super::word::Kind;
use super::Encoder;

impl<P: Profile, const COLUMNS: usize> Encoder<'_, P, COLUMNS> {
    /// Ends the block and gives its bytes. The next push starts another one, whatever this gives.
    ///
    /// # Errors
    /// [`Unsealed::Empty`] where no point was pushed since the last block.
    pub fn seal(&mut self) -> Result<&[u8], Unsealed> {
        self.flush();
        let points = self.coded;
        if points == 0 {
            return Err(Unsealed::Empty);
        }
        let end = self.end_block();
        (self.coded, self.waiting) = (0, 0);
        end.and_then(|end| self.buffer.get(..end)).ok_or(Unsealed::Overrun { points })
    }

    /// Puts header and check sum around the payload; gives where the block ends.
    fn end_block(&mut self) -> Option<usize> {
        let start = usize::from(self.payload_at);
        let mut end = self.write.finish(self.buffer, start)?;
        // Zeros at the end need not be written, except that so many points must have so many bytes.
        let least = start + self.coded.div_ceil(POINTS_PER_BYTE) as usize;
        if end < least {
            self.buffer.get_mut(end..least)?.fill(0);
            end = least;
        }
        let header = self.header(end - start);
        let header_bytes =
            header_bytes(self.used(), self.settings.ranges, end - start, self.coded, self.times);
        slide(self.buffer, start..end, header_bytes)?;
        header.write(self.buffer)?;
        let end = header_bytes + (end - start);
        let check = crc32c(self.buffer.get(..end)?);
        self.buffer.get_mut(end..end + CHECK_BYTES)?.copy_from_slice(&check.to_le_bytes());
        Some(end + CHECK_BYTES)
    }

    /// Starts a block whose first timestamp is `time`.
    pub(super) fn start(&mut self, time: i64) {
        self.times = [time; 3];
        (self.near_bits, self.last, self.step) = (0, time, 0);
        self.summary = [Summary::NONE; COLUMNS];
        // The payload is moved when the header's length is known: near to there costs no room.
        let start = self.header_bytes_at_most(self.times);
        self.payload_at = start as u8;
        let columns = self.columns.get(..self.used()).unwrap_or_default();
        self.write.start(time, start, columns);
    }

    fn header(&self, payload_bytes: usize) -> Header {
        let mut header = Header {
            coding: P::CODING,
            unit: self.settings.unit,
            columns: self.used(),
            points: self.coded,
            first: self.times[0],
            min_time: self.times[1],
            max_time: self.times[2],
            header_bytes: 0,
            payload_bytes,
            kinds: [Kind::I32; MAX_COLUMNS],
            lossy: 0,
            ranges: None,
        };
        for (at, (kind, column)) in header.kinds.iter_mut().zip(&self.columns).enumerate().take(self.used()) {
            *kind = column.kind;
            header.lossy |= u8::from(column.tolerance != Tolerance::Lossless) << at;
        }
        if self.settings.ranges {
            let mut ranges = [Summary::NONE.range(); MAX_COLUMNS];
            for (range, summary) in ranges.iter_mut().zip(&self.summary) {
                *range = summary.range();
            }
            header.ranges = Some(ranges);
        }
        header
    }

    pub(super) fn header_bytes_at_most(&self, times: [i64; 3]) -> usize {
        let points = self.settings.block_points;
        header_bytes(self.used(), self.settings.ranges, self.buffer.len(), points, times)
    }
}
