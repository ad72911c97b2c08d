//! The peers, each as its documentation says.

use crate::codec::Codec;
use crate::load::Series;
use graupel::Point;
use graupel::codec::{Chimp, Chimp128, Elf, Gorilla};
use pco::ChunkConfig;
use pco::standalone::{FileCompressor, simple_decompress};
use tsz::stream::{BufferedReader, BufferedWriter};
use tsz::{DataPoint, Decode, Encode, StdDecoder, StdEncoder};

/// The rows of the tables.
pub fn codecs() -> Vec<Box<dyn Codec>> {
    vec![
        Box::new(Tsz),
        Box::new(Graupel("Gorilla (graupel)", Box::new(Gorilla))),
        Box::new(Graupel("Chimp (graupel)", Box::new(Chimp))),
        Box::new(Graupel("Chimp128 (graupel)", Box::new(Chimp128))),
        Box::new(Graupel("Elf (graupel)", Box::new(Elf))),
        Box::new(Zstd(3)),
        Box::new(Heatshrink),
        Box::new(Pco(Some(128))),
        Box::new(Pco(Some(1024))),
        Box::new(Pco(None)),
    ]
}

/// Points as 16 bytes each, one behind the other.
fn raw(series: &Series) -> Vec<u8> {
    let points = series.times.iter().zip(&series.values);
    points.flat_map(|(time, value)| [time.to_le_bytes(), value.to_le_bytes()]).flatten().collect()
}

fn of_raw(bytes: &[u8]) -> (Vec<i64>, Vec<f64>) {
    let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
    bytes.chunks_exact(16).map(|point| (word(&point[..8]) as i64, f64::from_bits(word(&point[8..])))).unzip()
}

/// Gorilla as in the tsz crate; its timestamps are unsigned.
struct Tsz;

impl Codec for Tsz {
    fn name(&self) -> String {
        "Gorilla (tsz)".to_owned()
    }

    fn encode(&self, series: &Series) -> Option<Vec<Vec<u8>>> {
        let first = u64::try_from(*series.times.first()?).ok()?;
        let mut encoder = StdEncoder::new(first, BufferedWriter::new());
        for (time, value) in series.times.iter().zip(&series.values) {
            encoder.encode(DataPoint::new(u64::try_from(*time).ok()?, *value));
        }
        Some(vec![encoder.close().into_vec()])
    }

    fn decode(&self, packed: &[Vec<u8>], points: usize) -> Option<(Vec<i64>, Vec<f64>)> {
        let mut decoder = StdDecoder::new(BufferedReader::new(packed[0].clone().into_boxed_slice()));
        let (mut times, mut values) = (Vec::with_capacity(points), Vec::with_capacity(points));
        while let Ok(point) = decoder.next() {
            times.push(point.get_time() as i64);
            values.push(point.get_value());
        }
        Some((times, values))
    }
}

/// Codecs of the graupel crate, the series as one block.
struct Graupel(&'static str, Box<dyn graupel::Codec>);

impl std::panic::RefUnwindSafe for Graupel {}

impl Codec for Graupel {
    fn name(&self) -> String {
        self.0.to_owned()
    }

    fn encode(&self, series: &Series) -> Option<Vec<Vec<u8>>> {
        let points: Vec<Point> =
            series.times.iter().zip(&series.values).map(|(time, value)| Point::new(*time, *value)).collect();
        Some(vec![self.1.encode(&points).ok()?])
    }

    fn decode(&self, packed: &[Vec<u8>], _: usize) -> Option<(Vec<i64>, Vec<f64>)> {
        Some(graupel::decode(&packed[0]).ok()?.iter().map(|point| (point.timestamp, point.value)).unzip())
    }
}

struct Zstd(i32);

impl Codec for Zstd {
    fn name(&self) -> String {
        format!("zstd level {}", self.0)
    }

    fn encode(&self, series: &Series) -> Option<Vec<Vec<u8>>> {
        Some(vec![zstd::bulk::compress(&raw(series), self.0).ok()?])
    }

    fn decode(&self, packed: &[Vec<u8>], points: usize) -> Option<(Vec<i64>, Vec<f64>)> {
        Some(of_raw(&zstd::bulk::decompress(&packed[0], 16 * points).ok()?))
    }
}

/// LZSS for microcontrollers, with its window of 256 bytes: what fits one KiB.
struct Heatshrink;

impl Codec for Heatshrink {
    fn name(&self) -> String {
        "heatshrink -w 8 -l 4".to_owned()
    }

    fn encode(&self, series: &Series) -> Option<Vec<Vec<u8>>> {
        let raw = raw(series);
        let mut output = vec![0; raw.len() * 2 + 64];
        let config = heatshrink::Config::new(8, 4).ok()?;
        Some(vec![heatshrink::encode(&raw, &mut output, &config).ok()?.to_vec()])
    }

    fn decode(&self, packed: &[Vec<u8>], points: usize) -> Option<(Vec<i64>, Vec<f64>)> {
        let mut output = vec![0; 16 * points + 64];
        let config = heatshrink::Config::new(8, 4).ok()?;
        let bytes = heatshrink::decode(&packed[0], &mut output, &config).ok()?;
        Some(of_raw(&bytes[..16 * points.min(bytes.len() / 16)]))
    }
}

/// pco at level 8, times and values as files of their own, in chunks of so many numbers or one.
struct Pco(Option<usize>);

impl Pco {
    fn pack<T: pco::data_types::Number>(&self, numbers: &[T]) -> Option<Vec<u8>> {
        let config = ChunkConfig::default().with_compression_level(8);
        let file = FileCompressor::default();
        let mut bytes = Vec::new();
        file.write_header(&mut bytes).ok()?;
        for chunk in numbers.chunks(self.0.unwrap_or(1 << 24)) {
            let mut compressor = file.chunk_compressor(chunk, &config).ok()?;
            compressor.write(&mut bytes).ok()?;
        }
        file.write_footer(&mut bytes).ok()?;
        Some(bytes)
    }
}

impl Codec for Pco {
    fn name(&self) -> String {
        match self.0 {
            Some(points) => format!("pco level 8, {points}-point chunks"),
            None => "pco level 8, unlimited".to_owned(),
        }
    }

    fn encode(&self, series: &Series) -> Option<Vec<Vec<u8>>> {
        Some(vec![self.pack(&series.times)?, self.pack(&series.values)?])
    }

    fn decode(&self, packed: &[Vec<u8>], _: usize) -> Option<(Vec<i64>, Vec<f64>)> {
        Some((simple_decompress(&packed[0]).ok()?, simple_decompress(&packed[1]).ok()?))
    }
}
