//! # pictures: SVG inside of a page
//!
//! **In:** an SVG that a listing made, complete as a file would be. **Out:** a figure on one line, whose styles and names hold for itself
//! alone. **Law:** dark is what the page's theme says, not what the system prefers: the rules that the SVG keeps under
//! `prefers-color-scheme: dark` follow the theme's class.

use crate::rust::escape;
use anyhow::{Context, Result, ensure};

/// The classes of mdBook's dark themes; `:where` adds no weight, so that the picture's rules keep their order of precedence.
const DARK: &str = ":where(html:is(.coal, .navy, .ayu))";

/// A figure with a caption.
pub fn figure(svg: &str, name: &str, caption: &str) -> Result<String> {
    let id = format!("picture-{}", name.replace("::", "-"));
    let start = svg.find("<svg").context("the picture is not an SVG")?;
    let end = svg.rfind("</svg>").context("the picture has no end")? + "</svg>".len();
    let body = scope_styles(&svg[start..end], &id)?;
    let body = scope_names(&body, &id);
    ensure!(!body.contains("<script"), "a picture has no scripts");
    let body = body.replace('\n', " ");
    let label = escape(caption);
    Ok(format!(
        "<figure class=\"picture\" id=\"{id}\"><div class=\"canvas\">{body}</div><figcaption>{label}</figcaption></figure>"
    ))
}

/// `<style>` for this figure only, with the theme deciding what is dark.
fn scope_styles(svg: &str, id: &str) -> Result<String> {
    let Some(open) = svg.find("<style") else {
        return Ok(svg.to_string());
    };
    let start = open
        + svg[open..]
            .find('>')
            .context("a style tag without its end")?
        + 1;
    let end = start
        + svg[start..]
            .find("</style>")
            .context("a style without its end")?;
    let css = svg[start..end]
        .replace("<![CDATA[", "")
        .replace("]]>", "")
        .replace(":root", "&");
    let mut scoped = String::from("<style>");
    let mut rest = css.as_str();
    while let Some(media) = rest.find("@media (prefers-color-scheme: dark)") {
        let brace = media + rest[media..].find('{').context("@media without a block")?;
        let mut depth = 0;
        let close = rest[brace..].char_indices().find_map(|(at, c)| {
            depth += (c == '{') as i32 - (c == '}') as i32;
            (depth == 0).then_some(brace + at)
        });
        let close = close.context("@media without an end")?;
        let (light, dark) = (&rest[..media], &rest[brace + 1..close]);
        scoped.push_str(&format!("#{id} {{ {light} }} {DARK} #{id} {{ {dark} }} "));
        rest = &rest[close + 1..];
    }
    scoped.push_str(&format!("#{id} {{ {rest} }}</style>"));
    Ok(format!(
        "{}{scoped}{}",
        &svg[..open],
        &svg[end + "</style>".len()..]
    ))
}

/// Names inside of the SVG (arrow heads, gradients) get the figure's name in front, so that two pictures can't mix theirs up.
fn scope_names(svg: &str, id: &str) -> String {
    let mut out = svg.to_string();
    for (before, after) in [(" id=\"", '"'), ("url(#", ')'), ("href=\"#", '"')] {
        let mut result = String::new();
        let mut rest = out.as_str();
        while let Some(at) = rest.find(before) {
            let value = at + before.len();
            let end = rest[value..]
                .find(after)
                .map_or(rest.len(), |end| value + end);
            result.push_str(&rest[..value]);
            result.push_str(id);
            result.push('-');
            result.push_str(&rest[value..end]);
            rest = &rest[end..];
        }
        result.push_str(rest);
        out = result;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_and_names_are_the_figures_own() {
        let svg = "<?xml version=\"1.0\"?>\n<svg viewBox=\"0 0 1 1\"><style>\n.a { fill: red }\n@media (prefers-color-scheme: dark) { .a { fill: blue } }\n.b { fill: url(#m) }\n</style><marker id=\"m\"/><path class=\"a\" marker-end=\"url(#m)\"/></svg>";
        let html = figure(svg, "ch01::x", "An x").unwrap();
        let squeezed = html.split_whitespace().collect::<Vec<_>>().join(" ");
        let style = "<style>#picture-ch01-x { .a { fill: red } } :where(html:is(.coal, .navy, .ayu)) #picture-ch01-x { .a { fill: blue } } \
                     #picture-ch01-x { .b { fill: url(#picture-ch01-x-m) } }</style>";
        assert!(squeezed.contains(style), "{squeezed}");
        assert!(
            html.contains("id=\"picture-ch01-x-m\"") && html.contains("\"url(#picture-ch01-x-m)\"")
        );
        assert!(!html.contains('\n') && !html.contains("<?xml"), "{html}");
        assert!(figure("no picture", "a::b", "c").is_err());
    }
}
