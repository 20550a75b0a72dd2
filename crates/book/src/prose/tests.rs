//! What prose becomes, and what a chapter must not do.

use super::*;

/// Renders with a small source around: `src/lib.rs` has `Tensor::expand` and the module `shape`.
fn render(text: &str, kind: Kind) -> Result<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let lib = "//! # The map\n//!\n//! Start [here](shape).\npub struct Tensor;\nimpl Tensor {\n    /// Long.\n    #[track_caller]\n    pub fn expand(&self) {\n        todo!()\n    }\n}\n";
    let shape = "pub struct View;\n";
    let files = [
        ("src/lib.rs", "teenygrad", lib),
        ("src/shape.rs", "teenygrad::shape", shape),
    ];
    let mut names = Names::default();
    for (file, module, text) in files {
        names.add(file, module, text)?;
        names.add_impls(file, module, text)?;
    }
    let files = files
        .into_iter()
        .map(|(file, _, text)| (file.to_string(), text.to_string()))
        .collect();
    let chapters = HashMap::from([("ch06".to_string(), "ch06-fusion.md".to_string())]);
    let listings = Listings::new(&root, Path::new("no such program"));
    let prose = Prose {
        root: &root,
        names: &names,
        listings: &listings,
        files: &files,
        chapters: &chapters,
    };
    let file = matches!(kind, Kind::Comment(_)).then_some("src/lib.rs");
    prose.render(text, "ch01-x.md", file, kind)
}

fn chapter(text: &str) -> Result<String> {
    render(text, Kind::Chapter)
}

#[test]
fn a_chapter_must_not_paste() {
    for pasted in [
        "```rust\nlet x = 1;\n```",
        "```\n1 2 3\n```",
        "```text\n1 2 3\n```",
        "    indented",
        "![a picture](x.png)",
        "<svg></svg>",
        "a <img src=\"x.png\">",
        "{{#listing ch00::none}}",
        "{{#source src/lib.rs:Tensor::gone}}",
        "{{#nothing}}",
        "{{#value ch00::none}}",
        "a {{#source src/lib.rs:Tensor}}",
        "$\\frac{1$",
        "[`Tensor::gone`]",
        "[text](shape::Gone)",
    ] {
        assert!(chapter(pasted).is_err(), "{pasted}");
    }
}

#[test]
fn what_is_marked_as_typed_or_by_hand_is_let_through() {
    assert!(
        chapter("```console\ncargo test\n```")
            .unwrap()
            .contains("cargo test")
    );
    assert!(
        chapter("```python by-hand\nx = 1\n```")
            .unwrap()
            .contains("x = 1")
    );
}

#[test]
fn formulas_are_set_and_code_with_dollars_stays_code() {
    let html = chapter("The area $x^2$, and `$HOME/$x` costs \\$5.").unwrap();
    assert_eq!(html.matches("<math").count(), 1, "{html}");
    assert!(
        html.contains("`$HOME/$x`") && html.contains("\\$5"),
        "{html}"
    );
}

#[test]
fn names_files_and_chapters_are_led_to_their_pages() {
    let link = |text: &str| chapter(text).unwrap();
    assert_eq!(
        link("[`Tensor::expand`]"),
        "[`Tensor::expand`](source/lib.md#Tensor::expand)"
    );
    assert_eq!(link("[it](shape::View)"), "[it](source/shape.md#View)");
    assert_eq!(
        link("[file](src/shape.rs#View)"),
        "[file](source/shape.md#View)"
    );
    assert_eq!(link("[later](ch06)"), "[later](ch06-fusion.md)");
    assert_eq!(
        link("[out](https://example.org/)"),
        "[out](https://example.org/)"
    );
    assert_eq!(link("shape [2, 3]"), "shape \\[2, 3\\]");
}

#[test]
fn the_source_is_quoted_without_comments_and_attributes() {
    let html = chapter("{{#source src/lib.rs:Tensor::expand}}").unwrap();
    assert!(
        html.contains("expand") && html.contains("source/lib.html#Tensor::expand"),
        "{html}"
    );
    assert!(
        !html.contains("track_caller") && !html.contains("Long"),
        "{html}"
    );
    assert!(
        chapter("{{#header src/lib.rs}}")
            .unwrap()
            .contains("Start [here](source/shape.md)")
    );
}

#[test]
fn an_example_in_a_comment_is_shown_without_its_hidden_lines() {
    let comment =
        "Text.\n```\n# use teenygrad::Tensor;\nTensor::expand(&x);\n```\n# Panics\nNever.";
    let html = render(comment, Kind::Comment(10)).unwrap();
    assert!(
        !html.contains("use") && html.contains("href=\"source/lib.md#Tensor::expand\""),
        "{html}"
    );
    assert!(html.contains("**Panics**\n\nNever."), "{html}");
}
