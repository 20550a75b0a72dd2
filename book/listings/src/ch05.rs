//! Listings of chapter 5: views and movement without copying.

use teenygrad::Tensor;
use teenygrad::shape::view::{Remap, View};

pub fn remaps() {
    use teenygrad::shape::view::Remap;

    let show = |name: &str, remap: Remap| {
        print!("{name:<18} new shape {:?}", remap.shape);
        for (axis, (constant, factors)) in remap.rows().enumerate() {
            print!("   old[{axis}] = {constant} + {factors:?} · new");
        }
        println!();
    };
    show("every second", Remap::stride(&[6], &[2]));
    show("backwards", Remap::stride(&[6], &[-1]));
    show("from 2 up to 5", Remap::shrink(&[6], &[(2, 5)]));
    show("a zero in front", Remap::pad(&[6], &[(1, 0)]));
    show("transpose", Remap::permute(&[2, 3], &[1, 0]));
    show("repeat", Remap::expand(&[1], &[4]));
}

pub fn one_view() {
    let x = Tensor::arange(24.0).reshape([4, 6]).realize();
    let y = x.get((1.., ..)).permute([1, 0]).flip(0).get((step(.., 2), ..));
    println!("{:?}", y.lazydata().view());
    println!("{y}");
    picture!("one_view", y.memory_diagram());
}

pub fn padded() {
    let x = Tensor::from([[1.0, 2.0, 3.0]]);
    let y = x.pad(&[(0, 0), (2, 1)], 0);
    println!("{:?}", y.lazydata().view());
    println!("{y}");
    picture!("padded", y.memory_diagram());
}

pub fn windows() {
    // 6 numbers; windows of 3, each 1 further than the last: window o shows x[o + k] at k
    let mut windows = Remap::still(1, vec![4, 3]);
    windows.follow(0, 0, 1); // old axis 0 goes with new axis 0, the window …
    windows.follow(0, 1, 1); // … and with new axis 1, the place in it
    let view = View::contiguous(&[6]).remap(&windows);
    println!("strides {:?}", view.strides);
    for window in view.addresses().chunks(3) {
        println!("{:?}", window.iter().flatten().collect::<Vec<_>>());
    }
    picture!("windows", teenygrad::viz::Picture::of_view(&view, &[6]));
}

pub fn bounds() {
    // Padding by 1 on both sides, then windows of 3: window o shows x[o + k - 1] at k
    let padded = View::contiguous(&[6]).pad(&[(1, 1)]);
    let mut windows = Remap::still(1, vec![6, 3]);
    windows.follow(0, 0, 1);
    windows.follow(0, 1, 1);
    let view = padded.remap(&windows);
    println!("{view:?}");
    for window in view.addresses().chunks(3) {
        println!("{window:?}");
    }
}

pub fn groups() {
    let view = View::contiguous(&[2, 3, 4]);
    for shape in [&[6, 4][..], &[6, 2, 2], &[24], &[4, 6]] {
        println!("[2, 3, 4] as {shape:?}: {:?}", view.reshape(shape).map(|v| v.strides));
    }
    let turned = view.permute(&[0, 2, 1]);
    println!("its last two axes swapped: {:?}, strides {:?}", turned.shape, turned.strides);
    for shape in [&[2, 2, 2, 3][..], &[8, 3], &[2, 12]] {
        println!("{:?} as {shape:?}: {:?}", turned.shape, turned.reshape(shape).map(|v| v.strides));
    }
}

pub fn copies() {
    let x = Tensor::arange(6.0).reshape([2, 3]).realize();
    let show = |what: &str, tensor: &Tensor| println!("{what:<16} {:?}", tensor.lazydata().base());
    show("x", &x);
    show("x.t()", &x.t());
    show("x.t().reshape", &x.t().reshape([6]));
}

/// env: DEBUG=2
pub fn pushed() {
    let a = Tensor::rand([512, 512]).realize();
    let b = Tensor::rand([512, 512]).realize();
    part!("run");
    let y = (&a + &b).permute([1, 0]).get(..2).contiguous();
    println!("shape {:?}", y.shape());
    y.realize();
}

pub fn cost() {
    let x = Tensor::rand([64, 64]).realize();
    let y = (&x + 1.0).t().get((8..16, ..)).flip(1).reshape([2, 4, 64]).permute([1, 0, 2]);
    println!("{:?}", y.lazydata());
    for movement in y.lazydata().path().unwrap().moves() {
        println!("{movement:?}");
    }
}

use teenygrad::tensor::index::step;
