//! What people and scripts see: exact tables, JSON, exit statuses, and trees that are not as one would like them.

mod common;

use common::{Folder, text};
use std::io::Read;
use std::process::{Command, Stdio};

const A: &str = "\
\"\"\"What it is.\"\"\"

import b # neighbours

class Shape:
    def area(self):
        return b.two() # twice
";
const B: &str = "def two():\n    # a comment\n    return 2\n";
const C: &str = "//! Rust.\n\npub struct Circle;\n\nimpl Circle {\n    pub fn area(&self) -> f32 { 3.0 }\n}\n\nfn main() {}\n";

fn small() -> Folder {
    Folder::with(&[
        ("a.py", A),
        ("in/deep/b.py", B),
        ("in/c.rs", C),
        ("notes.md", "# no code\n"),
    ])
}

// ---- What is printed ------------------------------------------------------------------------------------------------------

#[test]
fn stats() {
    let expected = "\
Metrics
╭─────────────────────┬──────╮
│  Total Files        │  3   │
│  Total Directories  │  3   │
│  Total Lines        │  19  │
│  Code Lines         │  11  │
│  Comment Lines      │  3   │
│  Empty Lines        │  5   │
│  Functions          │  4   │
│  Classes            │  2   │
│  Trailing Comments  │  2   │
╰─────────────────────┴──────╯
";
    assert_eq!(small().print(&["stats"]), expected);
}

#[test]
fn files() {
    let expected = "\
File Distribution
╭───────────┬────────┬────────┬────────────┬─────────┬─────────┬─────────┬──────────╮
│  Path     │  File  │  Code  │  Comments  │  Empty  │  Total  │  Share  │    Size  │
├───────────┼────────┼────────┼────────────┼─────────┼─────────┼─────────┼──────────┤
│  Root     │  a.py  │     4  │         1  │      2  │      7  │    20%  │  0.10KB  │
│  in       │  c.rs  │     5  │         1  │      3  │      9  │    17%  │  0.10KB  │
│  in/deep  │  b.py  │     2  │         1  │      0  │      3  │    33%  │  0.04KB  │
╰───────────┴────────┴────────┴────────────┴─────────┴─────────┴─────────┴──────────╯
";
    let folder = small();
    assert_eq!(folder.print(&["files"]), expected);
    let order = |by: &str| -> Vec<String> {
        let rows = folder.print(&["files", "--sort", by, "--json"]);
        let rows: serde_json::Value = serde_json::from_str(&rows).unwrap();
        let file = |row: &serde_json::Value| row["file"].as_str().unwrap().to_owned();
        rows.as_array().unwrap().iter().map(file).collect()
    };
    assert_eq!(order("file"), ["a.py", "b.py", "c.rs"]);
    assert_eq!(order("total"), ["c.rs", "a.py", "b.py"]);
    assert_eq!(order("share"), ["b.py", "a.py", "c.rs"]);
}

#[test]
fn structure() {
    let expected = "\
📁 Root
├── 📄 a.py
│   └── 🔷 Shape
│       └── 🔹 area
└── 📁 in
    ├── 📄 c.rs
    │   ├── 🔷 Circle
    │   │   └── 🔹 area
    │   └── 🔸 main
    └── 📁 deep
        └── 📄 b.py
            └── 🔸 two
";
    assert_eq!(small().print(&["strct"]), expected);
    let types = "trait Zoo { fn b(); fn a(); }\nimpl Far { fn c() {} }\nimpl Zoo for Near { fn b() {} fn a() {} }\nstruct Near;
macro_rules! m { () => {} }\nfn z() {}\nmod tests { fn y() {} }\n";
    let folder = Folder::with(&[("a.rs", types)]);
    let expected = "\
📁 Root
└── 📄 a.rs
    ├── 🔷 Zoo
    │   ├── 🔹 b
    │   └── 🔹 a
    ├── 🔷 Near
    │   ├── 🔹 Zoo::b
    │   └── 🔹 Zoo::a
    ├── 🔷 impl Far
    │   └── 🔹 c
    ├── 🔸 z
    ├── 🔸 y
    └── 🔸 m!
";
    assert_eq!(folder.print(&["strct"]), expected);
    let sorted = folder.print(&["strct", "--sort", "name"]);
    let names: Vec<&str> = sorted
        .lines()
        .filter_map(|line| line.rsplit(' ').next())
        .collect();
    let expected = [
        "Root", "a.rs", "Far", "c", "Near", "Zoo::a", "Zoo::b", "Zoo", "a", "b", "y", "z", "m!",
    ];
    assert_eq!(names, expected);
}

#[test]
fn json_has_the_same_figures() {
    let folder = small();
    let read = |command: &str| -> serde_json::Value {
        serde_json::from_str(&folder.print(&[command, "--json"])).unwrap()
    };
    let stats = read("stats");
    assert_eq!(
        (&stats["files"], &stats["lines"]["code"]),
        (&3.into(), &11.into())
    );
    let tree = read("strct");
    let class = &tree["children"][0]["children"][0];
    assert_eq!(
        (&class["kind"], &class["name"], &class["line"]),
        (&"class".into(), &"Shape".into(), &5.into())
    );
    let calls = read("calls");
    assert_eq!(calls[0]["callers"][0]["name"], "Shape.area");
    assert_eq!(read("dead")[0]["name"], "Shape");
}

// ---- Which files ----------------------------------------------------------------------------------------------------------

fn names(folder: &Folder, arguments: &[&str]) -> Vec<String> {
    let mut all = vec!["files", "--json"];
    all.extend(arguments);
    let output = folder.run(&all);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let name = |row: &serde_json::Value| match row["path"].as_str().unwrap() {
        "Root" => row["file"].as_str().unwrap().to_owned(),
        path => format!("{path}/{}", row["file"].as_str().unwrap()),
    };
    rows.as_array().unwrap().iter().map(name).collect()
}

#[test]
fn what_git_ignores_is_not_read() {
    let folder = small();
    folder.write(".gitignore", b"/in/deep\n");
    folder.write(".hidden/d.py", b"x = 1\n");
    folder.write("in/.gitignore", b"c.*\n");
    assert_eq!(names(&folder, &[]), ["a.py"]);
    assert_eq!(
        names(&folder, &["--no-gitignore"]),
        ["a.py", "in/c.rs", "in/deep/b.py"]
    );
    // below an ignored folder, when that is what was asked for
    assert_eq!(names(&folder, &["in/deep"]), ["b.py"]);
}

#[test]
fn patterns_leave_out() {
    let folder = small();
    assert_eq!(
        names(&folder, &["--ignore", "*.rs"]),
        ["a.py", "in/deep/b.py"]
    );
    assert_eq!(
        names(&folder, &["--ignore", "deep/", "--ignore", "a.*"]),
        ["in/c.rs"]
    );
    let output = folder.run(&["stats", "--ignore", "a[b"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("codar: --ignore a[b: "));
}

#[test]
fn a_file_is_a_tree_too() {
    let folder = small();
    assert_eq!(names(&folder, &["in/c.rs"]), ["c.rs"]);
    assert!(
        folder
            .print(&["strct", "a.py"])
            .starts_with("📁 Root\n└── 📄 a.py\n")
    );
    let output = folder.run(&["stats", "notes.md"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stderr),
        "codar: notes.md: neither a Rust nor a Python file\n"
    );
    let output = folder.run(&["stats", "nowhere"]);
    assert_eq!(
        (output.status.code(), text(&output.stdout)),
        (Some(1), String::new())
    );
    assert!(text(&output.stderr).starts_with("codar: nowhere: "));
}

#[test]
fn nothing_is_no_mistake() {
    let folder = Folder::with(&[]);
    let output = folder.run(&["stats"]);
    assert!(output.status.success());
    assert!(text(&output.stdout).contains("Total Files        │  0"));
    assert!(text(&output.stderr).starts_with("codar: no Rust or Python file in ."));
    for command in ["files", "strct", "calls", "dead"] {
        assert!(folder.run(&[command]).status.success());
    }
}

#[test]
fn bad_files_are_named_and_stop_nothing() {
    let folder = small();
    folder.write("binary.py", b"\0\x01\x02");
    folder.write("latin.py", b"# caf\xe9\n");
    folder.write("broken.rs", b"fn a() {}\nfn (\n");
    let output = folder.run(&["stats"]);
    assert!(output.status.success());
    let expected = "\
codar: binary.py: holds zero bytes: not a text in UTF-8
codar: broken.rs: line 2: not understood; its figures may be off
codar: latin.py: line 1: not UTF-8; read with \u{fffd} for what is not
";
    assert_eq!(text(&output.stderr), expected);
    let printed = text(&output.stdout);
    for row in [
        "│  Total Files        │  5   │",
        "│  Files Not Read     │  1   │",
        "│  Files In Doubt     │  2   │",
    ] {
        assert!(printed.contains(row), "{printed}");
    }
}

#[cfg(unix)]
#[test]
fn links_lead_nowhere_in_circles() {
    use std::os::unix::fs::symlink;
    let folder = small();
    symlink(folder.path(), folder.path().join("in/loop")).unwrap();
    symlink("nowhere.py", folder.path().join("gone.py")).unwrap();
    assert_eq!(names(&folder, &[]), ["a.py", "in/c.rs", "in/deep/b.py"]);
    // the path given may be one
    symlink("in", folder.path().join("inside")).unwrap();
    assert_eq!(names(&folder, &["inside"]), ["c.rs", "deep/b.py"]);
}

#[cfg(unix)]
#[test]
fn names_cannot_move_the_cursor() {
    let folder = Folder::with(&[("a\u{1b}[2J\n.py", "x = 1\n")]);
    assert!(folder.print(&["files"]).contains("  a\\u{1b}[2J\\n.py  "));
}

// ---- The way out ----------------------------------------------------------------------------------------------------------

#[test]
fn colours_are_for_terminals() {
    let folder = small();
    for command in ["stats", "files", "strct", "calls", "dead"] {
        let printed = folder.print(&[command]);
        assert!(!printed.contains('\u{1b}'), "{printed}");
    }
    let mut forced = Command::new(env!("CARGO_BIN_EXE_codar"));
    forced
        .current_dir(folder.path())
        .arg("stats")
        .env("CLICOLOR_FORCE", "1")
        .env_remove("NO_COLOR");
    assert!(text(&forced.output().unwrap().stdout).contains('\u{1b}'));
}

#[test]
fn a_reader_may_stop_early() {
    // More than a pipe holds.
    let long: String = (0..20_000)
        .map(|n| format!("def function_{n}(): pass\n"))
        .collect();
    let folder = Folder::with(&[("a.py", &long)]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_codar"))
        .current_dir(folder.path())
        .arg("strct")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 16];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stderr), "");
    assert!(output.status.success());
}

#[test]
fn a_wrong_command_line_is_2() {
    let folder = small();
    for wrong in [
        &["tree"][..],
        &["stats", "--sort", "size"],
        &["files", "--sort", "colour"],
        &[],
        &["readme"],
    ] {
        assert_eq!(folder.run(wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn a_readme_is_written_and_checked() {
    let folder = small();
    let output = folder.run(&["readme", "--check"]);
    assert_eq!(output.status.code(), Some(1));
    folder.write(
        "README.md",
        b"# Title\n<!-- codar: begin -->\nold\n<!-- codar: end -->\nthe end\n",
    );
    let output = folder.run(&["readme", "--check"]);
    let stale = format!(
        "codar: {} is stale: codar readme --write makes it fresh\n",
        "./README.md"
    );
    assert_eq!(
        (output.status.code(), text(&output.stderr)),
        (Some(1), stale)
    );
    folder.write("in/deep/er/e.py", b"\n");
    folder.print(&["readme", "--write"]);
    folder.print(&["readme", "--check"]);
    let written = std::fs::read_to_string(folder.path().join("README.md")).unwrap();
    assert!(written.starts_with("# Title\n<!-- codar: begin -->\n```text\nMetrics\n"));
    assert!(written.ends_with("\n</details>\n<!-- codar: end -->\nthe end\n"));
    let rows = [
        "│  in/deep  │      2  │     2  │         1  │      1  │      4  │    33%  │\n",
        "│   ├── 📄 c.rs · 9 lines, 17% comments\n",
    ];
    assert!(written.contains(rows[0]), "{written}");
    assert!(written.contains(&rows[1][4..]), "{written}");
    folder.write("in/d.rs", b"fn more() {}\n");
    assert_eq!(folder.run(&["readme", "--check"]).status.code(), Some(1));
    folder.write("README.md", b"no markers\n");
    let output = folder.run(&["readme", "--write"]);
    assert_eq!(
        text(&output.stderr),
        "codar: ./README.md: no line <!-- codar: begin -->\n"
    );
}
