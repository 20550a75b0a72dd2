//! # pictures: what the drawings are held to
//!
//! Every picture is read again as XML: its boxes must not overlap, its edges must join boxes that are there and run through none, its texts must
//! fit. What is said in them must be true of the tensor.

use proptest::prelude::*;
use roxmltree::{Document, Node as Element};
use std::collections::HashSet;
use std::path::Path;
use std::process::{Command, Output};
use teenygrad::realize::kernels_on_this_thread;
use teenygrad::viz::Picture;
use teenygrad::viz::diagram::{Diagram, Node, Room};
use teenygrad::viz::svg::width;
use teenygrad::{Tensor, shape::view::View};

/// The example that draws one of each kind.
#[allow(dead_code)]
#[path = "../examples/pictures.rs"]
mod pictures;

// ---- Reading pictures ------------------------------------------------

#[derive(Clone, Copy, Debug)]
struct Rect {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

impl Rect {
    fn overlaps(&self, other: &Rect) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }

    fn has_inside(&self, (x, y): (f64, f64)) -> bool {
        (self.x + 0.5..self.x + self.width - 0.5).contains(&x)
            && (self.y + 0.5..self.y + self.height - 0.5).contains(&y)
    }
}

fn attribute(element: Element, name: &str) -> f64 {
    let text = element.attribute(name).expect(name);
    text.parse().unwrap_or_else(|_| panic!("{name}={text:?}"))
}

fn has_class(element: Element, class: &str) -> bool {
    element
        .attribute("class")
        .is_some_and(|classes| classes.split(' ').any(|c| c == class))
}

fn rect_of(group: Element) -> Rect {
    let rect = group
        .children()
        .find(|child| child.has_tag_name("rect"))
        .expect("a box has a frame");
    Rect {
        x: attribute(rect, "x"),
        y: attribute(rect, "y"),
        width: attribute(rect, "width"),
        height: attribute(rect, "height"),
    }
}

/// Points on a path of M, V and C.
fn points(path: &str) -> Vec<(f64, f64)> {
    let spaced: String = path
        .chars()
        .flat_map(|c| {
            if c.is_ascii_alphabetic() {
                vec![' ', c, ' ']
            } else {
                vec![c]
            }
        })
        .collect();
    let mut words = spaced.split_whitespace();
    let mut next = || words.next().map(str::to_string);
    let (mut at, mut all) = ((0.0, 0.0), Vec::new());
    while let Some(command) = next() {
        let mut number = || next().expect("a number").parse::<f64>().expect("a number");
        match command.as_str() {
            "M" => at = (number(), number()),
            "V" => {
                let y = number();
                all.extend((0..=8).map(|i| (at.0, at.1 + (y - at.1) * i as f64 / 8.0)));
                at.1 = y;
            }
            "C" => {
                let [b, c, d] = std::array::from_fn(|_| (number(), number()));
                let curve = |t: f64, a: f64, b: f64, c: f64, d: f64| {
                    let s = 1.0 - t;
                    s * s * s * a + 3.0 * s * s * t * b + 3.0 * s * t * t * c + t * t * t * d
                };
                let point = |t: f64| (curve(t, at.0, b.0, c.0, d.0), curve(t, at.1, b.1, c.1, d.1));
                all.extend((0..=16).map(|i| point(i as f64 / 16.0)));
                at = d;
            }
            other => panic!("{other} in {path}"),
        }
    }
    all
}

/// Checks a picture of a graph; returns how many boxes (without references) and edges it has.
fn check_graph(svg: &str) -> (usize, usize) {
    let document = Document::parse(svg).unwrap_or_else(|error| panic!("{error}\n{svg}"));
    let root = document.root_element();
    let title = root.children().find(|child| child.has_tag_name("title"));
    assert!(title.is_some(), "a picture says what it is");
    let boxes: Vec<Element> = root
        .descendants()
        .filter(|&e| has_class(e, "box"))
        .collect();
    let rects: Vec<Rect> = boxes.iter().map(|&b| rect_of(b)).collect();
    let mut numbers = HashSet::new();
    for (&b, rect) in boxes.iter().zip(&rects) {
        if !has_class(b, "reference") {
            assert!(numbers.insert(b.attribute("data-number").expect("a box has a number")));
        }
        for text in b.children().filter(|child| child.has_tag_name("text")) {
            let size = match has_class(text, "number") {
                true => 10.0 / 12.0,
                false => 1.0,
            };
            let long = width(text.text().unwrap_or("")) * size;
            let start = match text.attribute("text-anchor") {
                Some("end") => attribute(text, "x") - long,
                Some("middle") => attribute(text, "x") - long / 2.0,
                _ => attribute(text, "x"),
            };
            let fits = rect.x <= start && start + long <= rect.x + rect.width + 0.5;
            assert!(fits, "{:?} in {rect:?}", text.text());
        }
    }
    // Sorted by where they begin, only neighbours can overlap, as far as they reach.
    let mut order: Vec<usize> = (0..rects.len()).collect();
    order.sort_by(|&a, &b| rects[a].y.total_cmp(&rects[b].y));
    for (at, &a) in order.iter().enumerate() {
        for &b in order[at + 1..]
            .iter()
            .take_while(|&&b| rects[b].y < rects[a].y + rects[a].height)
        {
            assert!(
                !rects[a].overlaps(&rects[b]),
                "{:?} {:?}",
                rects[a],
                rects[b]
            );
        }
    }
    let view: Vec<f64> = root
        .attribute("viewBox")
        .expect("a size")
        .split(' ')
        .map(|n| n.parse().unwrap())
        .collect();
    let group = root
        .children()
        .rfind(|child| child.has_tag_name("g"))
        .expect("a graph");
    let moved: Vec<f64> = (group
        .attribute("transform")
        .expect("moved below the legend"))
    .trim_matches(|c: char| !c.is_ascii_digit())
    .split(' ')
    .map(|n| n.parse().unwrap())
    .collect();
    for rect in &rects {
        assert!(
            rect.x + moved[0] >= 0.0 && rect.x + moved[0] + rect.width <= view[2],
            "{rect:?}"
        );
        assert!(
            rect.y + moved[1] >= 0.0 && rect.y + moved[1] + rect.height <= view[3],
            "{rect:?}"
        );
    }
    let edges: Vec<Element> = root
        .descendants()
        .filter(|&e| has_class(e, "edge"))
        .collect();
    for &edge in &edges {
        for end in ["data-from", "data-to"] {
            let number = edge.attribute(end).expect(end);
            let drawn = numbers.contains(number)
                || boxes
                    .iter()
                    .any(|b| b.attribute("data-number") == Some(number));
            assert!(drawn, "{end}={number}");
        }
        for point in points(edge.attribute("d").expect("a path")) {
            let from = order.partition_point(|&at| rects[at].y < point.1 - 400.0);
            let near = order[from..]
                .iter()
                .take_while(|&&at| rects[at].y < point.1);
            for &at in near {
                assert!(
                    !rects[at].has_inside(point),
                    "an edge through a box: {point:?} {:?}",
                    rects[at]
                );
            }
        }
    }
    (numbers.len(), edges.len())
}

/// The texts of the boxes' headings.
fn headings(svg: &str) -> Vec<String> {
    let document = Document::parse(svg).unwrap();
    let heads = document.descendants().filter(|&e| has_class(e, "head"));
    heads
        .filter_map(|head| head.text().map(str::to_string))
        .collect()
}

// ---- Layout ----------------------------------------------------------

fn node(number: usize, lines: usize) -> Node {
    Node {
        room: Room::ALL[number % 7],
        number,
        heading: format!("node {number}"),
        lines: (0..lines)
            .map(|line| "x".repeat(3 + (number * 7 + line) % 30))
            .collect(),
        more: String::new(),
        wanted: number.is_multiple_of(17),
    }
}

fn diagram(count: usize, edges: Vec<(usize, usize)>) -> Diagram {
    Diagram {
        title: "a graph".into(),
        subtitle: String::new(),
        boxes: (0..count).map(|number| node(number, number % 4)).collect(),
        edges,
    }
}

/// Each node from one or two of the nodes before it, near or far: a number for each says which.
fn web(choices: &[usize]) -> Diagram {
    let mut edges = Vec::new();
    for (to, choice) in choices.iter().enumerate().skip(1) {
        edges.push((to - 1 - choice % to.min(4), to));
        if choice % 3 == 0 {
            edges.push((choice % to, to));
        }
    }
    diagram(choices.len(), edges)
}

/// Numbers that look random and are the same in every run.
fn scrambled(count: usize) -> Vec<usize> {
    (0..count)
        .map(|i| i.wrapping_mul(2_654_435_761) >> 7)
        .collect()
}

#[test]
fn graphs_of_any_size_are_laid_out() {
    for count in [0, 1, 2, 5, 300, 3000] {
        let web = web(&scrambled(count));
        let edges = web.edges.len();
        assert_eq!(check_graph(&web.svg()), (count, edges), "{count} nodes");
    }
}

#[test]
fn wide_graphs_and_double_edges_are_laid_out() {
    let fan = diagram(
        42,
        (1..41)
            .map(|leaf| (0, leaf))
            .chain((1..41).map(|leaf| (leaf, 41)))
            .collect(),
    );
    assert_eq!(check_graph(&fan.svg()), (42, 80));
    let twice = diagram(2, vec![(0, 1), (0, 1)]);
    assert_eq!(check_graph(&twice.svg()), (2, 2));
    assert_eq!(check_graph(&diagram(30, vec![]).svg()), (30, 0));
}

#[test]
fn a_deep_graph_shows_its_end() {
    let small_stack = std::thread::Builder::new().stack_size(512 << 10);
    let draw = || {
        let x = Tensor::ones([2]).contiguous();
        let deep = (0..20_000).fold(x, |x, i| x + (i % 7 + 1));
        let svg = deep.lazy_graph().to_string();
        let (boxes, edges) = check_graph(&svg);
        assert!(
            boxes <= 4000 && edges >= boxes - 1,
            "{boxes} boxes, {edges} edges"
        );
        assert!(svg.contains("the last 4,000 of"));
        let w = Tensor::ones([2]).requires_grad(true);
        let deep = (0..5_000).fold(w, |w, _| w.relu()).sum(());
        check_graph(&deep.graph().svg());
    };
    small_stack.spawn(draw).unwrap().join().unwrap();
}

#[test]
fn texts_are_escaped_and_shortened() {
    let mut evil = diagram(2, vec![(0, 1)]);
    evil.title = "<&>\"\u{7}".into();
    evil.boxes[0].heading = "a<b&c</text>".into();
    evil.boxes[1].lines = vec!["\u{0}]]>".into(), "long ".repeat(100)];
    evil.boxes[1].more = "<script>".into();
    let svg = evil.svg();
    check_graph(&svg);
    assert!(headings(&svg).contains(&"a<b&c</text>".to_string()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_graph_is_laid_out(choices in prop::collection::vec(0usize..1000, 0..60)) {
        let svg = web(&choices).svg();
        check_graph(&svg);
        prop_assert_eq!(svg, web(&choices).svg());
    }
}

// ---- What is drawn ---------------------------------------------------

#[test]
fn the_autograd_graph_has_values_and_gradients_when_there_are() {
    let x = Tensor::from(2.0);
    let w = Tensor::from(-3.0).requires_grad(true);
    let y = (&w * &x + 1.0).relu().sum(());
    let graph = y.graph();
    let before = kernels_on_this_thread();
    let svg = graph.svg();
    assert_eq!(
        kernels_on_this_thread(),
        before,
        "a picture computes nothing"
    );
    assert_eq!(
        headings(&svg),
        ["parameter", "tensor", "Mul", "Add(·, 1)", "Relu", "Sum"]
    );
    assert!(svg.contains("no gradients yet"));
    y.backward();
    w.grad().unwrap().realize();
    let svg = graph.svg();
    assert_eq!(check_graph(&svg), (6, 5));
    assert!(
        svg.contains(">gradient = 0<") && svg.contains(">= -3<"),
        "{svg}"
    );
    // The backward has freed the graph: now there is one tensor.
    assert_eq!(check_graph(&y.graph().svg()), (1, 0));
}

#[test]
fn the_lazy_graph_has_nodes_and_views() {
    let x = Tensor::rand([4, 6]).realize();
    let y = x.t().contiguous().get((1..3, ..)) / x.shrink(&[(0, 2), (0, 4)]).flip(1);
    let svg = y.lazy_graph().to_string();
    check_graph(&svg);
    let heads = headings(&svg);
    for expected in ["memory", "permute", "Contiguous", "shrink", "flip, shrink"] {
        assert!(
            heads.iter().any(|head| head == expected),
            "{expected} in {heads:?}"
        );
    }
    assert!(
        heads.iter().any(|head| head.starts_with("Div(")),
        "{heads:?}"
    );
    assert_eq!(
        svg,
        y.lazy_graph().to_string(),
        "the same graph is the same picture"
    );
    // What is there already, and a constant, are one box.
    assert_eq!(check_graph(x.lazy_graph().svg()), (1, 0));
    assert_eq!(headings(Tensor::full([3], 2.5).lazy_graph().svg()), ["2.5"]);
}

#[test]
fn the_kernel_graph_has_kernels_and_the_memory_between() {
    let (a, b) = (
        Tensor::rand([8, 16]).realize(),
        Tensor::rand([16, 4]).realize(),
    );
    let y = a.matmul(&b).relu().softmax(-1);
    let before = kernels_on_this_thread();
    let picture = y.kernel_graph();
    assert_eq!(kernels_on_this_thread(), before);
    let plan = y.lazydata().schedule();
    let buffers: HashSet<usize> = (plan.steps.iter())
        .flat_map(|step| step.inputs.iter().chain(&step.outputs).copied())
        .collect();
    let (boxes, _) = check_graph(picture.svg());
    assert_eq!(boxes, plan.len() + buffers.len());
    for kernel in plan.kernels() {
        assert!(headings(picture.svg()).contains(&kernel.name));
    }
    let realized = y.realize();
    assert_eq!(check_graph(realized.kernel_graph().svg()), (0, 0));
}

/// The cells of a memory diagram after the view's heading: their texts, and whether they are padding.
fn cells(svg: &str) -> Vec<(String, bool)> {
    let document = Document::parse(svg).unwrap();
    let mut in_view = false;
    let mut cells = Vec::new();
    for element in document.root_element().children() {
        in_view |= element.text().is_some_and(|text| text.starts_with("view:"));
        if in_view && has_class(element, "cell") {
            let text = element.children().find(|child| child.has_tag_name("text"));
            cells.push((
                text.unwrap().text().unwrap().to_string(),
                has_class(element, "zero"),
            ));
        }
    }
    cells
}

#[test]
fn a_memory_diagram_leads_each_index_to_its_cell() {
    let row = Tensor::arange(6).contiguous();
    let image = Tensor::arange(16).contiguous().reshape([1, 1, 4, 4]);
    let views = [
        row.reshape([2, 3]).t(),
        row.reshape([6, 1]).expand([6, 3]),
        row.flip(0),
        row.shrink(&[(2, 5)]),
        row.reshape([2, 3]).pad(&[(1, 0), (2, 1)], 0.0),
        image.unfold(2, 2, 1).unfold(3, 2, 1),
        image
            .pad2d([1, 1, 1, 1], 0.0)
            .unfold(2, 3, 2)
            .unfold(3, 3, 2),
        Tensor::from(1.0),
        Tensor::zeros([0, 3]).contiguous(),
    ];
    for tensor in views {
        let expected: Vec<(String, bool)> = (tensor.lazydata().view().addresses().into_iter())
            .map(|at| {
                (
                    at.map_or("0".to_string(), |at| at.to_string()),
                    at.is_none(),
                )
            })
            .collect();
        assert_eq!(
            cells(tensor.memory_diagram().svg()),
            expected,
            "{:?}",
            tensor.shape()
        );
    }
}

#[test]
fn a_memory_diagram_of_much_memory_is_small() {
    let view = View::contiguous(&[128, 3, 224, 224]).permute(&[0, 2, 3, 1]);
    let svg = Picture::of_view(&view, &[128, 3, 224, 224]).to_string();
    assert!(
        cells(&svg).len() <= 1000 && svg.len() < 400_000,
        "{}",
        svg.len()
    );
    assert!(svg.contains("of 128 along axis 0"));
}

// ---- Files -----------------------------------------------------------

#[test]
fn pictures_are_saved_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.svg");
    let picture = Tensor::ones([3]).lazy_graph();
    picture.save(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), picture.to_string());
    let error = picture.save(path.join("below a file.svg")).unwrap_err();
    assert!(error.to_string().contains("below a file.svg"), "{error}");
}

/// The README shows these, which the example draws.
#[test]
fn the_pictures_of_the_readme_are_what_is_drawn() {
    let all = pictures::all();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/pictures");
    let mut compared = 0;
    for entry in std::fs::read_dir(kept).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_string();
        let drawn = all.iter().find(|picture| picture.0 == name);
        let same = drawn.unwrap().1.svg() == std::fs::read_to_string(path).unwrap();
        assert!(
            same,
            "draw it again: cargo run --release --example pictures -- examples/pictures {name}"
        );
        compared += 1;
    }
    assert_eq!(compared, 2);
    for (name, picture) in &all {
        match name.starts_with("view") {
            true => assert!(Document::parse(picture.svg()).is_ok(), "{name}"),
            false => assert!(check_graph(picture.svg()).0 > 0, "{name}"),
        }
    }
}

/// Runs one test of this file in a process of its own, with `VIZ` set.
fn with_viz(test: &str, folder: &Path) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command
        .env("VIZ", folder)
        .env("TEENYGRAD_PICTURES", "1")
        .env_remove("DEBUG");
    command.output().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn viz_draws_each_structure_once() {
    if std::env::var_os("TEENYGRAD_PICTURES").is_some() {
        let w = Tensor::ones([3]).requires_grad(true);
        for _ in 0..5 {
            w.zero_grad();
            w.square().sum(()).backward();
            assert_eq!(w.grad().unwrap().to_vec::<f32>(), [2.0; 3]);
        }
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let album = folder.path().join("new/album");
    let output = with_viz("viz_draws_each_structure_once", &album);
    assert!(output.status.success(), "{output:?}");
    let names = names(&album);
    assert_eq!(
        names,
        ["001-autograd.svg", "002-lazy.svg", "003-kernels.svg"]
    );
    for name in names {
        check_graph(&std::fs::read_to_string(album.join(name)).unwrap());
    }
}

#[test]
fn viz_writes_a_bounded_number_of_files() {
    if std::env::var_os("TEENYGRAD_PICTURES").is_some() {
        for size in 1..150 {
            assert_eq!(
                Tensor::arange(size).sum(()).item::<i64>(),
                size * (size - 1) / 2
            );
        }
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let output = with_viz("viz_writes_a_bounded_number_of_files", folder.path());
    assert!(output.status.success(), "{output:?}");
    assert_eq!(names(folder.path()).len(), 200);
}

#[test]
fn viz_that_cannot_be_written_is_told_once_and_stops_nothing() {
    if std::env::var_os("TEENYGRAD_PICTURES").is_some() {
        for size in 2..9 {
            assert_eq!(
                Tensor::ones([size]).contiguous().sum(()).item::<f32>(),
                size as f32
            );
        }
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    // Not a folder; and a folder in which the first picture's name is taken by a folder.
    let taken = folder.path().join("taken");
    std::fs::create_dir_all(taken.join("001-lazy.svg")).unwrap();
    for path in [file.join("below"), file.clone(), taken] {
        let output = with_viz(
            "viz_that_cannot_be_written_is_told_once_and_stops_nothing",
            &path,
        );
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{told}");
        assert!(
            told.contains("VIZ: ") && told.contains("no ") && told.contains("pictures are drawn"),
            "{told}"
        );
        assert!(
            told.lines().filter(|line| line.starts_with("VIZ")).count() <= 3,
            "{told}"
        );
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "in the way");
}
