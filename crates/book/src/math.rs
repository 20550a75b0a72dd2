//! # math: formulas
//!
//! **In:** LaTeX, from between dollar signs. **Out:** MathML on one line, which browsers typeset by themselves: no script, no network.

use anyhow::{Result, bail};
use pulldown_latex::config::{DisplayMode, RenderConfig};
use pulldown_latex::{Parser, Storage, push_mathml};

/// A formula as MathML.
pub fn mathml(latex: &str, display: bool) -> Result<String> {
    let storage = Storage::new();
    let events: Vec<_> = Parser::new(latex, &storage).collect();
    if let Some(Err(error)) = events.iter().find(|event| event.is_err()) {
        bail!("the formula {latex:?} is not LaTeX that can be typeset: {error}");
    }
    let config = RenderConfig {
        display_mode: if display {
            DisplayMode::Block
        } else {
            DisplayMode::Inline
        },
        ..RenderConfig::default()
    };
    let mut html = String::new();
    push_mathml(&mut html, events.into_iter(), config)?;
    Ok(guard(&html))
}

/// What is between the tags must not look like Markdown: `*` is a product here, not emphasis.
fn guard(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            '\n' => {
                out.push(' ');
                continue;
            }
            '*' | '_' | '`' | '[' | ']' | '\\' | '~' | '|' | '!' | '#' | '\'' if !inside => {
                out.push_str(&format!("&#{};", c as u32));
                continue;
            }
            _ => {}
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_becomes_mathml_without_markdown() {
        let html = mathml(r"\frac{dy}{dx} = 2x * \sigma_{i}", false).unwrap();
        assert!(
            html.starts_with("<math") && html.contains("<mfrac>"),
            "{html}"
        );
        assert!(!html.contains('*') && !html.contains('\n'), "{html}");
    }

    #[test]
    fn a_mistake_is_reported() {
        assert!(mathml(r"\frac{a}{", true).is_err());
        assert!(mathml(r"\nosuchthing", false).is_err());
    }
}
