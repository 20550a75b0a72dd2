; What a Rust file is made of. The names after @ are the same for every language (see language.rs).

; ---- Comments: doc comments are line and block comments too, and `#[doc = "…"]` is what they stand for ----
(line_comment) @comment
(block_comment) @comment
(shebang) @comment
([(attribute_item (attribute (identifier) @_doc value: [(string_literal) (raw_string_literal)]))
  (inner_attribute_item (attribute (identifier) @_doc value: [(string_literal) (raw_string_literal)]))] @comment
 (#eq? @_doc "doc"))

; ---- Items ----
(struct_item) @class
(enum_item) @class
(union_item) @class
(trait_item) @trait
(impl_item) @impl
(function_item) @function
(function_signature_item) @function
(macro_definition) @macro
(mod_item) @module
(foreign_mod_item) @foreign

; ---- What is said about the item that follows, and about the item or file around ----
(attribute_item) @attribute
(inner_attribute_item) @inner
