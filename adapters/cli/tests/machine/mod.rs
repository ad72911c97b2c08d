//! A machine made of a few files, as the system's own under `/proc` and `/sys` are read.

#![allow(dead_code, reason = "each test uses some of it")]

use std::path::PathBuf;

/// A machine whose state is that of its files.
#[derive(Clone)]
pub(crate) struct Machine(pub(crate) PathBuf);

impl Machine {
    fn put(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        // Never half a file: it is read meanwhile.
        let new = self.0.join("new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, path).unwrap();
    }

    /// One container with a gigabyte, a tenth of it used; nobody waits for memory.
    pub(crate) fn calm(&self) {
        self.put("proc/self/mountinfo", "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
        self.put("proc/self/cgroup", "0::/\n");
        self.put("proc/meminfo", "MemAvailable: 9000000 kB\n");
        self.put("sys/fs/cgroup/memory.max", "1000000000\n");
        self.put("sys/fs/cgroup/memory.current", "100000000\n");
        self.put("proc/pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
    }

    /// Tasks wait for memory.
    pub(crate) fn press(&self) {
        self.put("proc/pressure/memory", "some avg10=40.00 avg60=9.00 avg300=1.00 total=99\n");
    }

    /// Somebody lowers the container's limit to what is used already.
    pub(crate) fn lower(&self) {
        self.put("sys/fs/cgroup/memory.max", "101000000\n");
    }
}
