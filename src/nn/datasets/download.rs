//! # nn/datasets/download: MNIST from the public mirrors (feature `download`)
//!
//! **In:** a file's name and its published checksum. **Out:** the file's bytes, which are what was published, or the list of what
//! each mirror answered. **Above:** [`datasets`](super), which keeps them in the user's cache. **Below:** ureq, which speaks HTTP.
//!
//! Laws:
//! 1. A mirror is not trusted: at most [`LARGEST`] bytes are taken from it, and what they unpack to must have the published MD5.
//!    (MD5 is broken against forgers, and is what was published; it finds every accident, and HTTPS names the sender.)
//! 2. Each step has a time limit; a mirror that fails is followed by the next.

use super::idx::{LIMIT, reading, unpack};
use super::{Dataset, Progress};
use crate::error::{Error, Result};
use md5::{Digest, Md5};
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

/// Who has the files: the bucket from which torchvision takes them, and the one from which TensorFlow does.
pub(super) const MIRRORS: [&str; 2] = [
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "https://storage.googleapis.com/cvdf-datasets/mnist",
];

/// The most bytes that a mirror may send for one file; the largest has 9.9 MB.
const LARGEST: u64 = 16 << 20;

/// The file's bytes, from the first mirror that has them right; else what went wrong with each.
pub(super) fn fetch(
    file: &Dataset,
    mirrors: &[&str],
    progress: &mut dyn FnMut(&Progress),
) -> std::result::Result<Vec<u8>, Vec<String>> {
    let config = ureq::Agent::config_builder()
        .timeout_connect(Some(Duration::from_secs(15)))
        .timeout_recv_response(Some(Duration::from_secs(30)))
        .timeout_global(Some(Duration::from_secs(600)));
    // The tests' server is on this machine, where the proxy that the environment may name wouldn't find it.
    let config = if cfg!(test) {
        config.proxy(None)
    } else {
        config
    };
    let agent: ureq::Agent = config.build().into();
    let mut failures = Vec::new();
    for mirror in mirrors {
        let url = format!("{mirror}/{}", file.packed_name());
        match get(&agent, &url, file, progress)
            .and_then(|bytes| verify(&url, &bytes, file).map(|()| bytes))
        {
            Ok(bytes) => return Ok(bytes),
            Err(error) => failures.push(error.to_string()),
        }
    }
    Err(failures)
}

/// Downloads one file, reporting every piece that arrives.
fn get(
    agent: &ureq::Agent,
    url: &str,
    file: &Dataset,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Vec<u8>> {
    let failed = |error: ureq::Error| Error::io(url, error.into_io());
    let mut response = agent.get(url).call().map_err(failed)?;
    let total = response.body().content_length();
    let too_large = |found: String| Error::format(url, format!("at most {LARGEST} bytes"), found);
    if let Some(total) = total.filter(|total| *total > LARGEST) {
        return Err(too_large(format!("{total}")));
    }
    let mut bytes = Vec::new();
    let mut piece = vec![0; 64 << 10];
    let mut body = response.body_mut().as_reader();
    loop {
        let report = Progress {
            file: file.name,
            url,
            received: bytes.len() as u64,
            total,
        };
        progress(&report);
        let cut = |error: io::Error| {
            let of = total.map_or(String::new(), |total| format!(" of {total}"));
            let message = format!("{error}, after {} bytes{of}", bytes.len());
            Error::io(url, io::Error::new(error.kind(), message))
        };
        match body.read(&mut piece).map_err(cut)? {
            0 => break,
            n => bytes.extend_from_slice(&piece[..n]),
        }
        if bytes.len() as u64 > LARGEST {
            return Err(too_large("more".into()));
        }
    }
    // ureq itself has seen that as many bytes came as were announced.
    Ok(bytes)
}

/// Law 1: unpacked, the bytes have the checksum that was published.
fn verify(url: &str, bytes: &[u8], file: &Dataset) -> Result<()> {
    let path = Path::new(url);
    let digest = unpack(path, bytes, |plain| {
        let mut hasher = Md5::new();
        let copied = io::copy(&mut plain.take(LIMIT as u64), &mut hasher);
        copied.map_err(|e| reading(path, bytes.len(), e))?;
        Ok(format!("{:x}", hasher.finalize()))
    })?;
    if digest != file.md5 {
        return Err(Error::format(
            path,
            format!("content with the MD5 {}", file.md5),
            digest,
        ));
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;

    /// A web server on this machine: `answer` gives the status, the headers and the body for a path. It ends with the test's process.
    pub(crate) fn serve(
        answer: impl Fn(&str) -> (&'static str, String, Vec<u8>) + Send + 'static,
    ) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/mnist", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                // "GET /mnist/name.gz HTTP/1.1", then headers up to an empty line.
                let request = lines.next().unwrap().unwrap();
                while lines
                    .next()
                    .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
                {}
                let (status, headers, body) = answer(request.split(' ').nth(1).unwrap());
                // A client that has seen enough hangs up; that is its right.
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status}\r\n{headers}Connection: close\r\n\r\n"
                );
                let _ = stream.write_all(&body);
            }
        });
        address
    }

    fn server(status: &'static str, headers: String, body: Vec<u8>) -> String {
        serve(move |_| (status, headers.clone(), body.clone()))
    }

    fn good() -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        // Noise, which doesn't get smaller: several pieces arrive.
        let mut state = 1u64;
        let noise = std::iter::repeat_with(|| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        });
        let content: Vec<u8> = noise.take(300_000).collect();
        encoder.write_all(&content).unwrap();
        encoder.finish().unwrap()
    }

    fn dataset(gz: &[u8]) -> Dataset {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(gz)
            .read_to_end(&mut plain)
            .unwrap();
        let md5: &'static str = Box::leak(format!("{:x}", Md5::digest(&plain)).into_boxed_str());
        Dataset {
            name: "some-idx1-ubyte",
            md5,
            axes: 1,
        }
    }

    fn length(bytes: &[u8]) -> String {
        format!("Content-Length: {}\r\n", bytes.len())
    }

    fn failure(mirror: &str) -> String {
        let failures = fetch(&dataset(&good()), &[mirror], &mut |_| {}).unwrap_err();
        assert_eq!(failures.len(), 1);
        assert!(
            failures[0].contains(&format!("{mirror}/some-idx1-ubyte.gz: ")),
            "{}",
            failures[0]
        );
        failures[0].clone()
    }

    #[test]
    fn a_good_file_arrives_and_progress_is_reported() {
        let body = good();
        let mirror = server("200 OK", length(&body), body.clone());
        let mut reports = Vec::new();
        let got = fetch(&dataset(&body), &[&mirror], &mut |p| {
            reports.push((p.received, p.total))
        });
        assert_eq!(got.unwrap(), body);
        assert_eq!(reports.first(), Some(&(0, Some(body.len() as u64))));
        assert_eq!(
            reports.last(),
            Some(&(body.len() as u64, Some(body.len() as u64)))
        );
        assert!(reports.is_sorted() && reports.len() > 2);
    }

    #[test]
    fn a_mirror_that_fails_is_followed_by_the_next() {
        let body = good();
        let gone = server("404 Not Found", length(b"no"), b"no".to_vec());
        let mirror = server("200 OK", String::new(), body.clone());
        assert_eq!(
            fetch(&dataset(&body), &[&gone, &mirror], &mut |_| {}).unwrap(),
            body
        );
    }

    #[test]
    fn wrong_answers_are_refused() {
        let mut wrong = dataset(&good());
        wrong.md5 = "00000000000000000000000000000000";
        let mirror = server("200 OK", length(&good()), good());
        let failures = fetch(&wrong, &[&mirror], &mut |_| {}).unwrap_err();
        assert!(
            failures[0].contains("content with the MD5 0000")
                && failures[0].contains(dataset(&good()).md5)
        );

        assert!(failure(&server("404 Not Found", String::new(), vec![])).contains("404"));
        assert!(
            failure(&server("200 OK", length(b"<html>"), b"<html>".to_vec()))
                .contains("starts with 1f 8b")
        );
        // Cut short on the way, with and without an announced length.
        let (whole, half) = (good().len(), good()[..good().len() / 2].to_vec());
        let announced = failure(&server("200 OK", length(&good()), half.clone()));
        assert!(
            announced.contains(&format!("after {} bytes of {whole}", whole / 2)),
            "{announced}"
        );
        let unannounced = failure(&server("200 OK", String::new(), half));
        assert!(
            unannounced.contains("expected a complete file, found its end in the middle"),
            "{unannounced}"
        );
        // Nobody there.
        assert!(failure("http://127.0.0.1:1/mnist").contains("refused"));
    }

    #[test]
    fn more_than_the_limit_is_not_taken() {
        let announced = format!("Content-Length: {}\r\n", u64::MAX / 2);
        assert!(
            failure(&server("200 OK", announced, vec![])).contains("at most 16777216 bytes, found")
        );
        let endless = vec![0; LARGEST as usize + 100_000];
        assert!(
            failure(&server("200 OK", String::new(), endless))
                .contains("at most 16777216 bytes, found more")
        );
    }
}
