//! Tests of `source`: small files whose lines, functions and classes were counted by hand.

use super::*;
use crate::language::Language;

/// Reads a text as the file of this name.
fn read(name: &str, text: &str) -> Source {
    let path = Path::new(name);
    let language = Language::of(path).unwrap();
    let (source, trouble) = Source::read(path, language, text.as_bytes(), &Queries::new(), true);
    assert_eq!(trouble, None);
    source.unwrap()
}

/// total, code, comments, empty, trailing
fn lines(source: &Source) -> [usize; 5] {
    let lines = source.lines;
    [
        lines.total,
        lines.code,
        lines.comments,
        lines.empty,
        lines.trailing,
    ]
}

/// Each item with those around it, and its line.
fn listed(source: &Source) -> Vec<String> {
    let one = |at: usize| {
        let mut names: Vec<&str> = std::iter::once(at)
            .chain(source.around(at))
            .map(|item| source.items[item].name.as_str())
            .collect();
        names.reverse();
        format!(
            "{:?} {} {}",
            source.items[at].kind,
            names.join("/"),
            source.items[at].line
        )
    };
    (0..source.items.len()).map(one).collect()
}

const PYTHON: &str = r##"#!/usr/bin/env python3
"""A docstring

of three lines, one of them empty."""
import os  # a trailing comment

url = "http://example.org/#no-comment"  # one
text = """a string
# is no comment

even here"""


class Point:
    'In single quotes.'
    x = 1
    """What a field is for."""

    @property
    def length(self):
        # a comment
        def squared(v): return v * v
        return squared(self.x)

    async def wait(self): "says what it is"; return 1

    key = lambda self: "#"

    class Inner:
        def f(self):
            f"no {self} docstring"
            b"nor this"
            return 1 // 2
"##;

#[test]
fn python_by_hand() {
    let source = read("a.py", PYTHON);
    // empty: 3, 6, 10, 12, 13, 18, 24, 26, 28
    // comments: 1, 2, 4, 15, 17, 21. Line 25 holds a docstring and code: trailing, as are 5 and 7.
    assert_eq!(lines(&source), [33, 18, 6, 9, 3]);
    let items = [
        "Class Point 14",
        "Function Point/length 20",
        "Function Point/length/squared 22",
        "Function Point/wait 25",
        "Class Point/Inner 29",
        "Function Point/Inner/f 30",
    ];
    assert_eq!(listed(&source), items);
    assert_eq!(source.items[1].attributes, ["property"]);
    assert_eq!(source.items[1].owner.as_deref(), Some("Point"));
    assert_eq!(source.items[2].owner, None);
}

const RUST: &str = r###"#!/usr/bin/env run
//! What this is for.
#![doc = "and this
says more"]
#![allow(dead_code)]

/* a block /* in a block
   */ still a comment */
/// A point.
#[derive(Clone)] // a trailing comment
struct Point { x: f32 }

#[doc = r#"An enum."#]
pub enum Either { A, B }
#[doc(hidden)]
union Bits { a: u32, b: f32 }

impl<'a, T: Into<f32>> From<&'a T> for Point {
    fn from(_: &'a T) -> Self { Point { x: 0.0 } }
}

impl Point {
    pub const URL: &str = "http://x"; // one
    async fn far(&self) -> &'static str {
        fn nested() {}
        nested();
        let _lambda = |x: i32| x;
        r#"
// no comment " /* neither

"#
    }
}

trait Shape {
    fn area(&self) -> f32;
    fn double(&self) -> f32 { 2.0 * self.area() }
}

macro_rules! twice {
    ($x:expr) => { $x; /* why */ $x };
}

mod inside {
    #[test]
    /// Tests are functions.
    fn works() { twice!(assert_eq!(1, 1)); }
    extern "C" { fn puts(s: *const u8) -> i32; }
}
"###;

#[test]
fn rust_by_hand() {
    let source = read("a.rs", RUST);
    // empty: 6, 12, 17, 21, 30, 34, 39, 43
    // comments: 1 to 4, 7 to 9, 13, 46; with code: 10, 23, 41
    assert_eq!(lines(&source), [49, 32, 9, 8, 3]);
    let items = [
        "Class Point 11",
        "Class Either 14",
        "Class Bits 16",
        "Impl Point 18",
        "Function Point/from 19",
        "Impl Point 22",
        "Function Point/far 24",
        "Function Point/far/nested 25",
        "Trait Shape 35",
        "Function Shape/area 36",
        "Function Shape/double 37",
        "Macro twice 40",
        "Module inside 44",
        "Function inside/works 47",
        "Foreign inside/ 48",
        "Function inside//puts 48",
    ];
    assert_eq!(listed(&source), items);
    assert_eq!(source.items[3].of_trait.as_deref(), Some("From"));
    assert_eq!(source.items[13].attributes, ["test"]);
    assert_eq!(source.items[0].attributes, ["derive(Clone)"]);
    let public: Vec<&str> = source
        .items
        .iter()
        .filter(|item| item.public)
        .map(|item| item.name.as_str())
        .collect();
    assert_eq!(public, ["Either"]);
}

#[test]
fn line_ends_change_nothing() {
    for (name, text) in [("a.py", PYTHON), ("a.rs", RUST)] {
        let (unix, windows) = (read(name, text), read(name, &text.replace('\n', "\r\n")));
        assert_eq!(lines(&unix), lines(&windows));
        assert_eq!(listed(&unix), listed(&windows));
        let marked = read(name, &format!("\u{feff}{text}"));
        assert_eq!(lines(&unix), lines(&marked));
    }
}

#[test]
fn what_is_wrong_is_said() {
    let queries = Queries::new();
    let read = |name: &str, bytes: &[u8]| {
        let path = Path::new(name);
        Source::read(path, Language::of(path).unwrap(), bytes, &queries, true)
    };
    let (source, trouble) = read("a.py", b"x = 1\ny = 'caf\xe9'\n");
    assert_eq!(source.unwrap().lines.code, 2);
    let why = "line 2: not UTF-8; read with \u{fffd} for what is not";
    assert_eq!(trouble, Some(Trouble::Doubtful(why.into())));

    let (source, trouble) = read("a.rs", b"fn a() {}\n// b\nfn fn (\n");
    assert_eq!(source.unwrap().lines.total, 3);
    let why = "line 3: not understood; its figures may be off";
    assert_eq!(trouble, Some(Trouble::Doubtful(why.into())));

    let (source, trouble) = read("a.py", b"\xff\xfex\0=\0");
    assert!(source.is_none());
    assert!(matches!(trouble, Some(Trouble::Unread(_))));

    let (source, trouble) = read("a.py", b"");
    assert_eq!((source.unwrap().lines.total, trouble), (0, None));
}

#[test]
fn depth_is_no_danger() {
    let deep = 50_000;
    let nested = format!("x = {}1{}\n", "(".repeat(deep), ")".repeat(deep));
    assert_eq!(read("a.py", &nested).lines.code, 1);
    let blocks = format!("fn f() {{ {}{} }}\n", "{".repeat(deep), "}".repeat(deep));
    assert_eq!(read("a.rs", &blocks).items.len(), 1);
    let broken = Source::read(
        Path::new("a.rs"),
        Language::of(Path::new("a.rs")).unwrap(),
        "fn f() { ((((".repeat(500).as_bytes(),
        &Queries::new(),
        true,
    );
    assert!(matches!(broken.1, Some(Trouble::Doubtful(_))));
}

#[test]
fn types_have_bare_names() {
    let bare = [
        "&'a mut nn::Layer<T>",
        "Vec<u8>",
        "dyn Shape",
        "*const Point",
        "crate::a::B",
    ]
    .map(base_name);
    assert_eq!(bare, ["Layer", "Vec", "Shape", "Point", "B"]);
    assert_eq!(base_name("[T;  3]"), "[T; 3]");
    assert_eq!(base_name("&(A, B)"), "&(A, B)");
}
