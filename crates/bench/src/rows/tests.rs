//! Every row is run at small size: that it works, and that it computes what the reference device computes.

use super::*;
use teenygrad::Device;

/// The machine's own rows don't use the library.
fn library_rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(|row| !row.name.starts_with("machine_"))
}

#[test]
fn every_row_runs_again_and_again() {
    for row in ROWS {
        let mut case = (row.make)(Setup::small());
        for _ in 0..2 {
            if let Err(wrong) = case.checked() {
                panic!("{}: {wrong}", row.name);
            }
        }
    }
}

#[test]
fn every_row_computes_what_the_reference_does() {
    for row in library_rows() {
        let fast = (row.make)(Setup::small()).checked();
        let slow = (row.make)(Setup::small().on(Device::REFERENCE)).checked();
        let (fast, slow) = (fast.unwrap(), slow.unwrap());
        assert_eq!(fast.len(), slow.len());
        for (a, b) in fast.iter().zip(&slow) {
            assert!((a - b).abs() <= 1e-4 * b.abs(), "{}: {a} and {b}", row.name);
        }
    }
}

#[test]
fn filters_find_one_or_some_or_tell_the_nearest() {
    let names = |filter| -> Vec<&str> {
        matching(Some(filter))
            .unwrap()
            .iter()
            .map(|row| row.name)
            .collect()
    };
    assert_eq!(names("graph_1000"), ["graph_1000"]);
    assert_eq!(names("graph"), ["graph_1000", "graph_1000_new"]);
    assert_eq!(names("conv_fwd").len(), 3);
    assert_eq!(matching(None).unwrap().len(), ROWS.len());
    let message = matching(Some("matmull_25")).err().unwrap();
    assert!(message.contains("did you mean matmul_256?"), "{message}");
}

#[test]
fn edits_are_counted() {
    for (from, to, count) in [("", "ab", 2), ("kitten", "sitting", 3), ("same", "same", 0)] {
        assert_eq!(edits(from, to), count);
        assert_eq!(edits(to, from), count);
    }
}

#[test]
fn names_are_unique() {
    let mut names: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), ROWS.len());
}
