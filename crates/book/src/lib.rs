//! # The book's builder
//!
//! **In:** the chapters in `book/src`, the programs in `book/listings`, the library's source. **Out:** a web site in `target/book`.
//!
//! ```text
//!  book/src/*.md ──▶ prose ──────────────┐     each directive replaced by what it names
//!                      ▲ listings        │     programs run, their output kept
//!                      ▲ pictures, math  ├──▶ target/book-src ──▶ mdBook ──▶ target/book ──▶ links
//!  src/**/*.rs ────▶ source, rust        │     comments as prose, code coloured and linked
//!                      ▲ names ──────────┘     what a name stands for
//! ```
//!
//! `book/README.md` says how to write a chapter.

#![warn(missing_docs)]

pub mod exercises;
pub mod links;
pub mod listings;
pub mod math;
pub mod names;
pub mod pictures;
pub mod prose;
pub mod rust;
pub mod serve;
pub mod site;
pub mod source;
