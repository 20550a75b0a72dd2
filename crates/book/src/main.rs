//! Builds the book, and shows it: `cargo run -p teenygrad-book -- --open`.

use anyhow::{Context, Result};
use clap::Parser;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use teenygrad_book::{listings, serve, site};

/// Builds the book into target/book.
#[derive(Parser)]
struct Options {
    /// Serve the book at http://127.0.0.1:PORT until interrupted
    #[arg(long)]
    serve: bool,
    /// Serve it and open it in a browser
    #[arg(long)]
    open: bool,
    /// Where to serve
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// Only run this listing (ch01::strides) and show what it says, marks and all
    #[arg(long, value_name = "NAME")]
    listing: Option<String>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    if let Some(name) = options.listing {
        return listings::perform(&name);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let report = site::build(&root, &target, &std::env::current_exe()?)?;
    println!("{report}");
    if options.serve || options.open {
        let address = format!("127.0.0.1:{}", options.port);
        let listener = TcpListener::bind(&address)
            .with_context(|| format!("cannot serve at {address}; --port names another"))?;
        let url = format!("http://{address}/");
        println!("The book is at {url}; Ctrl-C ends it.");
        if options.open {
            opener::open_browser(&url)?;
        }
        serve::serve(&report.site, &listener)?;
    }
    Ok(())
}
