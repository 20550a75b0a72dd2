//! Solutions of the exercises in `book/exercises`: each file in `tests/` has the name of the exercise that it solves.
