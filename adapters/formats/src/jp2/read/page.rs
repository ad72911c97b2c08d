//! The image of a file: what its headers say, what reading it costs, and smaller versions of it.

use super::channels::Channels;
use super::order::{InOrder, TilesInOrder};
use super::planes::Planes;
use super::rows::TileRows;
use super::tile::{Tiles, table_bytes};
use crate::jp2::boxes::Boxes;
use crate::jp2::codec::memory::TileCount;
use crate::jp2::codestream::Header;
use crate::jp2::codestream::parts::{Totals, totals};
use crate::jp2::codestream::work::bounded;
use crate::jp2::{Jpeg2000, usage};
use crate::{Bytes, Facts, FormatError, Page, Picture, RowSource, TileGrid};
use plimsoll_core::budget::{Budget, Exhausted, Layout};
use plimsoll_core::pipeline::Need;
use plimsoll_core::pipeline::plan::{Each, Place};
use plimsoll_core::shape::{Region, Shape};
use std::sync::Arc;

const TILE: &str = "decoded JPEG 2000 tile";
const BAND: &str = "row of JPEG 2000 tiles";

/// An opened file, which has one page.
pub(in crate::jp2) struct OnePage {
    format: Jpeg2000,
    image: Arc<Image>,
}

/// Opens a file by its headers and the heads of its tile-parts.
pub(in crate::jp2) fn open(format: Jpeg2000, bytes: Bytes) -> Result<OnePage, FormatError> {
    let boxes = match format {
        Jpeg2000::Jp2 => Some(Boxes::read(&bytes)?),
        Jpeg2000::J2k => None,
    };
    let (start, end) = boxes.as_ref().map_or((0, bytes.len()), |boxes| boxes.codestream);
    let header = Header::read(&bytes, start)?;
    let totals = totals(&bytes, &header, end)?;
    let channels = Channels::new(&header.components, boxes.as_ref(), start)?;
    let content = Content { bytes, header, channels, totals, end, more: more(boxes.as_ref()) };
    Ok(OnePage { format, image: Arc::new(Image::new(Arc::new(content), 0)?) })
}

/// What the boxes say beside the pixels.
fn more(boxes: Option<&Boxes>) -> Vec<(&'static str, String)> {
    let mut more = Vec::new();
    if let Some(boxes) = boxes {
        if boxes.colour == Some(18) {
            more.push(("stored colour", "sYCC".to_owned()));
        }
        if boxes.icc_bytes > 0 {
            more.push(("ICC profile", format!("{} bytes", boxes.icc_bytes)));
        }
        if let Some([down, across]) = boxes.resolution {
            more.push(("resolution", format!("{across:.2} x {down:.2} points a metre")));
        }
    }
    more
}

impl Picture for OnePage {
    fn format(&self) -> &'static str {
        match self.format {
            Jpeg2000::Jp2 => "JP2",
            Jpeg2000::J2k => "JPEG 2000 codestream",
        }
    }

    fn page(&self, index: u32) -> Result<Option<Arc<dyn Page>>, FormatError> {
        Ok((index == 0).then(|| self.image.clone() as Arc<dyn Page>))
    }
}

/// What was read from the file.
pub(super) struct Content {
    bytes: Bytes,
    pub(super) header: Header,
    pub(super) channels: Channels,
    totals: Totals,
    /// Where the codestream ends.
    end: u64,
    more: Vec<(&'static str, String)>,
}

/// The image without its `reduce` largest resolutions.
pub(super) struct Image {
    pub(super) content: Arc<Content>,
    pub(super) reduce: u8,
    count: TileCount,
    facts: Facts,
}

/// What reading takes at most that decodes tiles of `count` one by one into `tile` bytes, and gathers `band` bytes of them.
pub(in crate::jp2) fn needs([tile, band]: [u64; 2], count: &TileCount, totals: Totals) -> Vec<Need> {
    let arena = |consumer, bytes| {
        let bytes = if bytes == 0 { 0 } else { Layout::new().with::<u8>(bytes).bytes() };
        Need::fixed(consumer, bytes, Each::Worker, Place::Arena)
    };
    let heap = |consumer, bytes| Need::fixed(consumer, bytes, Each::Worker, Place::Heap);
    let source = size_of::<TileRows<'_>>().max(size_of::<TilesInOrder<'_>>()) as u64;
    vec![
        arena(TILE, tile),
        arena(BAND, band),
        heap("JPEG 2000 decoder", count.decoding_bytes()),
        heap("places of JPEG 2000 tiles", table_bytes(totals) + source),
    ]
}

/// Leases such a buffer.
fn lease<'a>(
    budget: &mut Budget<'a>,
    consumer: &'static str,
    bytes: u64,
) -> Result<&'a mut [u8], FormatError> {
    let refused = Exhausted { consumer, requested: usize::MAX, available: budget.stats().free };
    let bytes = usize::try_from(bytes).map_err(|_| refused)?;
    Ok(budget.lease::<u8>(consumer, bytes)?)
}

impl Image {
    fn new(content: Arc<Content>, reduce: u8) -> Result<Self, FormatError> {
        let Content { header, channels, totals, .. } = &*content;
        let count = header.count(&header.styles, reduce, totals.most_bytes, totals.most_parts);
        if reduce == 0 && header.tiles_along(0) == 1 && header.tiles_along(1) == 1 {
            bounded(&count, header.end)?;
        }
        let bands = channels.bands.len() as u16;
        let shape = Shape::new(header.rows(reduce), header.cols(reduce), bands, channels.kind);
        let bits: Vec<String> =
            header.components.iter().map(|component| component.bits.to_string()).collect();
        let steps: Vec<String> = header
            .components
            .iter()
            .map(|component| {
                let [across, down] = header.pixels_a_sample(component);
                format!("{across}x{down}")
            })
            .collect();
        let mut more = vec![
            ("stored bits", bits.join(", ")),
            ("tiles", format!("{} x {}", header.tiles_along(0), header.tiles_along(1))),
            ("tile size", format!("{} x {} pixels", header.longest(0, reduce), header.longest(1, reduce))),
            ("resolutions", (u32::from(header.styles.fewest_levels()) + 1).to_string()),
            ("layers", header.styles.layers.to_string()),
            ("progression", header.styles.progression_name().to_string()),
        ];
        if header.styles.high_throughput() {
            more.push(("code-blocks", "high throughput".to_owned()));
        }
        if steps.iter().any(|step| step != "1x1") {
            more.push(("pixels a sample", steps.join(", ")));
        }
        more.extend(content.more.iter().cloned());
        let facts = Facts {
            shape,
            compression: if header.styles.reversible() { "JPEG 2000 5/3" } else { "JPEG 2000 9/7" },
            colour: channels.colour,
            unit_rows: header.unit_rows(reduce),
            more,
        };
        Ok(Self { reduce, count, facts, content })
    }

    /// What decodes tiles of it.
    fn tiles(&self) -> Result<Tiles<'_>, FormatError> {
        let Content { bytes, header, totals, end, .. } = &*self.content;
        Tiles::new(bytes, header, self.reduce, *end, *totals, &self.count)
    }

    /// What gives rows of its tiles, which are those of `grid`.
    pub(super) fn in_order<'a>(
        &'a self,
        grid: TileGrid,
        budget: &mut Budget<'a>,
    ) -> Result<TilesInOrder<'a>, FormatError> {
        let Content { header, channels, .. } = &*self.content;
        let tile = lease(budget, TILE, header.most_tile_bytes(self.reduce))?;
        let planes = Planes { header, channels, reduce: self.reduce };
        Ok(TilesInOrder { tiles: self.tiles()?, planes, grid, tile, at: None })
    }

    /// What [`Image::in_order`] takes.
    pub(super) fn needs_in_order(&self) -> Vec<Need> {
        needs([self.content.header.most_tile_bytes(self.reduce), 0], &self.count, self.content.totals)
    }

    /// Whether each row of the region is made of one tile.
    fn is_of_one_tile(&self, region: Region) -> bool {
        let header = &self.content.header;
        let [across, _] = header.tiles_of(region, self.reduce);
        across.len() == 1 && header.keeps_to_tiles(self.reduce)
    }

    /// Bytes of a decoded tile and of the region's part of a row of tiles.
    fn buffers(&self, region: Region) -> [u64; 2] {
        let Content { header, .. } = &*self.content;
        let line = u64::from(region.cols.len()) * self.facts.shape.pixel_bytes() as u64;
        let rows = if self.is_of_one_tile(region) { 0 } else { header.most_rows(self.reduce) };
        let band = line.saturating_mul(u64::from(rows));
        [header.most_tile_bytes(self.reduce), band]
    }
}

impl Page for Image {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn needs(&self, region: Region) -> Vec<Need> {
        needs(self.buffers(region), &self.count, self.content.totals)
    }

    fn in_tile_order(&self, side: u32) -> Option<Arc<dyn Page>> {
        let image = Image::new(Arc::clone(&self.content), self.reduce).ok()?;
        InOrder::new(image, side).map(|page| Arc::new(page) as Arc<dyn Page>)
    }

    fn reduced(&self, levels: u8) -> Result<Option<Arc<dyn Page>>, FormatError> {
        let Some(reduce) = self.reduce.checked_add(levels) else { return Ok(None) };
        let Content { header, channels, .. } = &*self.content;
        // The mean of two indices is no colour between theirs.
        if reduce > header.styles.fewest_levels() || channels.palette.is_some() {
            return Ok(None);
        }
        let image = Image::new(Arc::clone(&self.content), reduce);
        Ok(image.ok().map(|image| Arc::new(image) as Arc<dyn Page>))
    }

    fn source<'a>(&'a self, region: Region, budget: &mut Budget<'a>) -> Result<RowSource<'a>, FormatError> {
        let shape = self.facts.shape;
        if !shape.all_rows().covers(region.rows) || !shape.all_cols().covers(region.cols) {
            return Err(usage(format!("{region} is not within {shape}")));
        }
        let [tile, band] = self.buffers(region);
        let (tile, band) = (lease(budget, TILE, tile)?, lease(budget, BAND, band)?);
        let Content { header, channels, .. } = &*self.content;
        let [across, _] = header.tiles_of(region, self.reduce);
        Ok(Box::new(TileRows {
            tiles: self.tiles()?,
            planes: Planes { header, channels, reduce: self.reduce },
            shape,
            region,
            across,
            tile,
            band,
            keeps: header.keeps_to_tiles(self.reduce),
            at: None,
        }))
    }
}
