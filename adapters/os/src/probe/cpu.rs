//! Processors: how many this process may use, and how much of them others use.

use super::groups::{Files, Groups};
use super::small_file::read;
use std::path::Path;

/// Processors by affinity, and by the container's quota rounded down; at least one.
pub(super) fn count(groups: &Groups) -> u32 {
    let affinity = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let quotas = groups.unified.iter().chain(&groups.cpu).filter_map(quota);
    quotas.fold(affinity, u64::min).clamp(1, u64::from(u32::MAX)) as u32
}

/// Whole processors that one group may use; `None` if it is not limited.
fn quota(files: &Files) -> Option<u64> {
    let [quota, period] = &files.quota;
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let (quota, period) = if period.as_os_str().is_empty() {
        // Version 2: `quota period`, or `max period`.
        read(quota, |text| {
            text.trim().split_once(' ').and_then(|(quota, period)| Some((number(quota)?, number(period)?)))
        })?
    } else {
        // Version 1: -1 is no limit, and no such number.
        (read(quota, number)?, read(period, number)?)
    };
    quota.checked_div(period)
}

/// Ticks since the machine started.
#[derive(Clone, Copy, Debug)]
struct Ticks {
    all: u64,
    busy: u64,
    own: u64,
}

/// Measures how much of the processors others use, from one look to the next.
#[derive(Clone, Copy, Debug, Default)]
pub struct CpuMeter {
    last: Option<Ticks>,
}

impl CpuMeter {
    /// Before the first look.
    pub const fn new() -> Self {
        Self { last: None }
    }

    /// The share of all processors that others used since the last look, 0.0 to 1.0.
    pub(super) fn foreign(&mut self, stat: &Path, own_stat: &Path) -> Option<f32> {
        let now = read(stat, machine_ticks)
            .and_then(|(all, busy)| Some(Ticks { all, busy, own: read(own_stat, process_ticks)? }));
        let before = std::mem::replace(&mut self.last, now)?;
        let now = now?;
        let all = now.all.saturating_sub(before.all);
        let busy = now.busy.saturating_sub(before.busy);
        let own = now.own.saturating_sub(before.own);
        (all > 0).then(|| (busy.saturating_sub(own) as f32 / all as f32).min(1.0))
    }
}

/// All ticks and those that were not idle, from `cpu user nice system idle iowait irq softirq steal ...`.
fn machine_ticks(text: &str) -> Option<(u64, u64)> {
    let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let mut ticks = [0u64; 8];
    // What guests used is in `user` already.
    for (to, word) in ticks.iter_mut().zip(line.split_whitespace()) {
        *to = word.parse().ok()?;
    }
    let all = ticks.iter().try_fold(0u64, |sum, ticks| sum.checked_add(*ticks))?;
    let [_, _, _, idle, waiting, ..] = ticks;
    Some((all, all - idle - waiting))
}

/// Ticks of this process: fields 14 and 15, counted after the name, which may hold blanks and parentheses.
fn process_ticks(text: &str) -> Option<u64> {
    let (_, fields) = text.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    user.checked_add(fields.next()?.parse().ok()?)
}
