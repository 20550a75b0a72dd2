//! # names: what a name in the source stands for
//!
//! **In:** source files. **Out:** for a path such as `View::reshape`, written somewhere, the file and the anchor of its definition.
//!
//! No compiler is asked: items, imports and `impl` blocks are read with `syn`, and paths are followed through them as the language
//! does. What that can't know (the type of an expression) is left alone: a method call is resolved only when a single type of this
//! source has a method of that name and the standard library has none. A missing link is no loss; a wrong one would be.

use anyhow::{Context, Result};
use std::collections::HashMap;
use std::ops::Range;
use syn::spanned::Spanned;
use syn::{ImplItem, Item, TraitItem, UseTree};

/// Where an item is defined.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// the file, from the root of the repository
    pub file: String,
    /// the anchor on its page, made of the item's name: `View::reshape` (of an `impl` block, what it says: it has no anchor)
    pub anchor: String,
    /// the item in the file's text, without its comments and attributes
    pub text: Range<usize>,
    /// the item's name in the file's text
    pub name: Range<usize>,
}

/// A stretch of a file in which names mean the same: a module's text, or the inside of an `impl`.
struct Region {
    text: Range<usize>,
    module: String,
    self_type: Option<String>,
}

/// Every item of the source, and every module's imports.
#[derive(Default)]
pub struct Names {
    places: Vec<Place>,
    /// full path (`teenygrad::shape::view::View::reshape`) to its place
    items: HashMap<String, usize>,
    /// a module's imports: (module, name) to the full path it stands for
    imports: HashMap<(String, String), Vec<String>>,
    globs: HashMap<String, Vec<Vec<String>>>,
    modules: HashMap<String, usize>,
    /// a method's name to the full paths of all methods with it
    methods: HashMap<String, Vec<String>>,
    regions: HashMap<String, Vec<Region>>,
    /// file to its items, to anchor them
    of_file: HashMap<String, Vec<usize>>,
}

/// Methods of the standard library that ours could be mistaken for.
const STANDARD_METHODS: &str = "abs add all and and_then any append as_mut as_ptr as_ref as_slice as_str binary_search borrow bytes ceil \
    chain chars clear clone cloned cmp collect concat contains copied copy_from_slice cos count default deref drain drop entry enumerate \
    eq exp exp2 extend fill filter filter_map find first flat_map flatten floor flush fmt fold for_each from get get_mut get_or_init \
    hash index insert into into_iter is_empty is_finite is_nan is_some is_none iter iter_mut join keys last len lines ln load lock log2 \
    map map_err max min mul neg next ok open parse path pop position pow powf powi product push read recip remove repeat replace resize \
    retain rev round set shape sin skip sort spawn split split_at sqrt step_by store strip_prefix sub sum swap take tan then then_some \
    to_string to_vec trim trunc truncate unwrap unwrap_or update values wait windows with write zip write_str item name kind shrink";

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

    /// The full path that `path` means in a module.
    pub fn resolve(
        &self,
        module: &str,
        self_type: Option<&str>,
        path: &[String],
    ) -> Option<String> {
        self.follow(module, self_type, path, 0)
    }

    fn follow(
        &self,
        module: &str,
        self_type: Option<&str>,
        path: &[String],
        depth: usize,
    ) -> Option<String> {
        if depth > 16 {
            return None; // imports in a circle
        }
        let (first, rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => module.split("::").next()?.to_string(),
            "self" => module.to_string(),
            "super" => module.rsplit_once("::")?.0.to_string(),
            "Self" => self_type?.to_string(),
            name => self
                .member(module, name, depth)
                .or_else(|| self.modules.contains_key(name).then(|| name.to_string()))?,
        };
        for name in rest {
            at = match name.as_str() {
                "super" => at.rsplit_once("::")?.0.to_string(),
                name => self.member(&at, name, depth)?,
            };
        }
        Some(at)
    }

    /// What `name` is inside of a module or a type.
    fn member(&self, owner: &str, name: &str, depth: usize) -> Option<String> {
        let full = format!("{owner}::{name}");
        if self.items.contains_key(&full) || self.modules.contains_key(&full) {
            return Some(full);
        }
        if let Some(path) = self.imports.get(&(owner.to_string(), name.to_string())) {
            return if path
                .first()
                .is_some_and(|first| first == name && path.len() == 1)
            {
                None
            } else {
                self.follow(owner, None, path, depth + 1)
            };
        }
        self.globs.get(owner)?.iter().find_map(|glob| {
            let from = self.follow(owner, None, glob, depth + 1)?;
            self.member(&from, name, depth + 1)
        })
    }

    /// The place of a full path, if it is on a page of the book (a listing's helpers are on none).
    pub fn place_of(&self, full: &str) -> Option<&Place> {
        let place = self.items.get(full).or_else(|| self.modules.get(full))?;
        Some(&self.places[*place]).filter(|place| !place.file.starts_with("book/"))
    }

    /// The method that a call `.name()` must mean, if there is but one; `self_type` if it is called on `self`.
    pub fn method(&self, self_type: Option<&str>, name: &str) -> Option<&Place> {
        if let Some(own) = self_type.and_then(|owner| self.items.get(&format!("{owner}::{name}"))) {
            return Some(&self.places[*own]);
        }
        if STANDARD_METHODS
            .split_whitespace()
            .any(|standard| standard == name)
        {
            return None;
        }
        match self.methods.get(name)?.as_slice() {
            [only] => self.place_of(only),
            _ => None,
        }
    }

    /// The module and the type around a place in a file: what `self` and `Self` mean there.
    pub fn scope(&self, file: &str, position: usize) -> Option<(&str, Option<&str>)> {
        let region = self
            .regions
            .get(file)?
            .iter()
            .filter(|region| region.text.contains(&position))
            .min_by_key(|region| region.text.len())?;
        Some((&region.module, region.self_type.as_deref()))
    }

    /// The items of a file.
    pub fn of_file(&self, file: &str) -> impl Iterator<Item = &Place> {
        self.of_file
            .get(file)
            .into_iter()
            .flatten()
            .map(|&place| &self.places[place])
    }

    /// A file's item by the name that its anchor has: `View::reshape`.
    pub fn item_of(&self, file: &str, anchor: &str) -> Option<&Place> {
        self.of_file(file).find(|place| place.anchor == anchor)
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
