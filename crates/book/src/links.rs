//! # links: no page of the book leads nowhere
//!
//! **In:** the finished site. **Out:** an error that names every link whose page or anchor is not there, and everything that a browser
//! would fetch from the network. Links to other sites are collected, not followed: a build must not depend on them.

use anyhow::{Result, bail};
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, Tag, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts, states::RawKind,
};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What one page has and wants.
#[derive(Default, Debug)]
struct Page {
    ids: BTreeSet<String>,
    links: Vec<String>,
    fetched: Vec<String>,
}

#[derive(Default)]
struct Reader(RefCell<Page>);

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        if let Token::TagToken(tag) = token {
            self.tag(&tag);
            if tag.kind == html5ever::tokenizer::StartTag {
                match &*tag.name {
                    "script" => return TokenSinkResult::RawData(RawKind::ScriptData),
                    "style" => return TokenSinkResult::RawData(RawKind::Rawtext),
                    _ => {}
                }
            }
        }
        TokenSinkResult::Continue
    }
}

impl Reader {
    fn tag(&self, tag: &Tag) {
        let mut page = self.0.borrow_mut();
        for attribute in &tag.attrs {
            let value = attribute.value.to_string();
            match &*attribute.name.local {
                "id" => {
                    page.ids.insert(value);
                }
                "href" if &*tag.name == "a" => page.links.push(value),
                "href" if &*tag.name == "link" => page.fetched.push(value),
                "src" => page.fetched.push(value),
                _ => {}
            }
        }
    }
}

fn read(html: &str) -> Page {
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from(html));
    let tokenizer = Tokenizer::new(Reader::default(), TokenizerOpts::default());
    let _ = tokenizer.feed(&queue);
    tokenizer.end();
    tokenizer.sink.0.take()
}

/// What the check found.
#[derive(Debug)]
pub struct Found {
    /// pages read
    pub pages: usize,
    /// links within the book
    pub inner: usize,
    /// links to other sites
    pub outer: BTreeSet<String>,
}

/// Reads every page of the site and follows its links.
pub fn check(site: &Path) -> Result<Found> {
    let mut pages = BTreeMap::new();
    let mut files = BTreeSet::new();
    collect(site, "", &mut pages, &mut files)?;
    let mut wrong = Vec::new();
    let mut found = Found {
        pages: pages.len(),
        inner: 0,
        outer: BTreeSet::new(),
    };
    for (path, page) in &pages {
        for link in &page.fetched {
            if has_scheme(link) && !link.starts_with("data:") {
                wrong.push(format!(
                    "{path} fetches {link}: the book must be readable without a network"
                ));
            } else if !has_scheme(link)
                && !files.contains(&resolve(path, link.split(['?', '#']).next().unwrap_or("")))
            {
                wrong.push(format!("{path} wants {link}, which is not there"));
            }
        }
        for link in &page.links {
            if has_scheme(link) {
                found.outer.insert(link.clone());
                continue;
            }
            found.inner += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                path.clone()
            } else {
                resolve(path, file)
            };
            let anchor = decode(anchor);
            match pages.get(&target) {
                Some(page) if anchor.is_empty() || page.ids.contains(&anchor) => {}
                Some(_) => wrong.push(format!(
                    "{path} links to {link}, but {target} has no {anchor}"
                )),
                None if files.contains(&target) => {}
                None => wrong.push(format!("{path} links to {link}: there is no {target}")),
            }
        }
    }
    if !wrong.is_empty() {
        bail!("{} links lead nowhere:\n{}", wrong.len(), wrong.join("\n"));
    }
    Ok(found)
}

fn collect(
    folder: &Path,
    prefix: &str,
    pages: &mut BTreeMap<String, Page>,
    files: &mut BTreeSet<String>,
) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{path}/"), pages, files)?;
            continue;
        }
        if path.ends_with(".html") {
            pages.insert(path.clone(), read(&std::fs::read_to_string(entry.path())?));
        }
        files.insert(path);
    }
    Ok(())
}

fn has_scheme(link: &str) -> bool {
    link.starts_with("//")
        || link.split_once(':').is_some_and(|(scheme, _)| {
            !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric())
        })
}

/// A relative link, seen from a page.
fn resolve(page: &str, link: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// `%3C` and the like.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = text
            .get(at + 1..at + 3)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code {
            Some(code) if bytes[at] == b'%' => {
                out.push(code);
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(pages: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, html) in pages {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, html).unwrap();
        }
        folder
    }

    #[test]
    fn links_that_lead_somewhere_are_counted() {
        let site = site(&[
            (
                "a.html",
                "<a href=\"b/c.html#View::x\">c</a> <a href=\"https://example.org\">e</a> <a href=\"#top\" id=\"top\">t</a>",
            ),
            (
                "b/c.html",
                "<p id=\"View::x\"><a href=\"../a.html\">back</a>",
            ),
        ]);
        let found = check(site.path()).unwrap();
        assert_eq!((found.pages, found.inner, found.outer.len()), (2, 3, 1));
    }

    #[test]
    fn a_missing_page_a_missing_anchor_and_the_network_are_errors() {
        for html in [
            "<a href=\"b.html\">",
            "<a href=\"#b\">",
            "<script src=\"https://example.org/x.js\"></script>",
            "<img src=\"x.png\">",
        ] {
            assert!(check(site(&[("a.html", html)]).path()).is_err(), "{html}");
        }
    }
}
