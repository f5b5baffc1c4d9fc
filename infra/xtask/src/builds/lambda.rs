//! Building the functions for AWS, whatever this machine is.
//!
//! A build by cargo alone needs the glibc that this machine has, which may be newer than that of Amazon Linux 2023.
//! cargo-lambda links by zig, against a chosen glibc, for either architecture.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use anyhow::{Context as _, Result, bail};
use toml::{Table, Value};

use crate::builds::bootstrap::{self, Architecture, Destination};
use crate::builds::native;
use crate::checkout::Checkout;
use crate::console::{self, note};
use crate::programs::command::run_shown;
use crate::programs::interrupt::Interrupt;
use crate::toolchain::prerequisites;
use crate::toolchain::python::Tools;

/// Profile of functions for AWS beside what Cargo.toml says: a quarter smaller, so that a zip has less than 5 MB. Elsewhere
/// it is not worth half a minute for each function at every change.
const SMALL: [(&str, &str); 2] = [
    ("CARGO_PROFILE_RELEASE_LTO", "thin"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
];

/// Builds the operator's tool for this machine, and the functions into target/lambda, where template.yaml looks for them.
///
/// Without a wish the architecture is that of the deployments in samconfig.toml; where no deployment has the wished-for
/// one, nothing is built: its functions would not start.
pub(crate) fn build(checkout: &Checkout, wish: Option<Architecture>, interrupt: &Interrupt) -> Result<()> {
    prerequisites::check()?;
    let architecture = choose(&deployments(checkout)?, wish)?;
    let enrollctl = native::operator_tool(checkout, interrupt)?;
    let bootstraps = functions(checkout, architecture, interrupt)?;
    let lambda = checkout.root().join("target/lambda");
    for (name, bootstrap) in &bootstraps {
        native::copy_where_different(bootstrap, &lambda.join(name).join("bootstrap"))?;
    }
    note(&format!(
        "functions for {architecture} in {}: deploy with Architecture={architecture}",
        lambda.display()
    ));
    note(&format!("the operator's tool: {}", enrollctl.display()));
    Ok(())
}

/// Builds and checks the functions for AWS; returns each function's name and `bootstrap`, beside those of target/lambda.
pub(crate) fn functions(
    checkout: &Checkout,
    architecture: Architecture,
    interrupt: &Interrupt,
) -> Result<Vec<(String, PathBuf)>> {
    let tools = Tools::CargoLambda.install(checkout, interrupt)?;
    let names = native::names(checkout)?;
    let folder = checkout
        .root()
        .join("target")
        .join(architecture.target())
        .join("lambda");
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([tools.bin()].into_iter().chain(env::split_paths(&path)))?;
    let mut command = Command::new(tools.program("cargo-lambda"));
    command
        .current_dir(checkout.root())
        // Else cargo-lambda adds flags of its own, where it finds no profile as it wants it.
        .args([
            "lambda",
            "build",
            "--release",
            "--disable-optimizations",
            "--locked",
        ])
        .args(["--target", &architecture.target_with_glibc()])
        .arg("--lambda-dir")
        .arg(&folder);
    for name in &names {
        command.args(["--package", name]);
    }
    command
        .env("PATH", path)
        .envs(SMALL)
        // The pinned zig, even where another one is installed; its caches stay in this repository.
        .env("CARGO_ZIGBUILD_ZIG_PATH", tools.packages()?.join("ziglang/zig"))
        .env("CARGO_ZIGBUILD_CACHE_DIR", checkout.tools().join("zig/wrappers"))
        .env("ZIG_GLOBAL_CACHE_DIR", checkout.tools().join("zig/cache"));
    let step = console::Step::start(format!(
        "building the functions for {architecture}, by cargo-lambda"
    ));
    step.leave();
    run_shown(&mut command, interrupt)?;
    step.done();
    let bootstraps = names
        .into_iter()
        .map(|name| {
            let bootstrap = folder.join(&name).join("bootstrap");
            (name, bootstrap)
        })
        .collect::<Vec<_>>();
    check(&bootstraps, architecture)?;
    Ok(bootstraps)
}

/// Checks side by side: compressing takes a second or two for each.
fn check(bootstraps: &[(String, PathBuf)], architecture: Architecture) -> Result<()> {
    thread::scope(|scope| {
        let checks: Vec<_> = bootstraps
            .iter()
            .map(|(_, bootstrap)| scope.spawn(|| bootstrap::check(bootstrap, Destination::Aws(architecture))))
            .collect();
        for check in checks {
            let Ok(outcome) = check.join() else {
                bail!("checking a bootstrap failed")
            };
            outcome?;
        }
        Ok(())
    })
}

/// Deployment that the operator has configured.
#[derive(Debug, PartialEq, Eq)]
struct Deployment {
    /// Name of the configuration in samconfig.toml.
    name: String,
    architecture: Architecture,
}

/// Reads the architectures of the deployments from samconfig.toml and, where that names none, template.yaml.
fn deployments(checkout: &Checkout) -> Result<Vec<Deployment>> {
    let template =
        fs::read_to_string(checkout.root().join("template.yaml")).context("can't read template.yaml")?;
    let default = template_default(&template)?;
    let file = checkout.root().join("samconfig.toml");
    if !file.exists() {
        return configured("", default);
    }
    let text = fs::read_to_string(&file).context("can't read samconfig.toml")?;
    configured(&text, default).context("samconfig.toml")
}

/// Default of the parameter `Architecture`.
fn template_default(template: &str) -> Result<Architecture> {
    let mut lines = template
        .lines()
        .skip_while(|line| line.trim_end() != "  Architecture:");
    lines
        .next()
        .context("template.yaml has no parameter Architecture")?;
    let default = lines
        .take_while(|line| line.starts_with("    "))
        .find_map(|line| line.trim().strip_prefix("Default:"))
        .context("the parameter Architecture has no default in template.yaml")?;
    architecture(default)
}

/// Reads the overrides of `Architecture` from a samconfig.toml, in which they are one text or a list of texts.
fn configured(samconfig: &str, default: Architecture) -> Result<Vec<Deployment>> {
    let mut deployments = Vec::new();
    for (name, configuration) in samconfig.parse::<Table>()? {
        let Some(parameters) = parameters(&configuration) else {
            continue;
        };
        let overrides = match parameters.get("parameter_overrides") {
            Some(Value::String(text)) => text.split_whitespace().map(str::to_owned).collect(),
            Some(Value::Array(list)) => list
                .iter()
                .filter_map(|text| Some(text.as_str()?.to_owned()))
                .collect(),
            _ => Vec::new(),
        };
        let named = overrides.iter().find_map(|text| {
            let long = text.strip_prefix("ParameterKey=");
            let long = long.and_then(|parameter| parameter.strip_prefix("Architecture,ParameterValue="));
            long.or_else(|| text.strip_prefix("Architecture="))
        });
        deployments.push(Deployment {
            name,
            architecture: named.map_or(Ok(default), architecture)?,
        });
    }
    if deployments.is_empty() {
        deployments.push(Deployment {
            name: "default".to_owned(),
            architecture: default,
        });
    }
    Ok(deployments)
}

/// Parameters of `sam deploy` in one configuration, where it deploys the functions.
fn parameters(configuration: &Value) -> Option<&Table> {
    let parameters = configuration.get("deploy")?.get("parameters")?.as_table()?;
    let template = parameters.get("template_file");
    if template.is_none() && !parameters.contains_key("parameter_overrides") {
        // It says nothing of a deployment.
        return None;
    }
    // As sam has it by default.
    let template = template.map_or(Some("template.yaml"), Value::as_str)?;
    (template.trim_start_matches("./") == "template.yaml").then_some(parameters)
}

fn architecture(text: &str) -> Result<Architecture> {
    let text = text.trim().trim_matches(['"', '\'']);
    Architecture::ALL
        .into_iter()
        .find(|architecture| architecture.to_string() == text)
        .with_context(|| format!("Architecture is {text:?}, but only x86_64 and arm64 exist"))
}

/// Chooses the architecture to build for.
fn choose(deployments: &[Deployment], wish: Option<Architecture>) -> Result<Architecture> {
    let has = |wanted: Architecture| {
        deployments
            .iter()
            .any(|deployment| deployment.architecture == wanted)
    };
    match wish {
        Some(wanted) if has(wanted) => Ok(wanted),
        Some(wanted) => bail!(
            "no deployment has Architecture={wanted}, so functions for it would not start: add it to parameter_overrides in samconfig.toml first"
        ),
        None => match Architecture::ALL.map(has) {
            [true, true] => {
                let listed: Vec<String> = deployments
                    .iter()
                    .map(|deployment| format!("{} has {}", deployment.name, deployment.architecture))
                    .collect();
                bail!(
                    "the deployments differ ({}): say --arm64 or --x86-64, and deploy before the next build",
                    listed.join(", ")
                )
            }
            [true, false] => Ok(Architecture::X86_64),
            _ => Ok(Architecture::Arm64),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = include_str!("../../../../template.yaml");
    const SAMCONFIG: &str = include_str!("../../../../samconfig.toml");
    const MANIFEST: &str = include_str!("../../../../Cargo.toml");

    fn chosen(samconfig: &str, wish: Option<Architecture>) -> Result<Architecture> {
        choose(&configured(samconfig, Architecture::Arm64)?, wish)
    }

    #[test]
    fn the_default_is_that_of_the_template() {
        let default = template_default(TEMPLATE).unwrap();
        assert_eq!(choose(&configured("", default).unwrap(), None).unwrap(), default);
        let other = "  Architecture:\n    Type: String\n    Default: x86_64\n  Next:\n    Default: arm64\n";
        assert_eq!(template_default(other).unwrap(), Architecture::X86_64);
        assert!(
            template_default("  Architecture:\n    Type: String\n  Next:\n    Default: arm64\n").is_err()
        );
        assert!(template_default("  Architecture:\n    Default: sparc\n").is_err());
    }

    /// A configuration with these lines.
    fn deployment(name: &str, lines: &str) -> String {
        format!("[{name}.deploy.parameters]\ntemplate_file = 'template.yaml'\n{lines}\n")
    }

    #[test]
    fn overrides_in_samconfig_decide() {
        let text = deployment(
            "default",
            "parameter_overrides = 'LogLevel=info Architecture=\"x86_64\"'",
        );
        let list = deployment(
            "default",
            "parameter_overrides = ['LogLevel=info', 'Architecture=x86_64']",
        );
        let silent = deployment("default", "parameter_overrides = 'LogLevel=info'");
        assert_eq!(chosen(&text, None).unwrap(), Architecture::X86_64);
        assert_eq!(chosen(&list, None).unwrap(), Architecture::X86_64);
        assert_eq!(chosen(&silent, None).unwrap(), Architecture::Arm64);
        let wrong = deployment("default", "parameter_overrides = 'Architecture=sparc'");
        assert!(chosen(&wrong, None).is_err());
    }

    #[test]
    fn other_spellings_of_a_deployment_are_understood() {
        let long = "ParameterKey=Architecture,ParameterValue=x86_64";
        for lines in [
            format!("parameter_overrides = '{long}'"),
            format!("parameter_overrides = ['{long}']"),
            "template_file = './template.yaml'\nparameter_overrides = 'Architecture=x86_64'".to_owned(),
            "parameter_overrides = 'Architecture=x86_64'".to_owned(),
        ] {
            let samconfig = format!("[production.deploy.parameters]\n{lines}\n");
            assert_eq!(chosen(&samconfig, None).unwrap(), Architecture::X86_64, "{lines}");
        }
    }

    #[test]
    fn the_committed_samconfig_has_one_architecture() {
        let deployments = configured(SAMCONFIG, Architecture::X86_64).unwrap();
        let names: Vec<&str> = deployments.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(
            names,
            ["default"],
            "neither the account's template nor the local stack"
        );
        let override_of_one = SAMCONFIG.replace("\"DeletionProtection=false\",", "\"Architecture=x86_64\",");
        assert_eq!(chosen(&override_of_one, None).unwrap(), Architecture::X86_64);
    }

    #[test]
    fn an_architecture_without_deployment_is_refused() {
        let error = chosen("", Some(Architecture::X86_64)).unwrap_err().to_string();
        assert!(error.contains("no deployment has Architecture=x86_64"), "{error}");
        assert_eq!(
            chosen("", Some(Architecture::Arm64)).unwrap(),
            Architecture::Arm64
        );
    }

    #[test]
    fn deployments_that_differ_want_a_choice() {
        let both =
            deployment("first", "") + &deployment("second", "parameter_overrides = ['Architecture=x86_64']");
        let error = chosen(&both, None).unwrap_err().to_string();
        assert!(error.contains("first has arm64, second has x86_64"), "{error}");
        for architecture in Architecture::ALL {
            assert_eq!(chosen(&both, Some(architecture)).unwrap(), architecture);
        }
    }

    #[test]
    fn panics_unwind_in_the_release_profile() {
        let manifest: Table = MANIFEST.parse().unwrap();
        assert_eq!(manifest["profile"]["release"]["panic"].as_str(), Some("unwind"));
    }
}
