; What a Python file is made of. The names after @ are the same for every language (see language.rs).

; ---- Comments: a string that stands alone as a statement says something to people only (bytes and f-strings are code) ----
(comment) @comment
((expression_statement . [(string) (concatenated_string)] @comment .)
 (#match? @comment "^[rRuU]?[\"']"))

; ---- Items ----
(class_definition) @class
(function_definition) @function

; ---- What is said about the item that follows ----
(decorator) @attribute

; ---- What a module exports, by names in strings ----
((assignment left: (identifier) @_all) @exported (#eq? @_all "__all__"))
((augmented_assignment left: (identifier) @_all) @exported (#eq? @_all "__all__"))
((call function: (attribute object: (identifier) @_all)) @exported (#eq? @_all "__all__"))
