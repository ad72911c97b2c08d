//! Machines made of a few files.

use super::*;
use std::fs;

struct Fake(tempfile::TempDir);

impl Fake {
    fn new(files: &[(&str, &str)]) -> Self {
        let fake = Self(tempfile::tempdir().unwrap());
        fake.put(files);
        fake
    }

    fn put(&self, files: &[(&str, &str)]) {
        for (name, text) in files {
            let path = self.0.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    fn probe(&self) -> Probe {
        Probe::at(self.0.path())
    }

    /// Limit, what is left, and the file under the root.
    fn container(&self) -> Option<(u64, u64, String)> {
        let probe = self.probe();
        let container = probe.container()?;
        let source = container.source.strip_prefix(self.0.path()).unwrap().to_str().unwrap().to_string();
        Some((container.limit_bytes, container.available_bytes, source))
    }
}

const V2: &str = "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
const V1: &str = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd\n";
/// What version 1 says where there is no limit.
const ABSURD: &str = "9223372036854771712\n";

#[test]
fn nothing_there_is_nothing_known() {
    let fake = Fake::new(&[]);
    let probe = fake.probe();
    assert_eq!(probe.process_memory(), ProcessMemory::default());
    assert_eq!(probe.container(), None);
    let readings = probe.readings(&mut CpuMeter::new(), None);
    assert_eq!(readings, Readings::default());
    assert!(probe.cpus() >= 1);
    let budget = probe.available();
    assert_eq!(budget.bytes, 512 << 20);
    assert!(budget.reason.contains("neither"));
}

#[test]
fn malformed_files_are_as_good_as_none() {
    for text in [
        "",
        "\n",
        "VmRSS:\nMemAvailable: many kB\nsome avg10=x\ncpu 1 x\n",
        "\0\0",
        "0::\n:::\n- -\n",
        "-1",
        "1e9",
    ] {
        let names = [
            "proc/self/status",
            "proc/self/cgroup",
            "proc/self/mountinfo",
            "proc/self/stat",
            "proc/meminfo",
            "proc/stat",
            "proc/pressure/memory",
            "sys/fs/cgroup/memory.max",
            "sys/fs/cgroup/memory/memory.limit_in_bytes",
        ];
        let fake = Fake::new(&names.map(|name| (name, text)));
        let mut meter = CpuMeter::new();
        for _ in 0..2 {
            assert_eq!(fake.probe().readings(&mut meter, None), Readings::default(), "{text:?}");
        }
        assert_eq!(fake.probe().container(), None);
    }
    // A number that bytes cannot hold, and one that is cut off by a byte that is no text.
    let fake = Fake::new(&[("proc/meminfo", "MemAvailable: 18446744073709551615 kB\n")]);
    assert_eq!(fake.probe().available_bytes(), None);
    fs::write(fake.0.path().join("proc/meminfo"), b"MemAvailable: 7\xff0 kB\n").unwrap();
    assert_eq!(fake.probe().available_bytes(), Some(7 * 1024));
}

#[test]
fn process_machine_and_pressure_are_read() {
    let fake = Fake::new(&[
        ("proc/self/status", "Name:\tVmRSS: 1\nVmPeak:\t 900 kB\nVmHWM:\t   2048 kB\nVmRSS:\t   1024 kB\n"),
        ("proc/meminfo", "MemTotal:  100 kB\nMemFree: 1 kB\nMemAvailable:   64 kB\n"),
        (
            "proc/pressure/memory",
            "some avg10=12.50 avg60=1.00 avg300=0.00 total=9\nfull avg10=99.00 avg60=0\n",
        ),
    ]);
    let probe = fake.probe();
    let memory = ProcessMemory { resident_bytes: Some(1 << 20), peak_resident_bytes: Some(2 << 20) };
    assert_eq!(probe.process_memory(), memory);
    let readings = probe.readings(&mut CpuMeter::new(), None);
    assert_eq!(readings.available_bytes, Some(64 << 10));
    assert_eq!(readings.memory_pressure, Some(0.125));
    let budget = probe.available();
    assert_eq!(budget.bytes, 64 << 10);
    assert_eq!(probe.default_budget_bytes(), 32 << 10);
    assert!(budget.reason.contains("MemAvailable"));
}

#[test]
fn version_2_takes_the_narrowest_limit_up_the_tree() {
    let group = "sys/fs/cgroup/kubepods/pod/app";
    let fake = Fake::new(&[
        ("proc/self/cgroup", "0::/kubepods/pod/app\n"),
        ("proc/self/mountinfo", V2),
        (&format!("{group}/memory.max"), "max\n"),
        (&format!("{group}/memory.high"), "max\n"),
        (&format!("{group}/memory.current"), "1000\n"),
        ("sys/fs/cgroup/kubepods/pod/memory.max", "8000000\n"),
        ("sys/fs/cgroup/kubepods/pod/memory.current", "3000000\n"),
        ("sys/fs/cgroup/kubepods/pod/memory.stat", "anon 5\ninactive_file 1000000\n"),
        ("sys/fs/cgroup/kubepods/memory.max", "9000000\n"),
        ("sys/fs/cgroup/kubepods/memory.current", "7500000\n"),
        ("proc/meminfo", "MemAvailable: 99999999 kB\n"),
        ("proc/pressure/memory", "some avg10=50.00\n"),
        (&format!("{group}/memory.pressure"), "some avg10=1.00 avg60=0\n"),
        (&format!("{group}/cpu.max"), "max 100000\n"),
        ("sys/fs/cgroup/kubepods/cpu.max", "50000 100000\n"),
    ]);
    let pod = "sys/fs/cgroup/kubepods/pod/memory.max";
    // The pod has the lowest limit; its parent has the least left.
    assert_eq!(fake.container(), Some((8_000_000, 1_500_000, pod.into())));
    assert_eq!(fake.probe().memory_pressure(), Some(0.01));
    assert_eq!(fake.probe().cpus(), 1);
    let budget = fake.probe().available();
    assert_eq!(budget.bytes, 1_500_000);
    assert!(budget.reason.contains("left in the container (8000000 in "), "{}", budget.reason);
    // `memory.high` counts as a limit, and one nearer to the process as well.
    fake.put(&[(&format!("{group}/memory.high"), "5000\n")]);
    assert_eq!(fake.container(), Some((5000, 4000, format!("{group}/memory.high"))));
}

#[test]
fn version_1_knows_its_absurd_limit_and_its_cache() {
    let group = "sys/fs/cgroup/memory/docker/abc";
    let fake = Fake::new(&[
        ("proc/self/cgroup", "9:name=systemd:/\n4:memory:/docker/abc\n2:cpuset,cpu:/docker\n0::/\n"),
        ("proc/self/mountinfo", V1),
        (&format!("{group}/memory.limit_in_bytes"), ABSURD),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", ABSURD),
        ("sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_quota_us", "-1\n"),
        ("sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_period_us", "100000\n"),
    ]);
    assert_eq!(fake.container(), None);
    let unlimited = fake.probe().cpus();
    assert_eq!(unlimited as usize, std::thread::available_parallelism().unwrap().get());
    fake.put(&[
        ("sys/fs/cgroup/memory/docker/memory.limit_in_bytes", "4096000\n"),
        ("sys/fs/cgroup/memory/docker/memory.usage_in_bytes", "3000000\n"),
        ("sys/fs/cgroup/memory/docker/memory.stat", "inactive_file 7\ntotal_inactive_file 1000000\n"),
        ("sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_quota_us", "150000\n"),
    ]);
    let source = "sys/fs/cgroup/memory/docker/memory.limit_in_bytes";
    assert_eq!(fake.container(), Some((4_096_000, 2_096_000, source.into())));
    assert_eq!(fake.probe().cpus(), 1);
}

#[test]
fn both_versions_at_once_bind_by_the_narrower() {
    let unified = "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
    let fake = Fake::new(&[
        ("proc/self/cgroup", "4:memory:/a\n0::/b\n"),
        ("proc/self/mountinfo", &format!("{V1}{unified}")),
        ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "500\n"),
        ("sys/fs/cgroup/unified/b/memory.max", "400\n"),
    ]);
    assert_eq!(fake.container().unwrap().0, 400);
    fake.put(&[("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "300\n")]);
    assert_eq!(fake.container().unwrap().0, 300);
}

#[test]
fn a_container_that_sees_a_part_of_the_tree_finds_its_own() {
    // Without a namespace: the mount shows `/docker/abc` at its own root, and the point has a blank in it.
    let fake = Fake::new(&[
        ("proc/self/cgroup", "0::/docker/abc/worker\n"),
        ("proc/self/mountinfo", "31 23 0:28 /docker/abc /my\\040groups rw - cgroup2 none rw\n"),
        ("my groups/worker/memory.max", "2000\n"),
        ("my groups/memory.max", "1000\n"),
    ]);
    assert_eq!(fake.container(), Some((1000, 1000, "my groups/memory.max".into())));
    // A process that was moved out of what its namespace shows.
    fake.put(&[("proc/self/cgroup", "0::/docker/abc/../../other\n"), ("memory.max", "1\n")]);
    assert_eq!(fake.container().unwrap().0, 1000);
}

#[test]
fn without_mount_table_the_usual_places_are_asked() {
    for (own, file) in [
        ("0::/app\n", "sys/fs/cgroup/app/memory.max"),
        ("0::/app\n", "sys/fs/cgroup/unified/memory.high"),
        ("3:memory,hugetlb:/app\n", "sys/fs/cgroup/memory/app/memory.limit_in_bytes"),
    ] {
        let fake = Fake::new(&[("proc/self/cgroup", own), (file, "12345\n")]);
        assert_eq!(fake.container(), Some((12345, 12345, file.into())));
    }
}

#[test]
fn the_load_is_what_others_used_since_the_last_look() {
    let ticks = |user: u64, idle: u64, own: u64| {
        // The process is called `a) 9`.
        let own = format!("7 (a) 9) R 1 1 1 0 -1 0 0 0 0 0 {own} 10 0 0 20 0 1 0 5\n");
        (format!("cpu  {user} 0 0 {idle} 50 0 0 0 999 999\ncpu0 1 1 1 1\n"), own)
    };
    let fake = Fake::new(&[]);
    let mut meter = CpuMeter::new();
    let mut look = |(machine, own): (String, String)| {
        fake.put(&[("proc/stat", &machine), ("proc/self/stat", &own)]);
        fake.probe().readings(&mut meter, None).foreign_cpu
    };
    assert_eq!(look(ticks(1000, 1000, 100)), None);
    // 100 ticks: 75 busy, 25 of them ours.
    assert_eq!(look(ticks(1075, 1025, 125)), Some(0.5));
    assert_eq!(look(ticks(1075, 1025, 125)), None);
    assert_eq!(look(ticks(1175, 1025, 125)), Some(1.0));
}

#[cfg(target_os = "linux")]
#[test]
fn this_machine_answers() {
    let probe = Probe::system();
    let memory = probe.process_memory();
    let resident = memory.resident_bytes.unwrap();
    assert!(resident > 100 << 10 && memory.peak_resident_bytes.unwrap() >= resident);
    assert!(probe.available_bytes().unwrap() > 1 << 20);
    let folder = tempfile::tempdir().unwrap();
    assert!(probe.disk_free_bytes(folder.path()).unwrap() > 0);
    assert_eq!(probe.disk_free_bytes(&folder.path().join("none")), None);
    assert!(probe.available().bytes > 1 << 20);
}
