//! Finds the control groups that this process is in, version 1 and 2, and all groups above them that can be seen.
//!
//! `/proc/self/cgroup` says which group, `/proc/self/mountinfo` where its files are. In a container without a
//! namespace of its own the mount shows a part of the tree only, whose root is the mount's `root` field.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// The files of one controller: which version they are, and the folders from the own group upwards.
#[derive(Clone, Debug)]
pub(super) struct Groups {
    /// Files of version 2 (`memory.max`, `cpu.max`).
    pub(super) unified: Vec<Files>,
    /// Files of the memory controller of version 1.
    pub(super) memory: Vec<Files>,
    /// Files of the processor controller of version 1.
    pub(super) cpu: Vec<Files>,
    pressure: Option<PathBuf>,
}

/// The files of one group. Those that are not there are skipped when they are read.
#[derive(Clone, Debug)]
pub(super) struct Files {
    /// What limits memory: each a number of bytes, or words for none.
    pub(super) limits: Vec<PathBuf>,
    /// What is used.
    pub(super) usage: PathBuf,
    /// The breakdown of it.
    pub(super) stat: PathBuf,
    /// Quota of processor time, and in version 1 its period.
    pub(super) quota: [PathBuf; 2],
}

/// A mounted hierarchy.
struct Mount {
    root: PathBuf,
    point: PathBuf,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Unified,
    Memory,
    Cpu,
}

/// Where hierarchies usually are mounted.
const USUAL: [(&str, Kind); 6] = [
    ("/sys/fs/cgroup", Kind::Unified),
    ("/sys/fs/cgroup/unified", Kind::Unified),
    ("/sys/fs/cgroup/memory", Kind::Memory),
    ("/sys/fs/cgroup/cpu", Kind::Cpu),
    ("/sys/fs/cgroup/cpu,cpuacct", Kind::Cpu),
    ("/sys/fs/cgroup/cpuacct,cpu", Kind::Cpu),
];

/// A tree deeper than this is none of a real machine.
const MOST_LEVELS: usize = 64;

impl Groups {
    pub(super) fn find(root: &Path) -> Self {
        let read = |name: &str| std::fs::read(root.join(name)).unwrap_or_default();
        let own = read("proc/self/cgroup");
        let own = String::from_utf8_lossy(&own);
        let mut mounts = mounts(&String::from_utf8_lossy(&read("proc/self/mountinfo")));
        if mounts.is_empty() {
            let usual = |(point, kind)| Mount { root: "/".into(), point: PathBuf::from(point), kind };
            mounts.extend(USUAL.map(usual));
        }
        let mut groups = Self { unified: Vec::new(), memory: Vec::new(), cpu: Vec::new(), pressure: None };
        for mount in &mounts {
            let Some(group) = own_group(&own, mount.kind) else { continue };
            let folders = folders(root, mount, Path::new(group));
            let list = match mount.kind {
                Kind::Unified => &mut groups.unified,
                Kind::Memory => &mut groups.memory,
                Kind::Cpu => &mut groups.cpu,
            };
            list.extend(folders.iter().map(|folder| match mount.kind {
                Kind::Unified => Files {
                    limits: vec![folder.join("memory.max"), folder.join("memory.high")],
                    usage: folder.join("memory.current"),
                    stat: folder.join("memory.stat"),
                    quota: [folder.join("cpu.max"), PathBuf::new()],
                },
                Kind::Memory | Kind::Cpu => Files {
                    limits: vec![folder.join("memory.limit_in_bytes")],
                    usage: folder.join("memory.usage_in_bytes"),
                    stat: folder.join("memory.stat"),
                    quota: [folder.join("cpu.cfs_quota_us"), folder.join("cpu.cfs_period_us")],
                },
            }));
            if mount.kind == Kind::Unified && groups.pressure.is_none() {
                let file = folders.first().map(|folder| folder.join("memory.pressure"));
                groups.pressure = file.filter(|file| file.is_file());
            }
        }
        groups
    }

    /// The own group's memory pressure.
    pub(super) fn pressure(&self) -> Option<&Path> {
        self.pressure.as_deref()
    }
}

/// The path of the own group in a hierarchy, from lines `number:controllers:path`.
fn own_group(own: &str, kind: Kind) -> Option<&str> {
    own.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (number, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let mut names = controllers.split(',');
        let this = match kind {
            Kind::Unified => number == "0" && controllers.is_empty(),
            Kind::Memory => names.any(|name| name == "memory"),
            Kind::Cpu => names.any(|name| name == "cpu"),
        };
        this.then_some(path)
    })
}

/// The hierarchies in lines `id parent device root point options ... - type source superoptions`.
fn mounts(text: &str) -> Vec<Mount> {
    let mount = |line: &str| {
        let (place, fs) = line.split_once(" - ")?;
        let mut fs = fs.split(' ');
        let kind = fs.next()?;
        let mut options = fs.nth(1)?.split(',');
        let kind = match kind {
            "cgroup2" => Kind::Unified,
            "cgroup" => match options.find(|name| ["memory", "cpu"].contains(name))? {
                "memory" => Kind::Memory,
                _ => Kind::Cpu,
            },
            _ => return None,
        };
        let mut place = place.split(' ').skip(3);
        Some(Mount { root: unescaped(place.next()?), point: unescaped(place.next()?), kind })
    };
    text.lines().filter_map(mount).collect()
}

/// A path in which blanks and the like are written as `\040`.
fn unescaped(text: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let octal =
            after.get(..3).filter(|_| *first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[3..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    OsString::from_vec(bytes).into()
}

/// The folders from the own group up to the mount point.
fn folders(root: &Path, mount: &Mount, group: &Path) -> Vec<PathBuf> {
    let under = |path: &Path| root.join(path.strip_prefix("/").unwrap_or(path));
    // A group outside of what is mounted (`/../..`) shows at least the limits of the mount's root.
    let inside = group.strip_prefix(&mount.root).unwrap_or(Path::new(""));
    let outside = inside.components().any(|part| part == std::path::Component::ParentDir);
    let inside = if outside { Path::new("") } else { inside };
    let point = under(&mount.point);
    inside.ancestors().take(MOST_LEVELS).map(|above| point.join(above)).collect()
}
