//! Tests of `uses`: which names a file uses, and through what.

use super::*;
use crate::source::{Queries, Source};
use std::path::Path;

fn uses(name: &str, text: &str) -> Uses {
    let path = Path::new(name);
    let language = Language::of(path).unwrap();
    let (source, trouble) = Source::read(path, language, text.as_bytes(), &Queries::new(), true);
    assert_eq!(trouble, None);
    source.unwrap().uses
}

fn calls(uses: &Uses) -> Vec<String> {
    let one = |call: &Call| match &call.receiver {
        Receiver::None => call.name.clone(),
        Receiver::Path(path) => format!("{}>{}", path.join(">"), call.name),
        Receiver::Value => format!("?>{}", call.name),
    };
    uses.calls.iter().map(one).collect()
}

fn imports(uses: &Uses) -> Vec<String> {
    let one = |import: &Import| {
        let alias = import.alias.as_deref().unwrap_or("*");
        format!("{alias}={}", import.path.join(">"))
    };
    uses.imports.iter().map(one).collect()
}

#[test]
fn calls_in_rust() {
    let uses = uses(
        "a.rs",
        r#"
        fn f(&self) {
            a(); b::c(); Self::d(); self.e(); x.y.g(); h().i(); Vec::<u8>::new(); j::<T>(1);
            <T as Default>::k(); Point { x: 1 }; shapes::Point::<f32> { x: 1 };
            assert_eq!(l(1), m::n(2) + o.p() + self.q(), "{}", r::<u8>(3), name);
            other!{ s; if (true) { t![u()] } $crate::v() a != (b) };
        }"#,
    );
    let expected = [
        "a",
        "b>c",
        "Self>d",
        "self>e",
        "?>g",
        "?>i",
        "h",
        "Vec>new",
        "j",
        "T>k",
        "Point",
        "shapes>Point",
        "assert_eq!",
        "l",
        "m>n",
        "?>p",
        "self>q",
        "r",
        "other!",
        "t!",
        "u",
        "crate>v",
    ];
    let mut found = calls(&uses);
    found.sort();
    let mut expected = expected.map(String::from);
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn calls_in_python() {
    let uses = uses(
        "a.py",
        "@deco\n@app.route('/')\ndef f(self):\n  a(); b.c.d(); self.e(); super().g(); h().i(); j[0]()\n  return lambda: k(1)\n",
    );
    let mut found = calls(&uses);
    found.sort();
    let mut expected = [
        "deco",
        "app>route",
        "a",
        "b>c>d",
        "self>e",
        "super()>g",
        "super",
        "h",
        "?>i",
        "k",
    ];
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn imports_in_both() {
    let rust = uses(
        "a.rs",
        "use a::b; use c::{d, e::{self, f as g}, h::*}; use super::*; pub use crate::i::J; use k;",
    );
    let expected = [
        "b=a>b",
        "d=c>d",
        "e=c>e",
        "g=c>e>f",
        "*=c>h",
        "*=super",
        "J=crate>i>J",
        "k=k",
    ];
    assert_eq!(imports(&rust), expected);
    let python = uses(
        "a.py",
        "import a, b.c, d.e as f\nfrom g.h import i, j as k\nfrom . import l\nfrom ..m import *\n",
    );
    let expected = [
        "a=a", "b=b", "f=d>e", "i=g>h>i", "k=g>h>j", "l=.>l", "*=.>.>m",
    ];
    assert_eq!(imports(&python), expected);
}

#[test]
fn names_in_comments_and_strings() {
    let python = uses(
        "a.py",
        "\"\"\"one\"\"\"\n# two\nx = 'three'\ny = 'four five'\n__all__ = ['six']\ngetattr(x, 'seven')\ndef eight(): pass\n",
    );
    let of = |name: &str| python.mentions.get(name).map(|places| places[0].in_string);
    let found = ["one", "two", "three", "four", "six", "seven", "eight"].map(of);
    assert_eq!(
        found,
        [None, None, Some(true), None, Some(false), Some(true), None]
    );
    assert_eq!(python.looked_up, None);
    assert_eq!(uses("a.py", "\ngetattr(x, name)\n").looked_up, Some(2));
    assert_eq!(
        uses("a.py", "getattr(x, f'visit_{name}')\n").looked_up,
        Some(1)
    );
    let rust = uses(
        "a.rs",
        "#[serde(default = \"path::one\")] struct A { b: C } const D: &str = \"two\";",
    );
    let of = |name: &str| rust.mentions.get(name).map(|places| places[0].in_string);
    assert_eq!(
        ["one", "two", "C", "A"].map(of),
        [Some(false), Some(true), Some(false), None]
    );
}
