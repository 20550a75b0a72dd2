; What a Python file asks of others.

; ---- Calls: the function's own node; a decorator is called with what it decorates ----
(call function: (_) @call)
(decorator [(identifier) (attribute)] @call)

; ---- Imports: the last part of each path; what stands before it is found on the way up ----
(import_statement name: [(dotted_name) (aliased_import)] @import)
(import_from_statement name: [(dotted_name) (aliased_import)] @import)
(import_from_statement (wildcard_import) @import.all)

; ---- Names, wherever they stand ----
(identifier) @mention
(string_content) @string
