//! Tests of `walk`.

use super::*;
use crate::shape::view::{Remap, numel};

fn addresses(axes: &Axes, walk: &Walk, start: usize, len: usize) -> Vec<Option<usize>> {
    let mut list = vec![None; len];
    axes.runs(&walk.start, &walk.limits, start, len, |run| {
        for j in 0..run.len {
            list[run.at + j] = run.address.map(|a| (a + run.stride * j as isize) as usize);
        }
    });
    list
}

#[test]
fn runs_are_the_addresses_of_the_view() {
    let base = View::contiguous(&[4, 6]);
    let mut window = Remap::still(2, vec![4, 3, 4, 3]);
    for (old, new, step) in [(0, 0, 1), (0, 1, 1), (1, 2, 2), (1, 3, -1)] {
        window.begin(old, -1);
        window.follow(old, new, step);
    }
    for view in [
        base.clone(),
        base.permute(&[1, 0]),
        base.pad(&[(1, 2), (2, 1)]),
        base.remap(&Remap::stride(&[4, 6], &[-1, -2]))
            .pad(&[(1, 0), (0, 3)]),
        base.remap(&window),
    ] {
        let walk = Walk::new(&view, view.shape.len());
        let all = view.addresses();
        for start in 0..all.len() {
            for len in [1, 2, 5, all.len() - start] {
                if start + len <= all.len() {
                    assert_eq!(
                        addresses(&walk.outer, &walk, start, len),
                        all[start..start + len],
                        "{view:?} from {start}"
                    );
                }
            }
        }
    }
}

#[test]
fn contiguous_axes_become_one() {
    let (a, b) = (
        View::contiguous(&[2, 1, 3, 4]),
        View::contiguous(&[2, 1, 1, 4]).remap(&Remap::expand(&[2, 1, 1, 4], &[2, 1, 3, 4])),
    );
    let (mut a, mut b) = (Walk::new(&a, 4), Walk::new(&b, 4));
    let (mut outer, mut reduced) = (vec![2, 1, 3, 4], vec![]);
    simplify(&mut [&mut a], &mut outer, &mut reduced);
    assert_eq!(outer, [24]);
    let mut a = Walk::new(&View::contiguous(&[2, 1, 3, 4]), 4);
    outer = vec![2, 1, 3, 4];
    simplify(&mut [&mut a, &mut b], &mut outer, &mut reduced);
    assert_eq!((numel(&outer), outer.len()), (24, 3)); // the repeated axis stands alone
}
