//! The library prints nothing unless asked to.

use super::*;

/// Progress bars belong to the examples, with their own tests; the library prints tensors and answers whether a service runs it.
#[test]
fn printed_tensors_have_no_control_characters() {
    for x in [
        Tensor::from([[1.0, NAN], [INF, -1e-9]]),
        Tensor::zeros([30, 50]),
        Tensor::from([true, false]),
        Tensor::zeros([0]),
        Tensor::from(1u8),
    ] {
        for text in [format!("{x}"), format!("{x:?}"), format!("{x:#?}")] {
            assert!(
                text.chars().all(|c| c == '\n' || !c.is_control()),
                "{text:?}"
            );
        }
    }
}

#[test]
fn nothing_is_printed_unless_asked_for() {
    const NAME: &str = "p16_non_terminal_output::nothing_is_printed_unless_asked_for";
    if std::env::var("TEENYGRAD_PRINT").is_ok() {
        let x = whole(&[8, 8], 1).requires_grad(true);
        x.matmul(x.t()).sum(()).backward();
        x.grad().unwrap().realize();
        return;
    }
    let run = |variables: &[(&str, &str)]| {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", NAME, "--nocapture", "--test-threads=1"])
            .env("TEENYGRAD_PRINT", "1")
            .env_remove("DEBUG");
        let output = command.envs(variables.iter().copied()).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(run(&[]), "");
    assert_eq!(run(&[("DEBUG", "0")]), "");
    for (level, text) in [
        ("1", "kernels"),
        ("2", "GFLOP/s"),
        ("3", ""),
        ("4", ""),
        ("5", ""),
    ] {
        let printed = run(&[("DEBUG", level), ("NO_COLOR", "1")]);
        assert!(
            printed.contains(text) && !printed.is_empty(),
            "DEBUG={level}: {printed}"
        );
        assert!(
            printed.chars().all(|c| c == '\n' || !c.is_control()),
            "DEBUG={level}: {printed:?}"
        );
    }
}

#[test]
fn a_service_is_recognised() {
    const NAME: &str = "p16_non_terminal_output::a_service_is_recognised";
    if let Ok(expected) = std::env::var("TEENYGRAD_EXPECTED") {
        assert_eq!(teenygrad::helpers::ci().to_string(), expected);
        return;
    }
    for (value, expected) in [
        (Some("true"), "true"),
        (Some("1"), "true"),
        (Some(""), "false"),
        (Some("0"), "false"),
        (Some("false"), "false"),
        (None, "false"),
    ] {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", NAME])
            .env("TEENYGRAD_EXPECTED", expected)
            .env_remove("CI");
        if let Some(value) = value {
            command.env("CI", value);
        }
        assert!(command.output().unwrap().status.success(), "CI={value:?}");
    }
}
