//! What a page says beside its pixels, as it is true of the upright picture.

use crate::{Field, FormatError, Metadata};
use std::sync::Arc;

/// Tags of the two resolutions and of the orientation (TIFF 6.0, section 8).
const X_RESOLUTION: u16 = 282;
const Y_RESOLUTION: u16 = 283;
const ORIENTATION: u16 = 274;

/// Metadata whose orientation is 1, with the resolutions of rows and columns changed over where these are.
pub(super) struct Turned {
    from: Arc<dyn Metadata>,
    fields: Vec<Field>,
    /// For each field its place in `from`.
    origins: Vec<usize>,
}

impl Turned {
    pub(super) fn new(from: Arc<dyn Metadata>, turned: bool) -> Self {
        let place = |tag: u16| from.fields().iter().position(|field| field.tag == tag);
        let resolutions = place(X_RESOLUTION).zip(place(Y_RESOLUTION)).filter(|_| turned);
        let (mut fields, mut origins) = (Vec::new(), Vec::new());
        for (index, field) in from.fields().iter().enumerate() {
            let origin = match resolutions {
                Some((across, down)) if field.tag == X_RESOLUTION => down.max(across),
                Some((across, down)) if field.tag == Y_RESOLUTION => across.min(down),
                // One without the other would be of the wrong side.
                None if turned && matches!(field.tag, X_RESOLUTION | Y_RESOLUTION) => continue,
                _ => index,
            };
            let values = from.fields().get(origin).unwrap_or(field);
            fields.push(Field { tag: field.tag, ..*values });
            origins.push(origin);
        }
        Self { from, fields, origins }
    }
}

impl Metadata for Turned {
    fn fields(&self) -> &[Field] {
        &self.fields
    }

    fn read(&self, index: usize, offset: u64, into: &mut [u8]) -> Result<(), FormatError> {
        let Some(origin) = self.origins.get(index) else { return Ok(()) };
        if self.fields.get(index).is_some_and(|field| field.tag == ORIENTATION) {
            // Least significant byte first, whatever the type.
            into.fill(0);
            if let Some(first) = into.first_mut().filter(|_| offset == 0) {
                *first = 1;
            }
            return Ok(());
        }
        self.from.read(*origin, offset, into)
    }
}
