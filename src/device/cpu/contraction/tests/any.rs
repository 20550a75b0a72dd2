//! Any views whatsoever: strides of either sign and of 0, bounds that cut across axes, sizes down to nothing.
//!
//! **In:** chance. **Out:** the [`check`] of what came of it, and the smallest case of a failure.

use super::cases::matmul;
use super::definition::{Case, case, check};
use crate::shape::view::{Bound, View, indices};
use proptest::prelude::*;

fn any_view(shape: Vec<usize>, roles: Vec<u8>, operand: u8) -> impl Strategy<Value = View> {
    let rank = shape.len();
    let bound = (
        prop::collection::vec(-2isize..3, rank),
        -3isize..4,
        1usize..7,
    );
    let strides = prop::collection::vec(-3isize..5, rank);
    (strides, prop::collection::vec(bound, 0..3)).prop_map(move |(mut strides, bounds)| {
        let silence = |coefs: &mut Vec<isize>| {
            for axis in 0..rank {
                if shape[axis] == 1 || roles[axis] & operand == 0 {
                    coefs[axis] = 0;
                }
            }
        };
        silence(&mut strides);
        let mut view = View {
            shape: shape.clone(),
            strides,
            offset: 0,
            bounds: Vec::new(),
        };
        for (mut coefs, offset, size) in bounds {
            silence(&mut coefs);
            view.bounds.push(Bound {
                coefs,
                offset,
                size,
            });
        }
        // The buffer begins at the first valid element; invalid ones may be anywhere.
        let signed = |index: &Vec<usize>| {
            view.strides
                .iter()
                .zip(index)
                .map(|(s, &i)| s * i as isize)
                .sum::<isize>()
        };
        let valid =
            indices(&shape).filter(|index| view.bounds.iter().all(|bound| bound.holds(index)));
        view.offset = -valid.map(|index| signed(&index)).min().unwrap_or(0);
        view
    })
}

fn any_case() -> impl Strategy<Value = Case> {
    let axis = (prop_oneof![Just(1usize), 2usize..5, 5usize..20], 0u8..4);
    (prop::collection::vec(axis, 1..6), 0usize..6).prop_flat_map(|(axes, split)| {
        let shape: Vec<usize> = axes
            .iter()
            .map(|(size, _)| *size)
            .scan(1, |product, size| {
                // Not too many elements in all.
                let size = if *product * size > 20_000 { 1 } else { size };
                *product *= size;
                Some(size)
            })
            .collect();
        let roles: Vec<u8> = axes.iter().map(|(_, role)| *role).collect();
        let split = split.min(shape.len());
        let views = (
            any_view(shape.clone(), roles.clone(), 1),
            any_view(shape.clone(), roles, 2),
        );
        views.prop_map(move |(a, b)| case(&shape[..split], &shape[split..], a, b))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_two_views_agree_with_the_definition(case in any_case()) {
        check(&case);
    }

    #[test]
    fn any_sizes_agree_with_the_definition(m in 0usize..70, n in 0usize..70, k in 0usize..70, order in 0u8..4) {
        check(&matmul(m, n, k, order & 1 == 1, order & 2 == 2));
    }
}
