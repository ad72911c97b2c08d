//! Our own: whole blocks, with header and check sum, as they would lie in flash or in a file.

use crate::codec::Codec;
use crate::load::Series;
use plimsoll_core::series::{
    Column, Decoder, Encoder, Kind, Large, Larger, Lean, Pack, Profile, Rice, Settings, Small, TimeUnit, Word,
};
use std::marker::PhantomData;

/// One profile with one length of blocks.
struct Blocks<P> {
    name: &'static str,
    points: u32,
    profile: PhantomData<P>,
}

/// The rows of the tables.
pub fn codecs() -> Vec<Box<dyn Codec>> {
    let mut all: Vec<Box<dyn Codec>> = Vec::new();
    for points in [128, 1024, 4096] {
        all.push(Box::new(Blocks::<Small> { name: "plimsoll small", points, profile: PhantomData }));
    }
    for points in [1024, 4096] {
        all.push(Box::new(Blocks::<Large> { name: "plimsoll large", points, profile: PhantomData }));
    }
    for points in [1024, 4096] {
        all.push(Box::new(Blocks::<Larger> { name: "plimsoll larger", points, profile: PhantomData }));
    }
    for points in [128, 1024, 4096] {
        all.push(Box::new(Blocks::<Lean> { name: "plimsoll lean", points, profile: PhantomData }));
    }
    for points in [1024, 4096] {
        all.push(Box::new(Blocks::<Rice> { name: "plimsoll rice", points, profile: PhantomData }));
        all.push(Box::new(Blocks::<Pack> { name: "plimsoll pack", points, profile: PhantomData }));
    }
    all
}

impl<P: Profile + std::panic::RefUnwindSafe> Codec for Blocks<P> {
    fn name(&self) -> String {
        format!("**{}, {}-point blocks**", self.name, self.points)
    }

    fn encode(&self, series: &Series) -> Option<Vec<Vec<u8>>> {
        let mut buffer = vec![0; 65_536];
        let settings = Settings::new(TimeUnit::Ticks, [Column::new(Kind::F64)]).block_points(self.points);
        let mut encoder = Encoder::<P, 1>::try_new(settings, &mut buffer).ok()?;
        let mut blocks = Vec::new();
        // A float's bits are its word.
        let words: Vec<Word> = series.values.iter().map(|value| Word::from(*value)).collect();
        let (mut times, mut words) = (&series.times[..], &words[..]);
        while !times.is_empty() {
            let taken = encoder.push_slice(times, words).ok()?;
            (times, words) = (&times[taken..], &words[taken..]);
            if !times.is_empty() {
                blocks.push(encoder.seal().ok()?.to_vec());
            }
        }
        blocks.extend(encoder.seal().map(<[u8]>::to_vec));
        Some(blocks)
    }

    fn decode(&self, packed: &[Vec<u8>], points: usize) -> Option<(Vec<i64>, Vec<f64>)> {
        let (mut times, mut values) = (Vec::with_capacity(points), Vec::with_capacity(points));
        let (mut some_times, mut some_values) = ([0; 512], [Word::default(); 512]);
        for block in packed {
            let mut decoder = Decoder::<P, 1>::try_new(block).ok()?;
            loop {
                let read = decoder.decode_into(&mut some_times, &mut some_values).ok()?;
                if read == 0 {
                    break;
                }
                times.extend_from_slice(&some_times[..read]);
                values.extend(some_values[..read].iter().map(|value| value.f64()));
            }
        }
        Some((times, values))
    }
}
