//! Finds the listings, so that nobody has to register one: every `src/chNN.rs` is a module, and every `pub fn name()` at its top
//! level is the listing `chNN::name`. What is said in its doc comment decides how it runs: see `book/README.md`.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

fn main() {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap()).join("src");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut chapters: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let stem = name.strip_suffix(".rs")?;
            stem.starts_with("ch").then(|| stem.to_string())
        })
        .collect();
    chapters.sort();

    let (mut modules, mut table) = (String::new(), String::new());
    for chapter in &chapters {
        let file = folder.join(format!("{chapter}.rs"));
        println!("cargo::rerun-if-changed={}", file.display());
        writeln!(modules, "#[path = {file:?}]\nmod {chapter};").unwrap();
        let text = fs::read_to_string(&file).unwrap();
        let (mut panics, mut settings) = (false, Vec::new());
        for line in text.lines() {
            if let Some(doc) = line.strip_prefix("///") {
                panics |= doc.trim() == "panics";
                if let Some((key, value)) =
                    doc.strip_prefix(" env: ").and_then(|d| d.split_once('='))
                {
                    settings.push((key.trim().to_string(), value.trim().to_string()));
                }
            } else if !line.starts_with("#[") {
                if let Some(name) = line
                    .strip_prefix("pub fn ")
                    .and_then(|rest| rest.strip_suffix("() {"))
                {
                    writeln!(
                        table,
                        "    Listing {{ name: \"{chapter}::{name}\", run: {chapter}::{name}, panics: {panics}, settings: &{settings:?} }},"
                    )
                    .unwrap();
                }
                (panics, settings) = (false, Vec::new());
            }
        }
    }
    let out = Path::new(&env::var("OUT_DIR").unwrap()).join("listings.rs");
    let text = format!(
        "{modules}\n/// Every listing, in the order of chapters and files.\npub static LISTINGS: &[Listing] = &[\n{table}];\n"
    );
    fs::write(out, text).unwrap();
}
