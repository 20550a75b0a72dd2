//! # mnist: the main job
//!
//! Trains a small network on 60,000 handwritten digits and examines it with 10,000 that it has not seen.
//!
//! ```text
//! cargo run --release --example mnist
//! ```
//!
//! **In:** MNIST, out of the repository, and the options. **Out:** the accuracy on the test set; if asked for, the weights and two
//! pictures. **Below:** the library, as any user sees it.
//!
//! | file | for |
//! |---|---|
//! | `main` | the order of things, and what is said when something goes wrong |
//! | [`options`] | the command line |
//! | [`models`] | the networks |
//! | [`training`] | `train` and `evaluate`, with the batches that they need |
//! | [`progress`] | a bar in a terminal, lines elsewhere |
//! | [`plots`] | the pictures; they know of no tensor |
//!
//! The exit status is 0 if all went well, 1 if something failed or the accuracy is too low, 2 for options that make no sense, and
//! 130 after Ctrl-C, as shells expect it.

mod models;
mod options;
mod plots;
mod progress;
mod training;

use clap::Parser;
use models::Model;
use options::{DEFAULT_STEPS, Options};
use plots::{WrongDigit, curves_svg, wrong_digits_svg};
use progress::{Progress, say};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use teenygrad::nn::datasets::{Mnist, PIXELS, mnist_with};
use teenygrad::nn::{files, state};
use teenygrad::{Error, Tensor};
use training::{Digits, StepReport, evaluate, train};

// ---- Ends ------------------------------------------------------------

/// Why a run ended early.
enum Failure {
    /// A file, or the data set.
    World(Error),
    /// The network has not learnt enough: what it reached, and what it had to exceed.
    Accuracy(f64, f64),
    /// Ctrl-C.
    Stopped,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::World(error)
    }
}

/// Set by Ctrl-C.
static STOP: AtomicBool = AtomicBool::new(false);

/// An error once Ctrl-C was pressed. Asked between two steps and never while a file is written.
fn go_on() -> Result<(), Failure> {
    if STOP.load(Ordering::Relaxed) {
        Err(Failure::Stopped)
    } else {
        Ok(())
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    // The second Ctrl-C is of someone who doesn't want to wait for the end of a step.
    let handler = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    if let Err(error) = handler {
        eprintln!("warning: Ctrl-C will end the program at once: {error}");
    }
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::World(error)) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
        Err(Failure::Accuracy(reached, required)) => {
            eprintln!(
                "error: the accuracy {reached:.4} is not above {required}, which {} should reach",
                options.model
            );
            ExitCode::FAILURE
        }
        Err(Failure::Stopped) => {
            eprintln!("stopped");
            ExitCode::from(130)
        }
    }
}

// ---- The job ---------------------------------------------------------

fn run(options: &Options) -> Result<(), Failure> {
    // A typo in the name of a folder should not cost a training.
    options.check_outputs()?;
    Tensor::manual_seed(options.seed);
    let model = options.model.build();
    for (_, weights) in model.weights() {
        weights.to_(options.device);
    }
    if let Some(path) = &options.load {
        state::load_state(path, model.weights())?;
    }
    let data = fetch_mnist()?;
    let training_set = Digits::new(&data.train_images, &data.train_labels, options.device);
    let test_set = Digits::new(&data.test_images, &data.test_labels, options.device);

    let start = Instant::now();
    let mut progress = Progress::new("train", options.steps);
    let reports = train(
        &*model,
        training_set,
        options.lr,
        options.steps,
        options.batch_size,
        |step| {
            progress.step(&format!(
                "loss {:.4}  accuracy {:.3}",
                step.loss, step.accuracy
            ));
            go_on()
        },
    )?;
    drop(progress);
    if options.steps > 0 {
        let (steps, size) = (options.steps, options.batch_size);
        say(&format!(
            "trained: {steps} steps of {size} images in {:.2?}",
            start.elapsed()
        ));
    }

    let start = Instant::now();
    let mut progress = Progress::quiet("test", test_set.test_batches());
    let guesses = evaluate(&*model, test_set, || {
        progress.step("");
        go_on()
    })?;
    drop(progress);
    say(&format!(
        "tested: {} images in {:.2?}",
        guesses.len(),
        start.elapsed()
    ));

    let wrong = wrong_digits(&data, &guesses);
    write_files(options, &*model, &reports, &wrong, guesses.len())?;
    let accuracy = 1.0 - wrong.len() as f64 / guesses.len() as f64;
    say(&format!("test set accuracy is {accuracy:.4}"));
    let required = options.model.required_accuracy();
    if options.steps < DEFAULT_STEPS {
        say(&format!(
            "(not compared with {required}: that takes {DEFAULT_STEPS} steps or more)"
        ));
    } else if accuracy <= required {
        return Err(Failure::Accuracy(accuracy, required));
    }
    Ok(())
}

/// MNIST as bytes, with a bar if it has to be downloaded (which only happens with the feature `download`).
fn fetch_mnist() -> Result<Mnist, Error> {
    let mut known: Option<(String, Progress)> = None;
    mnist_with(&mut |download| {
        let kilobytes = |bytes: u64| (bytes / 1000) as usize;
        if known.as_ref().is_none_or(|(url, _)| url != download.url) {
            // Without a stated length there is nothing to measure progress by: the name alone is shown.
            let total = download.total.map_or(1, kilobytes);
            say(&format!("downloading {}", download.url));
            known = Some((download.url.to_string(), Progress::quiet("kB", total)));
        }
        if let Some((_, progress)) = &mut known {
            progress.set(kilobytes(download.received), download.file);
        }
    })
}

/// The test images that were read wrongly.
fn wrong_digits(data: &Mnist, guesses: &[u8]) -> Vec<WrongDigit> {
    let images = data.test_images.chunks_exact(PIXELS);
    let read = images
        .zip(&data.test_labels)
        .zip(guesses)
        .filter(|((_, truth), guess)| truth != guess);
    read.map(|((image, &truth), &guess)| {
        let mut pixels = [0; PIXELS];
        pixels.copy_from_slice(image);
        WrongDigit {
            pixels,
            guess,
            truth,
        }
    })
    .collect()
}

/// Whatever files were asked for; each is whole or not there.
fn write_files(
    options: &Options,
    model: &dyn Model,
    reports: &[StepReport],
    wrong: &[WrongDigit],
    tested: usize,
) -> Result<(), Failure> {
    let Options {
        model: name,
        batch_size,
        lr,
        ..
    } = options;
    if let Some(path) = &options.save {
        go_on()?;
        state::safe_save(model.weights(), path)?;
        say(&format!("weights: {}", path.display()));
    }
    if let Some(path) = &options.curves {
        go_on()?;
        let losses: Vec<f32> = reports.iter().map(|step| step.loss).collect();
        let accuracies: Vec<f32> = reports.iter().map(|step| step.accuracy).collect();
        let title = format!("{name} on MNIST: Adam, learning rate {lr}, batches of {batch_size}");
        files::write(path, curves_svg(&losses, &accuracies, &title).as_bytes())?;
        say(&format!("curves: {}", path.display()));
    }
    if let Some(path) = &options.wrong {
        go_on()?;
        let title = format!("{name} on the test set of MNIST");
        files::write(path, wrong_digits_svg(wrong, tested, &title).as_bytes())?;
        say(&format!("digits read wrongly: {}", path.display()));
    }
    Ok(())
}
