//! # process: what the system knows about this process
//!
//! **In:** Linux' `/proc/self`. **Out:** numbers, or `None` on systems that don't have it.

use std::fs;

/// Page faults so far that needed no disk: pages that the system had to make because somebody touched fresh memory.
pub fn faults() -> Option<u64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in parentheses, and may hold spaces; faults are the eighth after it.
    stat.rsplit_once(')')?
        .1
        .split_whitespace()
        .nth(7)?
        .parse()
        .ok()
}

/// Seconds that processors have worked for this process so far, all threads together. Unlike the time on the clock, it doesn't run while
/// another program has the processor.
pub fn cpu() -> Option<f64> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir("/proc/self/task").ok()? {
        let times = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        nanoseconds += times.split_whitespace().next()?.parse::<u64>().ok()?;
    }
    Some(nanoseconds as f64 * 1e-9)
}

/// The most memory that was resident at any time since the start or [`forget_peak`], in MB.
pub fn peak() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024.0 / 1e6)
}

/// Lets [`peak`] start anew from what is resident now. Where the system doesn't offer that, the peak is that of the whole process.
pub fn forget_peak() {
    drop(fs::write("/proc/self/clear_refs", "5"));
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn work_takes_processor_time() {
        let before = cpu().unwrap();
        let start = std::time::Instant::now();
        while start.elapsed().as_millis() < 30 {
            std::hint::black_box(());
        }
        let used = cpu().unwrap() - before;
        assert!(used > 0.001, "{used}");
    }

    #[test]
    fn touching_memory_is_noticed() {
        let (before, peak_before) = (faults().unwrap(), peak().unwrap());
        let fresh = std::hint::black_box(vec![1u8; 32 << 20]);
        // A page has 4096 bytes, or is one of 2 MiB.
        assert!(faults().unwrap() >= before + 16);
        assert!(peak().unwrap() > peak_before.max(32.0));
        drop(fresh);
    }
}
