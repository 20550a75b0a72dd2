; What a Rust file asks of others.

; ---- Calls: the function's own node; making a struct and running a macro are calls of them ----
(call_expression function: (_) @call)
(struct_expression name: (_) @call)
(macro_invocation macro: (_) @call)
; In a macro's arguments there are only tokens: a name is a call when a parenthesis follows.
(token_tree (identifier) @token)

; ---- Imports: the last part of each path; what stands before it is found on the way up ----
(use_declaration argument: [(identifier) (scoped_identifier)] @import)
(use_list [(identifier) (scoped_identifier) (self)] @import)
(use_as_clause) @import
(use_wildcard) @import.all

; ---- Names, wherever they stand ----
[(identifier) (type_identifier) (field_identifier) (shorthand_field_identifier)] @mention
(string_content) @string
