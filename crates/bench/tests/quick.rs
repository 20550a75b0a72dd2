//! The program as others run it: `--quick` runs every row, and `--json` prints what compare.py reads.

use std::process::Command;

fn lines(arguments: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_teenygrad-bench"))
        .args(arguments)
        .output()
        .expect("the bench was built");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    let text = String::from_utf8(output.stdout).expect("lines are text");
    text.lines().map(str::to_string).collect()
}

#[test]
fn every_row_prints_one_json_object() {
    let rows = lines(&["--list"]);
    let measured = lines(&["--quick", "--json"]);
    assert_eq!(rows.len(), measured.len());
    for (row, line) in rows.iter().zip(&measured) {
        let object: serde_json::Value = serde_json::from_str(line).expect(line);
        let name = object["name"].as_str().expect(line);
        assert_eq!(row.split_whitespace().next(), Some(name));
        let [median, min, runs] =
            ["median_ms", "min_ms", "runs"].map(|key| object[key].as_f64().expect(line));
        assert!(0.0 < min && min <= median && runs >= 2.0, "{line}");
    }
}

#[test]
fn threads_do_not_change_what_is_computed() {
    let digests = |threads| {
        let lines = lines(&["conv_bwd", "--quick", "--json", "--threads", threads]);
        let digest = |line: &String| {
            let object: serde_json::Value = serde_json::from_str(line).expect(line);
            object["digest"].to_string()
        };
        lines.iter().map(digest).collect::<Vec<_>>()
    };
    assert_eq!(digests("1"), digests("3"));
}
