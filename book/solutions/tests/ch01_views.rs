//! # Four views of one buffer
//!
//! A buffer holds the 12 numbers of a matrix with 3 rows and 4 columns, row after row. Each function below should return another way
//! to look at the same buffer. Nothing is copied: shape, strides and offset are all that you can choose.

use teenygrad::shape::view::View;

/// The matrix itself, as an example: one row down is 4 elements further, one column to the right is 1.
pub fn matrix() -> View {
    View {
        shape: vec![3, 4],
        strides: vec![4, 1],
        offset: 0,
        bounds: vec![],
    }
}

/// The transposed matrix: 4 rows, 3 columns.
pub fn transposed() -> View {
    View {
        shape: vec![4, 3],
        strides: vec![1, 4],
        offset: 0,
        bounds: vec![],
    }
}

/// The last column, as a view with one axis.
pub fn last_column() -> View {
    View {
        shape: vec![3],
        strides: vec![4],
        offset: 3,
        bounds: vec![],
    }
}

/// The rows from the last to the first.
pub fn upside_down() -> View {
    View {
        shape: vec![3, 4],
        strides: vec![-4, 1],
        offset: 8,
        bounds: vec![],
    }
}

/// The first row, seen five times below each other: 5 rows, 4 columns.
pub fn repeated_row() -> View {
    View {
        shape: vec![5, 4],
        strides: vec![0, 1],
        offset: 0,
        bounds: vec![],
    }
}

#[cfg(test)]
#[path = "../../exercises/checks/ch01_views.rs"]
mod checks;
