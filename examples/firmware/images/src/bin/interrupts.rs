//! An interrupt takes samples while the main loop encodes them: `interrupts.bin` out.
//!
//! Each sample in the queue holds a lease of a budget that both sides share, so that its high-water mark is the queue's.
#![no_std]
#![no_main]

use board::{HostFile, Once, tick};
use core::cell::RefCell;
use critical_section::Mutex;
use embedded_io::Write;
use heapless::spsc::{Producer, Queue};
use plimsoll_core::budget::{SharedBudget, SharedLease};
use plimsoll_core::series::{Column, Encoder, Kind, Narrow, Pushed, Settings, TimeUnit, Word};
use stories::sensor;

board::start!(run);

/// A sample on its way from the interrupt to the main loop.
struct Taken {
    number: u32,
    value: i32,
    _lease: SharedLease<'static>,
}

/// The interrupt's side.
struct Sensor {
    queue: Producer<'static, Taken>,
    next: u32,
    refused: u32,
}

const ROOM: usize = 64;
/// Cycles between two samples.
const PERIOD: u32 = 16_000;

static BUDGET: SharedBudget = SharedBudget::new(ROOM * size_of::<Taken>());
static QUEUE: Once<Queue<Taken, ROOM>> = Once::new(Queue::new());
static SENSOR: Mutex<RefCell<Option<Sensor>>> = Mutex::new(RefCell::new(None));

/// In the interrupt.
fn sample() {
    critical_section::with(|section| {
        let mut sensor = SENSOR.borrow_ref_mut(section);
        let Some(sensor) = sensor.as_mut().filter(|sensor| sensor.next < sensor::SAMPLES) else { return };
        let number = sensor.next;
        sensor.next += 1;
        let queued = BUDGET.lease("sample", size_of::<Taken>()).ok().is_some_and(|lease| {
            let taken = Taken { number, value: sensor::value(number), _lease: lease };
            sensor.queue.enqueue(taken).is_ok()
        });
        sensor.refused += u32::from(!queued);
    });
}

fn run() -> i32 {
    let (Some(queue), Ok(mut output)) = (QUEUE.take(), HostFile::create(c"interrupts.bin")) else { return 2 };
    let (producer, mut consumer) = queue.split();
    critical_section::with(|section| {
        SENSOR.borrow(section).replace(Some(Sensor { queue: producer, next: 0, refused: 0 }));
    });
    let mut buffer = [0; sensor::BLOCK_BYTES];
    let settings = Settings::new(TimeUnit::Ticks, [Column::new(Kind::I32)]);
    let Ok(mut encoder) = Encoder::<Narrow, 1>::try_new(settings, &mut buffer) else { return 1 };
    let (mut expected, mut bytes, mut most) = (0, 0, 0);
    tick::every(PERIOD, sample);
    while expected < sensor::SAMPLES {
        most = most.max(consumer.len());
        let Some(taken) = consumer.dequeue() else {
            tick::sleep();
            continue;
        };
        if taken.number != expected {
            defmt::error!("sample {} came, but {} was next", taken.number, expected);
            return 1;
        }
        expected += 1;
        while let Ok(Pushed::Full) = encoder.push(i64::from(taken.number), &[Word::from(taken.value)]) {
            let Ok(block) = encoder.seal() else { return 1 };
            bytes += block.len();
            if output.write_all(block).is_err() {
                return 1;
            }
        }
    }
    let Ok(block) = encoder.seal() else { return 1 };
    bytes += block.len();
    if output.write_all(block).is_err() {
        return 1;
    }
    let refused = critical_section::with(|section| {
        SENSOR.borrow_ref(section).as_ref().map_or(u32::MAX, |sensor| sensor.refused)
    });
    let stats = BUDGET.stats();
    defmt::info!("{} samples in {} bytes, {} lost", expected, bytes, refused);
    defmt::info!("at most {} samples and {} of {} bytes waited", most, stats.peak, BUDGET.limit());
    i32::from(refused > 0 || stats.used > 0 || stats.failed > 0)
}
