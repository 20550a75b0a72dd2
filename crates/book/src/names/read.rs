//! # names/read: the items and imports of a file
//!
//! **In:** the text of a source file, and its module. **Out:** in [`Names`]: each item's place, each module's imports, each stretch of text
//! in which names mean the same. **Above:** [`names`](super), which follows paths through them.

use super::{Names, Place, Region};
use anyhow::{Context, Result};
use std::collections::HashMap;
use std::ops::Range;
use syn::spanned::Spanned;
use syn::{ImplItem, Item, TraitItem, UseTree};

impl Names {
    /// Reads a file. `module` is its full path: `teenygrad::shape::view`.
    pub fn add(&mut self, file: &str, module: &str, text: &str) -> Result<()> {
        let parsed = syn::parse_file(text)
            .with_context(|| format!("{file} is not Rust that syn can read"))?;
        self.regions
            .entry(file.to_string())
            .or_default()
            .push(Region {
                text: 0..text.len(),
                module: module.to_string(),
                self_type: None,
            });
        self.module(module, file, 0..0, &parsed.items);
        Ok(())
    }

    fn module(&mut self, module: &str, file: &str, name: Range<usize>, items: &[Item]) {
        let anchor = module.rsplit("::").next().unwrap_or(module).to_string();
        let inline = name != (0..0);
        let place = self.place(
            file,
            if inline { anchor } else { String::new() },
            0..0,
            name,
        );
        self.modules.insert(module.to_string(), place);
        for item in items {
            self.item(module, file, item);
        }
    }

    fn place(
        &mut self,
        file: &str,
        mut anchor: String,
        text: Range<usize>,
        name: Range<usize>,
    ) -> usize {
        let known = self.of_file.entry(file.to_string()).or_default();
        let mut count = 1;
        let plain = anchor.clone();
        while known
            .iter()
            .any(|&place| self.places[place].anchor == anchor)
        {
            count += 1;
            anchor = format!("{plain}.{count}");
        }
        self.places.push(Place {
            file: file.to_string(),
            anchor,
            text,
            name,
        });
        known.push(self.places.len() - 1);
        self.places.len() - 1
    }

    /// Notes an item of a module or of a type (`owner`, a full path).
    fn define(
        &mut self,
        owner: &str,
        local: &str,
        file: &str,
        ident: &syn::Ident,
        text: Range<usize>,
    ) -> String {
        let name = ident.to_string();
        let full = format!("{owner}::{name}");
        let anchor = if local.is_empty() {
            name
        } else {
            format!("{local}::{name}")
        };
        let place = self.place(file, anchor, text, ident.span().byte_range());
        self.items.entry(full.clone()).or_insert(place);
        full
    }

    fn item(&mut self, module: &str, file: &str, item: &Item) {
        let text = text_of(item, attributes(item));
        match item {
            Item::Fn(f) => {
                self.define(module, "", file, &f.sig.ident, text);
                let mut uses = Uses::default();
                syn::visit::visit_block(&mut uses, &f.block);
                for tree in uses.0 {
                    self.import(module, &mut Vec::new(), tree);
                }
            }
            Item::Struct(s) => {
                self.define(module, "", file, &s.ident, text);
            }
            Item::Union(u) => {
                self.define(module, "", file, &u.ident, text);
            }
            Item::Enum(e) => {
                let full = self.define(module, "", file, &e.ident, text);
                for variant in &e.variants {
                    let text = text_of(variant, &variant.attrs);
                    self.define(&full, &e.ident.to_string(), file, &variant.ident, text);
                }
            }
            Item::Trait(t) => {
                let full = self.define(module, "", file, &t.ident, text.clone());
                self.region(file, text, module, Some(full.clone()));
                for item in &t.items {
                    if let TraitItem::Fn(f) = item {
                        let method = self.define(
                            &full,
                            &t.ident.to_string(),
                            file,
                            &f.sig.ident,
                            text_of(f, &f.attrs),
                        );
                        self.methods
                            .entry(f.sig.ident.to_string())
                            .or_default()
                            .push(method);
                    }
                }
            }
            Item::Type(t) => {
                self.define(module, "", file, &t.ident, text);
            }
            Item::Const(c) => {
                self.define(module, "", file, &c.ident, text);
            }
            Item::Static(s) => {
                self.define(module, "", file, &s.ident, text);
            }
            Item::Macro(m) => {
                if let Some(ident) = &m.ident {
                    self.define(module, "", file, ident, text);
                }
            }
            Item::Mod(m) => {
                if let Some((_, items)) = &m.content {
                    let inner = format!("{module}::{}", m.ident);
                    self.region(file, text, &inner, None);
                    self.module(&inner, file, m.ident.span().byte_range(), items);
                }
            }
            Item::Use(u) => self.import(module, &mut Vec::new(), u.tree.clone()),
            _ => {}
        }
    }

    fn region(&mut self, file: &str, text: Range<usize>, module: &str, self_type: Option<String>) {
        self.regions
            .entry(file.to_string())
            .or_default()
            .push(Region {
                text,
                module: module.to_string(),
                self_type,
            });
    }

    fn import(&mut self, module: &str, path: &mut Vec<String>, tree: UseTree) {
        match tree {
            UseTree::Path(p) => {
                path.push(p.ident.to_string());
                self.import(module, path, *p.tree);
                path.pop();
            }
            UseTree::Name(name) if name.ident == "self" => {
                if let Some(last) = path.last().cloned() {
                    self.imports
                        .entry((module.to_string(), last))
                        .or_insert(path.clone());
                }
            }
            UseTree::Name(name) => {
                let full = [&path[..], &[name.ident.to_string()]].concat();
                self.imports
                    .entry((module.to_string(), name.ident.to_string()))
                    .or_insert(full);
            }
            UseTree::Rename(name) => {
                let full = [&path[..], &[name.ident.to_string()]].concat();
                self.imports
                    .entry((module.to_string(), name.rename.to_string()))
                    .or_insert(full);
            }
            UseTree::Glob(_) => self
                .globs
                .entry(module.to_string())
                .or_default()
                .push(path.clone()),
            UseTree::Group(group) => {
                for tree in group.items {
                    self.import(module, path, tree);
                }
            }
        }
    }

    /// The second reading, when all types are known: what is in `impl` blocks belongs to them.
    pub fn add_impls(&mut self, file: &str, module: &str, text: &str) -> Result<()> {
        let parsed = syn::parse_file(text)?;
        self.impls(file, module, &parsed.items);
        Ok(())
    }

    fn impls(&mut self, file: &str, module: &str, items: &[Item]) {
        for item in items {
            match item {
                Item::Mod(m) => {
                    if let Some((_, items)) = &m.content {
                        self.impls(file, &format!("{module}::{}", m.ident), items);
                    }
                }
                Item::Impl(i) => {
                    let Some(path) = type_path(&i.self_ty) else {
                        continue;
                    };
                    let local = path.last().cloned().unwrap_or_default();
                    let owner = self
                        .resolve(module, None, &path)
                        .unwrap_or_else(|| format!("?::{local}"));
                    let text = text_of(i, &i.attrs);
                    self.region(file, text.clone(), module, Some(owner.clone()));
                    let label = match &i.trait_ {
                        Some((_, path, _)) => match path.segments.last() {
                            Some(last) => format!("impl {} for {local}", last.ident),
                            None => continue,
                        },
                        None => format!("impl {local}"),
                    };
                    self.place(file, label, text, 0..0);
                    for item in &i.items {
                        match item {
                            ImplItem::Fn(f) => {
                                let method = self.define(
                                    &owner,
                                    &local,
                                    file,
                                    &f.sig.ident,
                                    text_of(f, &f.attrs),
                                );
                                let all = self.methods.entry(f.sig.ident.to_string()).or_default();
                                if !all.contains(&method) {
                                    all.push(method);
                                }
                            }
                            ImplItem::Const(c) => {
                                self.define(&owner, &local, file, &c.ident, text_of(c, &c.attrs));
                            }
                            ImplItem::Type(_) | ImplItem::Macro(_) => {}
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

/// A `use` inside of a function.
#[derive(Default)]
struct Uses(Vec<UseTree>);

impl<'a> syn::visit::Visit<'a> for Uses {
    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        self.0.push(item.tree.clone());
    }
}

/// The imports of a piece of code that is no file: the example in a comment, say.
pub fn imports_of(code: &str) -> HashMap<String, Vec<String>> {
    let mut names = Names::default();
    if let Ok(block) = syn::parse_str::<syn::Block>(&format!("{{{code}\n}}")) {
        let mut uses = Uses::default();
        syn::visit::visit_block(&mut uses, &block);
        for tree in uses.0 {
            names.import("", &mut Vec::new(), tree);
        }
    }
    names
        .imports
        .into_iter()
        .map(|((_, name), path)| (name, path))
        .collect()
}

fn type_path(of: &syn::Type) -> Option<Vec<String>> {
    match of {
        syn::Type::Path(path) => Some(
            path.path
                .segments
                .iter()
                .map(|segment| segment.ident.to_string())
                .collect(),
        ),
        syn::Type::Reference(reference) => type_path(&reference.elem),
        _ => None,
    }
}

fn attributes(item: &Item) -> &[syn::Attribute] {
    match item {
        Item::Fn(i) => &i.attrs,
        Item::Struct(i) => &i.attrs,
        Item::Union(i) => &i.attrs,
        Item::Enum(i) => &i.attrs,
        Item::Trait(i) => &i.attrs,
        Item::Type(i) => &i.attrs,
        Item::Const(i) => &i.attrs,
        Item::Static(i) => &i.attrs,
        Item::Macro(i) => &i.attrs,
        Item::Mod(i) => &i.attrs,
        Item::Impl(i) => &i.attrs,
        _ => &[],
    }
}

/// An item's place in the text, behind its comments and attributes.
fn text_of(item: &impl Spanned, attributes: &[syn::Attribute]) -> Range<usize> {
    let whole = item.span().byte_range();
    match attributes
        .iter()
        .rfind(|attribute| matches!(attribute.style, syn::AttrStyle::Outer))
    {
        Some(last) => last.span().byte_range().end..whole.end,
        None => whole,
    }
}
