//! `calls` and `dead` on small trees: who calls whom, and what must never be called unused.

mod common;

use common::Folder;

/// kind name called possibly: callers
fn calls(folder: &Folder) -> Vec<String> {
    let rows = folder.print(&["calls", "--sort", "path", "--json"]);
    let rows: serde_json::Value = serde_json::from_str(&rows).unwrap();
    let mut listed = vec![];
    for row in rows.as_array().unwrap() {
        let word = |field: &str| row[field].as_str().unwrap();
        let mut by: Vec<&str> = row["callers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap())
            .collect();
        by.dedup();
        listed.push(format!(
            "{} {} {}+{}: {}",
            word("kind"),
            word("name"),
            row["called"],
            row["possibly"],
            by.join(", ")
        ));
    }
    listed
}

/// verdict name: why
fn dead(folder: &Folder) -> Vec<String> {
    let rows = folder.print(&["dead", "--json"]);
    let rows: serde_json::Value = serde_json::from_str(&rows).unwrap();
    let one = |row: &serde_json::Value| {
        let word = |field: &str| row[field].as_str().unwrap().to_owned();
        format!("{} {}: {}", word("verdict"), word("name"), word("why"))
    };
    rows.as_array().unwrap().iter().map(one).collect()
}

// ---- Calls ----------------------------------------------------------------------------------------------------------------

#[test]
fn python_calls_go_through_imports_classes_and_bases() {
    let folder = Folder::with(&[
        (
            "pack/__init__.py",
            "from .shapes import Circle as Round\nfrom pack import helpers\n",
        ),
        (
            "pack/helpers.py",
            "def area(r): return r * r\ndef unused(): pass\n",
        ),
        (
            "pack/shapes.py",
            "from .helpers import area as square
class Shape:
    def __init__(self): self.reset()
    def reset(self): pass
    def name(self): return 'shape'
class Circle(Shape):
    def __init__(self):
        super().__init__()
        self.reset()
    def area(self):
        def inner(): return square(1)
        return inner()
",
        ),
        (
            "main.py",
            "import pack.helpers
from pack import shapes, helpers as h
from pack.shapes import *
def area(): return 0
def run(x):
    shapes.Circle().area()
    h.area(2); pack.helpers.area(3); area()
    x.name(); Shape(); print(len('x'))
run(1)
",
        ),
    ]);
    let expected = [
        "Function area 1+0: run",
        "Function run 1+0: main.py",
        "Function area 3+0: run, inner", // the caller is the innermost function
        "Class Shape 1+0: run",
        "Method Shape.__init__ 1+0: Circle.__init__",
        "Method Shape.reset 2+0: Shape.__init__, Circle.__init__",
        "Method Shape.name 0+1: run",
        "Class Circle 1+0: run",
        "Method Circle.area 0+1: run",
        "Function inner 1+0: Circle.area",
    ];
    let mut found = calls(&folder);
    let mut expected = expected.map(String::from);
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn rust_calls_go_through_modules_types_and_macros() {
    let folder = Folder::with(&[
        ("Cargo.toml", "[package]\nname = \"my-crate\"\n"),
        (
            "src/lib.rs",
            "pub mod shapes;\npub use shapes::Circle;\nmod tools { pub fn half(x: f32) -> f32 { x / 2.0 } }
pub fn run() { let c = Circle::new(tools::half(1.0)); c.area(); twice!(c.grow()); }
#[macro_export] macro_rules! twice { ($x:expr) => { $x; $x } }
#[cfg(test)] mod tests { use super::*; #[test] fn works() { run(); crate::run(); assert_eq!(tools::half(2.0), 1.0); } }
",
        ),
        (
            "src/shapes.rs",
            "use crate::tools::half as part;
pub struct Circle { r: f32 }
impl Circle {
    pub fn new(r: f32) -> Self { Self::checked(part(r)); Circle { r } }
    fn checked(r: f32) {}
    pub fn area(&self) -> f32 { self.grow(); fn inner() {} inner(); 0.0 }
    pub fn grow(&self) {}
}
pub struct Other;
impl Other { pub fn new() -> Other { Other } pub fn grow(&self) {} }
",
        ),
        ("tests/t.rs", "use my_crate::Circle;\nfn half() {}\n#[test] fn t() { Circle::new(1.0); half(); }\n"),
    ]);
    let expected = [
        "Class Circle 1+0: Circle::new",
        "Function half 1+0: t",
        "Function half 3+0: run, works, Circle::new",
        "Function inner 1+0: Circle::area",
        "Function run 2+0: works",
        "Macro twice! 1+0: run",
        "Method Circle::area 0+1: run",
        "Method Circle::checked 1+0: Circle::new",
        "Method Circle::grow 1+1: Circle::area, run",
        "Method Circle::new 2+0: run, t",
        "Method Other::grow 0+1: run",
    ];
    let mut found = calls(&folder);
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn the_table_of_calls() {
    let folder = Folder::with(&[(
        "a.py",
        "def f(): pass\ndef g(): f(); f()\nclass A:\n  def m(self): f(); g(); x.m()\nf()\n",
    )]);
    let expected = "\
Calls
╭────────────┬────────┬───────────┬──────────┬────────────┬────────────────╮
│  Type      │  Name  │  Defined  │  Called  │  Possibly  │  By            │
├────────────┼────────┼───────────┼──────────┼────────────┼────────────────┤
│  Function  │  f     │  a.py:1   │       4  │         0  │  g, a.py, A.m  │
│  Function  │  g     │  a.py:2   │       1  │         0  │  A.m           │
│  Method    │  A.m   │  a.py:4   │       0  │         1  │  A.m           │
╰────────────┴────────┴───────────┴──────────┴────────────┴────────────────╯
";
    assert_eq!(folder.print(&["calls"]), expected);
}

// ---- Dead code ------------------------------------------------------------------------------------------------------------

#[test]
fn what_python_uses_without_a_call_is_alive() {
    let folder = Folder::with(&[
        (
            "pack/__init__.py",
            "from .a import reexported\n__all__ = ['exported']\n__all__ += ['added']\n",
        ),
        (
            "pack/a.py",
            "import functools
def reexported(): pass
def exported(): pass
def added(): pass
def _decorator(f): return f
def _value(): pass
def _default(): pass
class _Meta(type): pass
class _Base:
    def _hook(self): pass
    def run(self): self._hook()
class _Child(_Base, metaclass=_Meta):
    def _hook(self): return [_value]
    def __add__(self, other): return self
    def __exit__(self, *args): pass
    @property
    def _size(self): return 1
@_decorator
def _registered(x: '_Late' = _default): return _Child()._size
def main(): _registered(); _Child().run()
",
        ),
        (
            "tests/test_a.py",
            "import pytest\n@pytest.fixture(autouse=True)\ndef _clean(): pass\ndef test_it(): pass\nclass TestIt:\n    def setup_method(self): pass\n    def test_more(self): pass\n",
        ),
        ("pack/a.pyi", "def _only_declared(): ...\n"),
    ]);
    assert_eq!(dead(&folder), Vec::<String>::new());
}

#[test]
fn what_rust_uses_without_a_call_is_alive() {
    let folder = Folder::with(&[
        ("Cargo.toml", "[package]\nname = \"it\"\n"),
        (
            "src/main.rs",
            r#"
#[derive(Clone, serde::Deserialize)]
struct Point { #[serde(default = "zero")] x: f32 }
fn zero() -> f32 { 0.0 }
impl std::ops::Add for Point { type Output = Point; fn add(self, o: Point) -> Point { o } }
impl Drop for Guard { fn drop(&mut self) {} }
struct Guard;
trait Shape { fn area(&self) -> f32; }
impl Shape for Point { fn area(&self) -> f32 { 0.0 } }
fn in_a_macro() {}
fn as_a_value() {}
fn _on_purpose() {}
#[allow(dead_code)] fn kept() { fn inside() {} }
#[allow(dead_code)] mod module_kept { fn a() {} }
#[allow(unused)] mod kept_elsewhere;
#[unsafe(no_mangle)] extern "C" fn for_c() {}
#[cfg_attr(feature = "python", pyo3::pyfunction)] fn for_python() {}
#[pymethods] impl Guard { fn method(&self) {} }
macro_rules! call { ($f:ident) => { $f(); from_a_macro() } }
fn from_a_macro() {}
fn main() {
    call!(in_a_macro);
    println!("{}", [1].map(as_a_value).len());
    let g: Box<dyn Shape> = Box::new(Point { x: 1.0 }); let _ = (g.area(), Guard);
}
#[test] fn a_test() {}
#[tokio::test] async fn another() {}
"#,
        ),
        ("src/kept_elsewhere.rs", "fn b() {}"),
        ("src/quiet.rs", "#![allow(dead_code)]\nfn c() {}"),
    ]);
    assert_eq!(dead(&folder), Vec::<String>::new());
}

#[test]
fn what_nothing_uses_is_named() {
    let python = "
def _only_itself(n): return _only_itself(n - 1)
def _first(): return _second()
def _second(): return 1
def _outer():
    def _inner(): pass
class _Alone:
    def method(self): pass
def public(): pass
@app.route('/')
def _routed(): pass
class _Visitor(ast.NodeVisitor):
    def _visit(self): pass
    def visit_Name(self): pass
_Visitor()
def _in_a_string(): pass
print('_in_a_string')
";
    let folder = Folder::with(&[("a.py", python)]);
    let expected = [
        "unused _only_itself: ",
        "unused _first: ",
        "unused _second: only _first uses it",
        "unused _outer: ",
        "unused _Alone: ",
        "possibly public: public",
        "possibly _routed: route may use it",
        "possibly _Visitor._visit: NodeVisitor may call it",
        "possibly _Visitor.visit_Name: NodeVisitor may call it",
        "possibly _in_a_string: its name is in a string in a.py",
    ];
    assert_eq!(dead(&folder), expected);
    folder.write("b.py", b"x = getattr(x, name)\n");
    assert!(dead(&folder).contains(&"possibly _only_itself: names are looked up in b.py:1".into()));
    folder.write("b.py", b"");
    folder.write("c.pyx", b"");
    assert!(dead(&folder).contains(&"possibly _only_itself: c.pyx may use it".into()));

    let rust = "
pub fn public() {}
pub(crate) fn here() {}
struct Alone; impl Alone { fn new() -> Alone { Alone } }
enum Used { A } impl Used { fn unused(&self) {} }
#[derive(Inventory)] struct Listed;
#[handler] fn handled() {}
trait Local { fn never(&self) {} } impl Local for Used {}
macro_rules! unused_macro { () => {} }
#[macro_export] macro_rules! exported { () => {} }
fn user() -> Used { Used::A }
#[test] fn t() { user(); }
";
    let folder = Folder::with(&[
        ("Cargo.toml", "[package]\nname = \"it\"\n"),
        ("src/lib.rs", rust),
    ]);
    let expected = [
        "unused here: ",
        "unused Alone: ",
        "unused Used::unused: ",
        "unused Local::never: ",
        "unused unused_macro!: ",
        "possibly public: public",
        "possibly Listed: derive may use it",
        "possibly handled: handler may use it",
        "possibly exported!: public",
    ];
    assert_eq!(dead(&folder), expected);
    // In a program nobody else can use what is public.
    let program = Folder::with(&[
        ("Cargo.toml", "[package]\nname = \"it\"\n"),
        ("src/main.rs", rust),
    ]);
    assert!(dead(&program).contains(&"unused public: ".into()));
    folder.write("src/paste.rs", b"paste::paste! { fn [<he re>]() {} }");
    assert!(
        dead(&folder).contains(&"possibly here: names are put together in src/paste.rs".into())
    );
}

#[test]
fn the_table_of_dead_code() {
    let folder = Folder::with(&[("a.py", "def _f(): pass\ndef g(): pass\n")]);
    let expected = "\
Dead Code
╭────────────┬────────────┬────────┬───────────┬──────────╮
│  Verdict   │  Type      │  Name  │  Defined  │  Why     │
├────────────┼────────────┼────────┼───────────┼──────────┤
│  unused    │  Function  │  _f    │  a.py:1   │          │
│  possibly  │  Function  │  g     │  a.py:2   │  public  │
╰────────────┴────────────┴────────┴───────────┴──────────╯
1 unused, 1 possibly
";
    assert_eq!(folder.print(&["dead"]), expected);
    let sure = folder.print(&["dead", "--sure"]);
    assert!(!sure.contains("public") && sure.ends_with("1 unused, 0 possibly\n"));
}
