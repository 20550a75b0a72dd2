//! # serve: the finished book in a browser
//!
//! **In:** the folder with the site. **Out:** the same over HTTP, on this machine only. A reader for GET requests of files, and no more:
//! enough to look at the book while writing it (search needs a server, as browsers refuse to load an index from a file).

use anyhow::{Context, Result};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

/// Serves until interrupted.
pub fn serve(site: &Path, listener: &TcpListener) -> Result<()> {
    for stream in listener.incoming() {
        let site = site.to_path_buf();
        std::thread::spawn(move || {
            // A browser that hangs up early is no mistake of ours.
            let _ = stream
                .map_err(anyhow::Error::from)
                .and_then(|stream| answer(&site, stream));
        });
    }
    Ok(())
}

fn answer(site: &Path, mut stream: TcpStream) -> Result<()> {
    let mut first = String::new();
    let mut reader = BufReader::new(&stream);
    reader.read_line(&mut first)?;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    let path = first.split_whitespace().nth(1).context("no path")?;
    let path = path
        .split(['?', '#'])
        .next()
        .unwrap_or("/")
        .trim_start_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    let inside = !path.split('/').any(|part| part == "..");
    match std::fs::read(site.join(path)) {
        Ok(body) if inside => {
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                kind(path),
                body.len()
            );
            stream.write_all(head.as_bytes())?;
            stream.write_all(&body)?;
        }
        _ => stream.write_all(
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        )?,
    }
    Ok(())
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or("") {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn get(address: std::net::SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn pages_are_served_and_nothing_outside_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().join("site");
        std::fs::create_dir(&site).unwrap();
        std::fs::write(site.join("index.html"), "the book").unwrap();
        std::fs::write(folder.path().join("secret"), "no").unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || serve(&site, &listener));
        assert!(get(address, "/").ends_with("the book"));
        assert!(get(address, "/index.html?x").starts_with("HTTP/1.1 200"));
        assert!(get(address, "/../secret").starts_with("HTTP/1.1 404"));
        assert!(get(address, "/none").starts_with("HTTP/1.1 404"));
    }
}
