//! Packets of components that were coded apart, in the order of their tile.
//!
//! Where a component has one packet for each resolution (one layer, one precinct), orders that begin with the layer or
//! the resolution take the components in turn, and the order that begins with the component takes one after the other
//! (ISO/IEC 15444-1, B.12).

/// A marker, the length of its segment, and the packet's number (A.8.1).
const MARK_BYTES: usize = 6;

/// The packets of one component, without the markers that precede them.
///
/// No marker can occur within one: after a byte of all ones the next is below 0x90 in headers and code-blocks alike.
#[derive(Clone, Copy, Debug)]
struct Packets<'a>(&'a [u8]);

impl<'a> Iterator for Packets<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (_, rest) = self.0.split_at_checked(MARK_BYTES)?;
        let mut len = 0;
        let packet = loop {
            let (_, tail) = rest.split_at_checked(len)?;
            match tail.iter().position(|byte| *byte == 0xFF) {
                None => break rest,
                Some(at) if tail.get(at + 1) == Some(&0x91) => break rest.get(..len + at)?,
                Some(at) => len += at + 1,
            }
        };
        self.0 = rest.get(packet.len()..)?;
        Some(packet)
    }
}

/// Packets of up to four components.
#[derive(Clone, Copy, Debug)]
pub(super) struct Apart<'a> {
    components: [Packets<'a>; 4],
    in_turn: bool,
}

impl<'a> Apart<'a> {
    /// From the marked packets of each component, none of those that are not there; `in_turn` takes a packet of each,
    /// again and again.
    ///
    /// `None` if one is not marked as it should be, or has more packets than another.
    pub(super) fn new(components: [&'a [u8]; 4], in_turn: bool) -> Option<Self> {
        let marked = |packets: &[u8]| packets.is_empty() || packets.starts_with(&[0xFF, 0x91, 0, 4]);
        let apart = Self { components: components.map(Packets), in_turn };
        let first = apart.components.first()?.count();
        let alike = |packets: &Packets<'_>| packets.0.is_empty() || packets.count() == first;
        let sound = components.into_iter().all(marked) && apart.components.iter().all(alike);
        sound.then_some(apart)
    }

    /// Bytes of all packets.
    pub(super) fn bytes(self) -> usize {
        self.components.into_iter().flatten().map(<[u8]>::len).sum()
    }

    /// Each packet, in order.
    ///
    /// # Errors
    /// The first one of `take`.
    pub(super) fn each<E>(mut self, mut take: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        if !self.in_turn {
            return self.components.into_iter().flatten().try_for_each(take);
        }
        let mut some = true;
        while some {
            some = false;
            for packets in &mut self.components {
                if let Some(packet) = packets.next() {
                    some = true;
                    take(packet)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collected(components: [&[u8]; 4], in_turn: bool) -> Option<Vec<u8>> {
        let apart = Apart::new(components, in_turn)?;
        let mut out = Vec::new();
        apart
            .each(|packet| {
                out.extend_from_slice(packet);
                Ok::<(), ()>(())
            })
            .unwrap();
        assert_eq!(out.len(), apart.bytes());
        Some(out)
    }

    #[test]
    fn packets_are_taken_in_turn_or_one_component_after_the_other() {
        let a = [0xFF, 0x91, 0, 4, 0, 0, 1, 0xFF, 0x8F, 0xFF, 0x91, 0, 4, 0, 1, 2, 3];
        let b = [0xFF, 0x91, 0, 4, 0, 0, 0xFF, 0x91, 0, 4, 0, 1, 9];
        assert_eq!(collected([&a, &b, &[], &[]], true).unwrap(), [1, 0xFF, 0x8F, 2, 3, 9]);
        assert_eq!(collected([&b, &a, &[], &[]], true).unwrap(), [1, 0xFF, 0x8F, 9, 2, 3]);
        assert_eq!(collected([&b, &a, &[], &[]], false).unwrap(), [9, 1, 0xFF, 0x8F, 2, 3]);
    }

    #[test]
    fn what_is_not_marked_is_refused() {
        let a = [0xFF, 0x91, 0, 4, 0, 0, 1];
        assert!(collected([&a, &a[1..], &[], &[]], true).is_none());
        let two = [a, a].concat();
        assert!(collected([&a, &two, &[], &[]], true).is_none());
    }
}
