//! # report: the table, and the JSON lines
//!
//! **In:** what was measured of a row. **Out:** a line of text for people, or of JSON for programs.

use crate::case::Work;
use crate::timing::Times;
use serde_json::json;

/// What was measured of a row.
pub struct Line {
    pub name: &'static str,
    pub times: Times,
    pub work: Work,
    pub digest: Vec<f64>,
    /// MB
    pub peak: Option<f64>,
}

/// Names of the table's columns.
pub const HEAD: &str = "name                      median ms     min ms    runs   GFLOP/s     GB/s   faults/run   peak MB";

impl Line {
    /// 10⁹ operations of arithmetic a second, where that says something.
    fn gflops(&self) -> Option<f64> {
        (self.work.flops > 0.0).then(|| self.work.flops / self.times.median * 1e-9)
    }

    /// 10⁹ bytes a second, where that says something.
    fn gigabytes(&self) -> Option<f64> {
        (self.work.bytes > 0.0).then(|| self.work.bytes / self.times.median * 1e-9)
    }

    /// As a line under [`HEAD`].
    pub fn table(&self) -> String {
        let or_blank = |number: Option<f64>, digits: usize| {
            number.map_or(String::new(), |number| format!("{number:.digits$}"))
        };
        let line = format!(
            "{:<24} {:>10.3} {:>10.3} {:>7} {:>9} {:>8} {:>12} {:>9}",
            self.name,
            self.times.median * 1e3,
            self.times.min * 1e3,
            self.times.runs,
            or_blank(self.gflops(), 1),
            or_blank(self.gigabytes(), 1),
            or_blank(self.times.faults, 1),
            or_blank(self.peak, 0),
        );
        line.trim_end().to_string()
    }

    /// As one JSON object. What is not known is left out.
    pub fn json(&self) -> String {
        let mut object = json!({
            "name": self.name,
            "median_ms": self.times.median * 1e3,
            "min_ms": self.times.min * 1e3,
            "runs": self.times.runs,
            "digest": self.digest,
        });
        let known = [
            ("cpu_ms", self.times.cpu.map(|seconds| seconds * 1e3)),
            ("gflops", self.gflops()),
            ("gb_s", self.gigabytes()),
            ("faults", self.times.faults),
            ("peak_mb", self.peak),
        ];
        for (key, number) in known {
            if let Some(number) = number {
                object[key] = json!(number);
            }
        }
        object.to_string()
    }
}

/// The answer to a name that is no row.
pub fn unknown(name: &str) -> String {
    json!({"name": name, "error": "no such row"}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_hold_what_is_known() {
        let times = Times {
            median: 0.002,
            min: 0.001,
            runs: 3,
            cpu: None,
            faults: None,
        };
        let line = Line {
            name: "matmul_256",
            times,
            work: Work::flops(4_000_000),
            digest: vec![1.5],
            peak: None,
        };
        let json: serde_json::Value = serde_json::from_str(&line.json()).unwrap();
        assert_eq!(json["median_ms"], 2.0);
        assert_eq!(json["gflops"], 2.0);
        assert_eq!(json["runs"], 3);
        assert!(json.get("peak_mb").is_none());
        let table = line.table();
        assert!(
            table.starts_with("matmul_256 ") && table.contains(" 2.000 "),
            "{table}"
        );
    }
}
