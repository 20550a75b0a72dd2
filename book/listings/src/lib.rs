//! # The programs that the book shows
//!
//! A listing is an ordinary function of an ordinary file, one file a chapter. What the reader sees is its body; what the reader sees
//! below is what the body printed when the book was built. Five macros make that work:
//!
//! - `println!` and `print!` here write to the page.
//! - `part!` names what follows, so that a chapter can show a long program piece by piece, each piece with its own output.
//! - `value!` and `picture!` hand a number, a word or an SVG to the chapter's text. The page leaves these lines out.
//!
//! A listing runs in a process of its own, and all of this goes to stderr, where the library writes what `DEBUG` asks for: so the
//! page has both in the order in which they happened. Marks between two control characters that no text contains tell them apart.

#![allow(clippy::needless_range_loop)] // a loop over indices reads as the formula beside it does
#![allow(unused_macros)] // which of them a chapter uses is its own affair

/// A program that the book shows.
pub struct Listing {
    /// chapter and function: `ch01::strides`
    pub name: &'static str,
    /// the function
    pub run: fn(),
    /// whether it is meant to end with a panic, whose message is then part of what it printed
    pub panics: bool,
    /// what its environment has: `DEBUG=2`
    pub settings: &'static [(&'static str, &'static str)],
}

/// Begins a mark.
pub const MARK: char = '\u{1e}';
/// Ends a mark.
pub const END: char = '\u{1f}';
/// Between the parts of a mark: its kind, its name, its text.
pub const THEN: char = '\u{1d}';

/// `print!`, to the page.
macro_rules! print {
    ($($argument:tt)*) => { std::eprint!($($argument)*) };
}

/// `println!`, to the page.
macro_rules! println {
    ($($argument:tt)*) => { std::eprintln!($($argument)*) };
}

/// What is printed from here on belongs to this part of the listing, and so does the code.
macro_rules! part {
    ($name:literal) => {
        std::eprint!(
            "{}part{}{}{}",
            $crate::MARK,
            $crate::THEN,
            $name,
            $crate::END
        )
    };
}

/// A value for the chapter's text, by name: anything that can be displayed.
macro_rules! value {
    ($name:literal, $($argument:tt)*) => {
        std::eprint!("{}value{}{}{}{}{}", $crate::MARK, $crate::THEN, $name, $crate::THEN, $($argument)*, $crate::END)
    };
}

/// A picture for the chapter, by name: an SVG as a string.
macro_rules! picture {
    ($name:literal, $($argument:tt)*) => {
        std::eprint!("{}picture{}{}{}{}{}", $crate::MARK, $crate::THEN, $name, $crate::THEN, $($argument)*, $crate::END)
    };
}

include!(concat!(env!("OUT_DIR"), "/listings.rs"));

/// The listing of this name.
pub fn find(name: &str) -> Option<&'static Listing> {
    LISTINGS.iter().find(|listing| listing.name == name)
}
