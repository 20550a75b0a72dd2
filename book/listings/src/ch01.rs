//! Listings of chapter 1: what a tensor is and how strides work.

use std::fmt::Write;
use teenygrad::Tensor;
use teenygrad::shape::view::View;

pub fn tensor() {
    use teenygrad::Tensor;

    let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    println!("{x}");
    println!("shape {:?}, {} elements", x.shape(), x.numel());
    println!("one after the other: {:?}", x.to_vec::<f32>());
    value!("elements", x.numel());
    value!("rows", x.shape()[0]);
    value!("columns", x.shape()[1]);
    value!("bytes", x.element_size());
    picture!(
        "matrix",
        diagram(&View::contiguous(&x.shape()), x.numel())
    );
}

pub fn address() {
    use teenygrad::shape::view::View;

    let view = View::contiguous(&[2, 3]);
    println!("strides {:?}, offset {}", view.strides, view.offset);
    for row in 0..2 {
        for column in 0..3 {
            let by_hand = view.offset + row * view.strides[0] + column * view.strides[1];
            let index = [row as usize, column as usize];
            assert_eq!(view.address(&index), Some(by_hand as usize));
            print!("[{row}, {column}] is at {by_hand}   ");
        }
        println!();
    }
}

pub fn more_axes() {
    use teenygrad::shape::view::row_major;

    for shape in [&[7][..], &[2, 3], &[2, 3, 4], &[64, 1, 28, 28]] {
        println!("{shape:?} has strides {:?}", row_major(shape));
    }
    value!("image", row_major(&[64, 1, 28, 28])[0]);
}

pub fn transposed() {
    let view = View::contiguous(&[2, 3]);
    let transposed = view.permute(&[1, 0]);
    println!("shape {:?}, strides {:?}", view.shape, view.strides);
    println!("shape {:?}, strides {:?}", transposed.shape, transposed.strides);

    let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    println!("{}", x.permute([1, 0]));
    picture!("transposed", diagram(&transposed, 6));
}

pub fn kinds() {
    let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let show = |tensor: Tensor| {
        let view = tensor.lazydata().view();
        let (shape, strides, offset) = (&view.shape, &view.strides, view.offset);
        println!("shape {shape:?}, strides {strides:?}, offset {offset}");
        println!("reads addresses {:?}", addresses(&view));
    };
    part!("column");
    show(x.get((.., 1)));
    part!("flip");
    show(x.flip(0));
    part!("expand");
    show(x.get(0).reshape([1, 3]).expand([3, 3]));
}

pub fn padding() {
    let padded = View::contiguous(&[2, 3]).pad(&[(0, 0), (1, 1)]);
    println!("{padded:?}");
    for row in padded.addresses().chunks(5) {
        println!("{row:?}");
    }
}

pub fn big() {
    let row = Tensor::ones([1, 1000]).contiguous().realize();
    let many = row.expand([1_000_000, 1000]);
    println!("strides {:?}", many.lazydata().view().strides);
    println!("{} elements", many.numel());
    println!("{} bytes of memory", row.nbytes());
    value!("expanded", many.numel() / 1_000_000_000);
    value!("memory", row.nbytes());
}

pub fn no_stride() {
    let transposed = View::contiguous(&[2, 3]).permute(&[1, 0]);
    println!("{:?}", addresses(&transposed));
    println!("{:?}", transposed.reshape(&[6]));
    println!("{:?}", transposed.reshape(&[3, 1, 2]));
}

pub fn copied() {
    let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    println!("{:?}", x.t().reshape([6]).to_vec::<f32>());
}

/// panics
pub fn mistake() {
    let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let _ = x.reshape([4, 2]);
}

// ---- Helpers ---------------------------------------------------------

/// What a view reads, in its order, without the zeros of a padding.
fn addresses(view: &View) -> Vec<usize> {
    view.addresses().into_iter().flatten().collect()
}

/// A view above the memory that it reads: each element with its address, in the colour of the memory cell.
fn diagram(view: &View, memory: usize) -> String {
    let (rows, columns) = (view.shape[0], view.shape[1]);
    let (width, height) = (memory.max(columns) * 48 + 120, rows * 48 + 120);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">\n\
         <style>\n\
         text {{ font: 15px system-ui, sans-serif; fill: #191918; text-anchor: middle }}\n\
         .label {{ fill: #52514e; text-anchor: start }}\n\
         rect {{ stroke: #8a8983; fill-opacity: .25 }}\n\
         @media (prefers-color-scheme: dark) {{ text {{ fill: #f4f3ee }} .label {{ fill: #b5b4ac }} rect {{ stroke: #77766f; fill-opacity: .4 }} }}\n\
         </style>\n"
    );
    let mut cell = |x: usize, y: usize, address: usize| {
        let hue = 360 * address / memory;
        let (middle, base) = (x + 24, y + 29);
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"48\" height=\"48\" fill=\"hsl({hue} 70% 50%)\"/><text x=\"{middle}\" y=\"{base}\">{address}</text>"
        );
    };
    for row in 0..rows {
        for column in 0..columns {
            if let Some(address) = view.address(&[row, column]) {
                cell(110 + column * 48, 8 + row * 48, address);
            }
        }
    }
    for address in 0..memory {
        cell(110 + address * 48, rows * 48 + 48, address);
    }
    let (view_label, memory_label) = (rows * 24 + 13, rows * 48 + 77);
    let _ = write!(
        svg,
        "<text class=\"label\" x=\"8\" y=\"{view_label}\">view</text><text class=\"label\" x=\"8\" y=\"{memory_label}\">memory</text></svg>"
    );
    svg
}
